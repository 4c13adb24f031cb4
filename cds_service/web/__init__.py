"""HTTP and nothing of breasts: bodies, answers, the net around every request."""
