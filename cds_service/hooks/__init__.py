"""A module a hook, and what they share: the chart that a call brings."""
