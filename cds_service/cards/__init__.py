"""A chart's answers, and the words that tell them."""
