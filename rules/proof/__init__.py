"""Proof by enumeration: every input of every stage is decided, every row is reached, and the safety invariants hold."""
