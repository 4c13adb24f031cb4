"""What was advised and what became of it: every decision given, every feedback received, in SQLite or PostgreSQL."""
