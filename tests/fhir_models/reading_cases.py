"""Cases of a reading alone, with nothing around the findings."""

from __future__ import annotations

from datetime import date

from cds_service.cards.answers import asks_with
from fhir_models.cases import FindingCase
from fhir_models.cases import cases_for as cases_of_chart
from fhir_models.chart.records import Background, Chart
from fhir_models.reading import Reading
from rules.engine import load_ruleset

RULESET = load_ruleset()


def cases_for(reading: Reading, today: date) -> tuple[FindingCase, ...]:
    chart = Chart(reading=reading, background=Background(sex=reading.patient.sex))
    return cases_of_chart(chart, today, RULESET.limits, asks_with(RULESET))
