"""CDS Hooks and nothing of breasts: discovery, calls."""
