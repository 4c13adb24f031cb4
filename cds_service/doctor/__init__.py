"""Plays the EHR against a running CDS Hooks service, anybody's, and tells what it does by the specification."""
