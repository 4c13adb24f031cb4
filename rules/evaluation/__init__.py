"""The table measured on published data: what each lesion is told, beside what it turned out to be."""
