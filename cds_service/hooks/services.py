"""The services that are offered, by id: what discovery shows of each, and the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import msgspec

from cds_service.hooks import order_select, order_sign, patient_view
from cds_service.knowledge import Knowledge
from cds_service.protocol.hook_request import Service
from cds_service.settings import Settings


class Offered(msgspec.Struct, frozen=True):
    """A service and its answer: request body, knowledge, settings and day to the encoded answer."""

    service: Service
    answer: Callable[[bytes, Knowledge, Settings, date], bytes]


SERVICES: Mapping[str, Offered] = {
    module.SERVICE.id: Offered(module.SERVICE, module.answer) for module in (patient_view, order_select, order_sign)
}
