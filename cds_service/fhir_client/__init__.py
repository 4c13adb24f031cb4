"""Fetching from the client's FHIR server what was not prefetched: bounded in time, size and place, and never an error."""
