"""Who calls: the clients that a site registers, and what each of them wants and may."""
