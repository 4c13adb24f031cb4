"""The services that are offered, by id."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.hooks import appointment_book, order_select, order_sign, patient_view, report_review
from cds_service.hooks.service_call import Offered

_MODULES = (patient_view, order_select, order_sign, appointment_book, report_review)

SERVICES: Mapping[str, Offered] = {module.OFFERED.service.id: module.OFFERED for module in _MODULES}
