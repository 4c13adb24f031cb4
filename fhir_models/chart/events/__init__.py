"""Orders, appointments, procedures, requests and refusals that concern the breasts (chart logic 5.1, 5.2 and 5.4)."""
