"""The patient's background: facts of the chart, and what they mean for one finding (chart logic section 2)."""
