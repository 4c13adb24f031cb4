"""The CDS Hooks service over HTTP."""
