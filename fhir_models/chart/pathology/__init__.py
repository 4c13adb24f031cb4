"""Pathology reports of the breast: which there are, and what their codes and words say of which breast (chart logic 5.3)."""
