"""The chart around the findings: orders, appointments, procedures, tissue, history, and what closes what."""
