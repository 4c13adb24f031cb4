"""FHIR in and out: a reading from resources, orders from decisions."""
