"""What orders, appointments, procedures, requests and refusals are read as."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_models.chart.events.read import ACT_NOT_UNDERSTOOD, AFTER_TODAY, SIDES_DIFFER, STATUS_NOT_KNOWN, read_events
from fhir_models.chart.records import Event
from fhir_models.days import written_days
from fhir_models.entries import Located, read_entries
from fhir_models.terminology import load_terminology
from rules.follow_up import Act

TERMINOLOGY = load_terminology()
TODAY = date(2026, 11, 20)

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
CPT, ICD = "http://www.ama-assn.org/go/cpt", "http://hl7.org/fhir/sid/icd-10-cm"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
IG = "http://hl7.org/fhir/us/breast-radiology/CodeSystem/ServiceRecommendationsCS"
LOCAL = "http://hospital.example/codes"

STEREOTACTIC, GENERIC_CORE, MAMMOGRAM = (SNOMED, "116334007"), (SNOMED, "9911007"), (SNOMED, "71651007")
RADIOTHERAPY, LEFT_BREAST, RIGHT_BREAST = (SNOMED, "108290001"), (SNOMED, "80248007"), (SNOMED, "73056007")
REFUSED, NOT_DONE_MARKER, PUT_OFF = (SNOMED, "443390004"), (SNOMED, "416237000"), (SNOMED, "373787003")


def concept(*codes: tuple[str, str], text: str | None = None, display: str | None = None) -> dict[str, Any]:
    """A CodeableConcept; `display` goes to every coding, or alone into a local one."""
    codings = [{"system": system, "code": code} for system, code in codes]
    codings = codings or ([{"system": LOCAL, "code": "X1"}] if display else [])
    if display:
        codings = [coding | {"display": display} for coding in codings]
    return {"coding": codings} | ({"text": text} if text else {})


def procedure(code: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    given = {"status": "completed", "performedDateTime": "2026-11-03", "code": code or concept(STEREOTACTIC)}
    return {"resourceType": "Procedure", "id": "p1"} | given | members


def order(code: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    given = {"status": "active", "intent": "order", "authoredOn": "2026-11-03", "code": code or concept(STEREOTACTIC)}
    return {"resourceType": "ServiceRequest", "id": "o1"} | given | members


def appointment(description: str | None = None, **members: Any) -> dict[str, Any]:
    given = {"status": "booked", "start": "2026-12-01T09:00:00Z", "description": description}
    return {"resourceType": "Appointment", "id": "a1"} | given | members


def task(description: str, **members: Any) -> dict[str, Any]:
    given = {"status": "requested", "authoredOn": "2026-11-03", "description": description}
    return {"resourceType": "Task", "id": "t1"} | given | members


def condition(code: str, text: str | None, **members: Any) -> dict[str, Any]:
    given = {"code": concept((ICD, code), text=text), "recordedDate": "2026-11-03"}
    return {"resourceType": "Condition", "id": "c1"} | given | members


def read(*resources: dict[str, Any]) -> tuple[tuple[Event, ...], list[str]]:
    entries = read_entries(Located(f"$.entry[{number}]", item) for number, item in enumerate(resources))
    return read_events(entries, TERMINOLOGY, TODAY), [item.why for item in entries.unread]


def only(*resources: dict[str, Any]) -> Event:
    events, _ = read(*resources)
    assert len(events) == 1
    return events[0]


def acts_of(*resources: dict[str, Any]) -> set[str]:
    return {str(act) for event in read(*resources)[0] for act in event.acts}


@pytest.mark.parametrize(
    ("code", "acts"),
    [
        ((LOINC, "26347-5"), {"diagnostic_mammography"}),
        ((LOINC, "24606-6"), {"screening_mammography"}),
        ((SNOMED, "71651007"), {"mammography"}),
        ((CPT, "77067"), {"screening_mammography"}),
        ((LOINC, "24603-3"), {"biopsy"}),
        ((SNOMED, "274331003"), {"excision"}),
        ((SNOMED, "392021009"), {"lumpectomy"}),
        ((SNOMED, "429400009"), {"mastectomy"}),
        ((SNOMED, "47079000"), {"breast_ultrasound"}),
        ((SNOMED, "367336001"), {"chemotherapy"}),
        ((DICOM, "111410"), {"surgical_consult"}),
        ((DICOM, "111138"), {"compare_priors"}),
        ((DICOM, "111142"), {"short_interval_follow_up"}),
        ((IG, "Mammogram6MonthFollow-up"), {"short_interval_follow_up"}),
    ],
)
def test_a_code_names_its_act(code: tuple[str, str], acts: set[str]) -> None:
    assert acts_of(order(concept(code))) == acts


@pytest.mark.parametrize(
    "code",
    [
        (DICOM, "111141"),
        (DICOM, "111122"),
        (DICOM, "111121"),
        (IG, "BiopsyBaseOnClinical"),
        (SNOMED, "396487001"),
        (SNOMED, "80865008"),
        (SNOMED, "287572003"),
    ],
)
def test_advice_and_what_goes_with_a_biopsy_closes_nothing(code: tuple[str, str]) -> None:
    assert acts_of(order(concept(code), bodySite=[concept(LEFT_BREAST)])) == {"other"}


def test_codes_of_one_resource_are_taken_together() -> None:
    assert acts_of(order(concept((CPT, "77067"), (CPT, "77066")))) == {
        "screening_mammography",
        "diagnostic_mammography",
    }


def test_words_are_not_read_where_a_code_is_known() -> None:
    assert acts_of(order(concept((LOINC, "26347-5"), text="Biopsy left breast"))) == {"diagnostic_mammography"}


@pytest.mark.parametrize(
    ("text", "reason", "act"),
    [
        ("Screening mammogram", None, "screening_mammography"),
        ("Mammogram, annual", None, "screening_mammography"),
        ("Mammogram, diagnostic", None, "diagnostic_mammography"),
        ("Mammogram after abnormal screening", None, "mammography"),
        (None, (ICD, "Z12.31"), "screening_mammography"),
        (None, (ICD, "R92.0"), "mammography"),
    ],
)
def test_a_code_of_any_mammogram_is_told_by_words_or_reason(
    text: str | None, reason: tuple[str, str] | None, act: str
) -> None:
    request = order(concept(MAMMOGRAM, text=text), reasonCode=[concept(reason)] if reason else [])
    assert acts_of(request) == {act}


@pytest.mark.parametrize(
    ("words", "acts"),
    [
        ("Stereotactic biopsy left breast", {"biopsy"}),
        ("Stereotactic biopsy, left", {"biopsy"}),
        ("US-guided core bx R breast, 10 o'clock", {"biopsy"}),
        ("Breast FNA", {"biopsy"}),
        ("Mammotome biopsy", {"biopsy"}),
        ("Stanzbiopsie Mamma links", {"biopsy"}),
        ("Biopsia de mama izquierda", {"biopsy"}),
        ("Vacuum-assisted biopsy of breast with clip placement", {"biopsy", "other"}),
        ("Needle localization and excisional biopsy, left breast", {"excision", "other"}),
        ("Excision of breast mass", {"excision"}),
        ("Lumpectomy, left", {"lumpectomy"}),
        ("Partial mastectomy", {"lumpectomy"}),
        ("Total mastectomy, right", {"mastectomy"}),
        ("Mastectomía radical izquierda", {"mastectomy"}),
        ("Skin-sparing mastectomy with immediate reconstruction", {"mastectomy"}),
        ("Bilateral reduction mammoplasty", {"other_breast_surgery"}),
        ("Mastectomy for gynecomastia", {"other_breast_surgery"}),
        ("Removal of breast implant", {"implant_removal"}),
        ("Mammogram bilateral", {"mammography"}),
        ("MAM DIAG LEFT", {"diagnostic_mammography"}),
        ("MG diagnostic left breast", {"diagnostic_mammography"}),
        ("Magnification views, right", {"diagnostic_mammography"}),
        ("Spot compression views", {"diagnostic_mammography"}),
        ("Mamografía diagnóstica", {"diagnostic_mammography"}),
        ("Diagnostic mammogram after abnormal screening mammogram", {"diagnostic_mammography"}),
        ("Diagnostic mammogram with possible biopsy", {"diagnostic_mammography"}),
        ("Tomosynthesis, screening", {"screening_mammography"}),
        ("Ultrasound of breast", {"breast_ultrasound"}),
        ("MRI breasts", {"breast_mri"}),
        ("6 month follow-up mammogram", {"mammography", "short_interval_follow_up"}),
        ("Short-interval follow-up, left breast", {"short_interval_follow_up"}),
        ("6 month follow-up ultrasound of breast", {"breast_ultrasound"}),
        ("Request outside mammogram images", {"compare_priors"}),
        ("Compare with prior mammograms", {"compare_priors"}),
        ("Breast surgeon consult", {"surgical_consult"}),
        ("Radiation therapy to left breast", {"radiotherapy"}),
        ("Chemotherapy cycle 3", {"chemotherapy"}),
        ("Sentinel node biopsy, right breast", {"other"}),
        ("Aspiration of breast cyst", {"other"}),
        ("Wire localization, left breast", {"other"}),
        ("Clip placement, left breast", {"other"}),
        ("Pre-op visit for breast biopsy", {"other"}),
    ],
)
def test_words_name_the_act_where_no_code_is_known(words: str, acts: set[str]) -> None:
    assert acts_of(procedure(concept(text=words))) == acts
    assert acts_of(procedure(concept(display=words))) == acts


@pytest.mark.parametrize(
    "words",
    [
        "Biopsy",
        "Core needle biopsy of liver",
        "Left kidney biopsy",
        "Biopsy left tonsil",
        "Colon biopsy, history of breast cancer",
        "FNA right thyroid",
        "Left axillary lymph node biopsy",
        "Ultrasound left leg",
        "MRI brain",
        "Referral to surgery",
        "6 month follow-up visit",
        "Radiotherapy lumbar spine",
        "Abnormal screening mammogram",
        "Mammographic calcification found on diagnostic imaging of breast",
        "Mastectomy bra fitting",
        "Discussion of mastectomy",
        "Post-mastectomy visit",
        "Biopsy results discussion, breast",
        "No breast biopsy",
        "Breastfeeding education",
        "Magnesium MG level",
        "Left internal mammary artery graft",
    ],
)
def test_words_of_something_else_are_no_event(words: str) -> None:
    assert not read(procedure(concept(text=words)))[0]


@pytest.mark.parametrize("code", [GENERIC_CORE, (SNOMED, "786883001"), (DICOM, "111490"), (SNOMED, "277592004")])
@pytest.mark.parametrize(
    ("around", "counts"),
    [
        ({}, False),
        ({"bodySite": [concept(LEFT_BREAST)]}, True),
        ({"bodySite": [concept((SNOMED, "76752008"))]}, True),
        ({"bodySite": [concept((SNOMED, "7771000"), text="Left kidney")]}, False),
        ({"bodySite": [concept(text="Liver")], "reasonCode": [concept(text="Breast mass")]}, False),
        ({"reasonCode": [concept(text="Breast calcifications")]}, True),
        ({"reasonCode": [concept(text="Metastatic breast cancer")]}, False),
    ],
)
def test_a_biopsy_code_of_any_organ_needs_a_breast(code: tuple[str, str], around: dict[str, Any], counts: bool) -> None:
    assert acts_of(procedure(concept(code), **around)) == ({"biopsy"} if counts else set())


@pytest.mark.parametrize(
    ("around", "counts"),
    [
        ({}, False),
        ({"bodySite": [concept(LEFT_BREAST)]}, True),
        ({"bodySite": [concept((SNOMED, "78904004"))]}, True),
        ({"bodySite": [concept(text="Left chest wall")]}, True),
        ({"reasonCode": [concept(text="Cancer of left breast")]}, True),
        ({"bodySite": [concept(text="Lumbar spine")], "reasonCode": [concept(text="Cancer of breast")]}, False),
        ({"code": concept(RADIOTHERAPY, text="Radiotherapy lumbar spine")}, False),
    ],
)
def test_radiotherapy_counts_at_the_breast_or_the_chest_wall(around: dict[str, Any], counts: bool) -> None:
    resource = procedure(concept(RADIOTHERAPY)) | around
    assert acts_of(resource) == ({"radiotherapy"} if counts else set())


@pytest.mark.parametrize(
    ("site", "acts"),
    [
        (concept(text="Left axillary lymph node"), set()),
        (concept((SNOMED, "68171009")), set()),
        (concept((SNOMED, "129791004")), set()),
        (concept(text="Axillary tail of left breast"), {"biopsy"}),
    ],
)
def test_a_biopsy_of_the_axilla_is_none_of_the_breast(site: dict[str, Any], acts: set[str]) -> None:
    assert acts_of(procedure(bodySite=[site])) - {"other"} == acts


@pytest.mark.parametrize(
    "resource",
    [
        procedure(concept((LOCAL, "77")), bodySite=[concept(LEFT_BREAST)]),
        procedure(concept(text="History of left mastectomy")),
        appointment("Follow-up of abnormal mammogram"),
    ],
)
def test_a_breast_with_an_act_that_is_not_understood_is_reported(resource: dict[str, Any]) -> None:
    events, unread = read(resource)
    assert not events
    assert unread == [ACT_NOT_UNDERSTOOD]


def test_a_name_that_is_cut_off_before_an_act_is_reported() -> None:
    events, unread = read(order(concept(text="as discussed " * 60 + "breast biopsy")))
    assert not events
    assert unread == [ACT_NOT_UNDERSTOOD]


@pytest.mark.parametrize(
    ("status", "intent", "standing"),
    [
        ("active", "order", "live"),
        ("completed", "order", "live"),
        ("active", "reflex-order", "live"),
        ("on-hold", "order", "on_hold"),
        ("draft", "order", "drafted"),
        ("revoked", "order", "cancelled"),
        ("unknown", "order", "cancelled"),
        ("active", "proposal", "proposed"),
        ("active", "plan", "proposed"),
        ("active", "option", "proposed"),
        ("active", "directive", "proposed"),
        ("active", None, "proposed"),
        ("draft", "proposal", "proposed"),
        ("revoked", "plan", None),
        ("entered-in-error", "order", None),
        (None, "order", None),
    ],
)
def test_an_order_is_live_only_by_status_and_intent(status: str | None, intent: str | None, standing: str) -> None:
    events, unread = read(order(status=status, intent=intent))
    assert [event.standing for event in events] == ([standing] if standing else [])
    assert (STATUS_NOT_KNOWN in unread) == (status is None or intent is None)


@pytest.mark.parametrize(
    ("members", "standing", "reason"),
    [
        ({"reasonCode": [concept(REFUSED)]}, "refused", "declined_by_patient"),
        ({"note": [{"text": "Patient declines biopsy"}]}, "refused", "declined_by_patient"),
        ({"reasonCode": [concept((SNOMED, "183932001"))]}, "contraindicated", "contraindicated"),
        ({"note": [{"text": "Not indicated any more"}]}, "not_indicated", "not_indicated"),
        ({}, "not_done", "unstated"),
        ({"status": "revoked", "reasonCode": [concept(REFUSED)]}, None, None),
        ({"status": "draft", "reasonCode": [concept(REFUSED)]}, None, None),
        ({"intent": "proposal", "reasonCode": [concept(REFUSED)]}, None, None),
    ],
)
def test_an_order_not_to_perform_is_no_order(members: dict[str, Any], standing: str | None, reason: str | None) -> None:
    events, _ = read(order(doNotPerform=True, **members))
    assert [(event.standing, event.reason) for event in events] == ([(standing, reason)] if standing else [])


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("completed", "done"),
        ("in-progress", "under_way"),
        ("preparation", "planned"),
        ("on-hold", "stopped"),
        ("stopped", "stopped"),
        ("unknown", "stopped"),
        ("not-done", "not_done"),
        ("entered-in-error", None),
        (None, None),
    ],
)
def test_a_procedure_stands_by_its_status(status: str | None, standing: str | None) -> None:
    assert [event.standing for event in read(procedure(status=status))[0]] == ([standing] if standing else [])


@pytest.mark.parametrize(
    ("code", "standing", "reason"),
    [
        (REFUSED, "refused", "declined_by_patient"),
        ((SNOMED, "275694009"), "not_done", "lost_to_follow_up"),
        ((SNOMED, "184081006"), "not_done", "moved_away"),
        ((SNOMED, "183932001"), "contraindicated", "contraindicated"),
        ((SNOMED, "183964008"), "not_indicated", "not_indicated"),
        (PUT_OFF, "not_done", "unstated"),
        ((LOCAL, "77"), "not_done", "unstated"),
    ],
)
def test_only_the_patients_own_decision_is_a_refusal(code: tuple[str, str], standing: str, reason: str) -> None:
    event = only(procedure(status="not-done", statusReason=concept(code)))
    assert (event.standing, event.reason) == (standing, reason)


def test_of_a_refusal_and_a_loss_to_follow_up_the_loss_counts() -> None:
    both = concept(REFUSED, (SNOMED, "275694009"))
    assert only(procedure(status="not-done", statusReason=both)).standing == "not_done"


@pytest.mark.parametrize(
    ("note", "standing"),
    [
        ("Patient declined biopsy.", "refused"),
        ("Declined", "refused"),
        ("She refuses the procedure", "refused"),
        ("Patientin lehnt die Biopsie ab", "refused"),
        ("Patient declined sedation, to come back", "not_done"),
        ("Patient declined MRI", "not_done"),
        ("Patient declined the offered date", "not_done"),
        ("Initially declined, now agrees", "not_done"),
        ("Patient has not declined", "not_done"),
        ("Declined by insurance", "not_done"),
        ("Authorization refused", "not_done"),
        ("Wants to postpone; declined for now", "not_done"),
        ("Did not attend", "not_done"),
        ("Transport problems", "not_done"),
        ("Contraindicated while anticoagulated", "contraindicated"),
    ],
)
def test_words_refuse_only_where_the_patient_refuses_this_act(note: str, standing: str) -> None:
    assert only(procedure(status="not-done", note=[{"text": note}])).standing == standing


def test_a_refused_mammogram_is_the_diagnostic_one_that_was_not_done() -> None:
    resource = procedure(concept((LOINC, "26347-5")), status="not-done", note=[{"text": "declined mammogram"}])
    assert only(resource).standing == "refused"


def test_a_marker_says_that_a_completed_procedure_was_not_done() -> None:
    event = only(procedure(concept(NOT_DONE_MARKER, text="Stereotactic biopsy left breast")))
    assert (event.acts, event.standing) == (frozenset({"biopsy"}), "not_done")


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("booked", "booked"),
        ("pending", "booked"),
        ("arrived", "booked"),
        ("checked-in", "booked"),
        ("waitlist", "requested"),
        ("proposed", "requested"),
        ("noshow", "missed"),
        ("cancelled", "cancelled"),
        ("fulfilled", "kept"),
        ("entered-in-error", None),
        (None, None),
    ],
)
def test_an_appointment_stands_by_its_status(status: str | None, standing: str | None) -> None:
    events, _ = read(appointment("Mammogram left", status=status))
    assert [event.standing for event in events] == ([standing] if standing else [])


@pytest.mark.parametrize("member", ["cancelationReason", "cancellationReason"])
def test_a_patients_cancellation_is_no_refusal(member: str) -> None:
    reason = concept(("http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "pat-lt"))
    event = only(appointment("Breast biopsy left", status="cancelled", **{member: reason}))
    assert (event.standing, event.reason) == ("cancelled", "appt_cancelled_by_patient")


BASED = [{"reference": "https://fhir.example/ServiceRequest/o1/_history/2"}]


@pytest.mark.parametrize(
    ("description", "ordered", "acts", "side"),
    [
        (None, "left", {"biopsy"}, "left"),
        ("Room 4", "left", {"biopsy"}, "left"),
        ("Breast biopsy", "left", {"biopsy"}, "left"),
        ("Mammogram right", "left", {"mammography"}, "right"),
        ("Pre-op visit", "left", set(), None),
        ("Consent", "left", set(), None),
    ],
)
def test_an_appointment_takes_from_its_order_what_it_does_not_say(
    description: str | None, ordered: str, acts: set[str], side: str | None
) -> None:
    request = order(bodySite=[concept(LEFT_BREAST if ordered == "left" else RIGHT_BREAST)])
    events = [
        event for event in read(request, appointment(description, basedOn=BASED))[0] if event.kind == "appointment"
    ]
    assert {str(act) for event in events for act in event.acts} == acts
    assert [event.laterality for event in events] == ([side] if side else [])
    assert all(event.based_on == ("ServiceRequest/o1",) for event in events)


@pytest.mark.parametrize(
    ("reason", "acts"),
    [
        (concept(text="Stereotactic biopsy left breast"), {"biopsy"}),
        (concept(text="Abnormal mammogram"), set()),
        (concept(text="Mammogram results"), set()),
        (concept((ICD, "R92.0"), display="Mammographic microcalcification found on diagnostic imaging"), set()),
    ],
)
def test_a_reason_is_an_act_only_where_it_names_nothing_else(reason: dict[str, Any], acts: set[str]) -> None:
    assert acts_of(appointment(reasonCode=[reason])) == acts


def test_the_reason_of_a_booking_tells_a_side_that_nothing_else_tells() -> None:
    reason = [concept(text="Calcifications right breast")]
    assert only(appointment("Breast biopsy", reasonCode=reason)).laterality == "right"


@pytest.mark.parametrize(
    ("status", "standing"),
    [("requested", "requested"), ("in-progress", "requested"), ("completed", "done"), ("rejected", "cancelled")],
)
def test_a_task_for_prior_images_is_a_request(status: str, standing: str) -> None:
    event = only(task("Request prior mammograms from outside", status=status))
    assert (event.kind, event.acts, event.standing) == ("request", {"compare_priors"}, standing)


def test_a_task_is_proof_of_no_biopsy_and_tells_its_refusal() -> None:
    assert not read(task("Breast biopsy left", status="completed"))[0]
    assert not read(task("Breast biopsy left", status="rejected"))[0]
    refused = task("Breast biopsy left", status="rejected", statusReason=concept(REFUSED))
    assert only(refused).standing == "refused"


@pytest.mark.parametrize(
    ("topic", "status", "standing"),
    [
        ("Request for prior mammograms", "completed", "requested"),
        ("Request for prior mammograms", "not-done", None),
        ("Breast biopsy scheduled", "completed", None),
        ("Mammogram result letter", "completed", None),
    ],
)
def test_what_was_sent_proves_nothing(topic: str, status: str, standing: str | None) -> None:
    sent = {"resourceType": "Communication", "id": "m1", "status": status, "topic": concept(text=topic)}
    assert [event.standing for event in read(sent)[0]] == ([standing] if standing else [])


@pytest.mark.parametrize(
    ("code", "text", "acts", "standing"),
    [
        ("Z53.20", "Patient declined stereotactic biopsy, left breast", {"biopsy"}, "refused"),
        ("Z53.29", "Left breast biopsy", {"biopsy"}, "refused"),
        ("Z53.20", "Declined screening mammogram", {"screening_mammography"}, "refused"),
        ("Z53.20", "Declined breast biopsy, but wants a mammogram in 6 months", {"biopsy"}, "refused"),
        ("Z53.09", "Breast biopsy left", {"biopsy"}, "contraindicated"),
        ("Z53.8", "Breast biopsy left", {"biopsy"}, "not_done"),
        ("Z53.20", "Declined influenza vaccination", set(), None),
        ("Z53.20", None, set(), None),
        ("C50.912", "Left breast biopsy declined", set(), None),
    ],
)
def test_a_condition_refuses_what_it_names(code: str, text: str | None, acts: set[str], standing: str | None) -> None:
    events, _ = read(condition(code, text))
    assert {str(act) for event in events for act in event.acts} == acts
    assert [event.standing for event in events] == ([standing] if standing else [])


@pytest.mark.parametrize(
    "members",
    [{"verificationStatus": concept((LOCAL, "entered-in-error"))}, {"clinicalStatus": concept((LOCAL, "resolved"))}],
)
def test_a_condition_that_does_not_hold_refuses_nothing(members: dict[str, Any]) -> None:
    assert not read(condition("Z53.20", "Declined biopsy of left breast", **members))[0]


SIDE_EXTENSION = {
    "url": "http://hl7.org/fhir/us/breast-radiology/StructureDefinition/BreastLateralityExtension",
    "valueCodeableConcept": concept(("http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE", "RDE1588_right")),
}


@pytest.mark.parametrize(
    ("members", "side", "differs"),
    [
        ({"code": concept((LOINC, "26347-5"))}, "left", False),
        ({"code": concept((CPT, "77066"))}, "bilateral", False),
        ({"bodySite": [concept(RIGHT_BREAST)]}, "right", False),
        ({"bodySite": [concept(LEFT_BREAST), concept(RIGHT_BREAST)]}, "bilateral", False),
        ({"extension": [SIDE_EXTENSION]}, "right", False),
        ({"code": concept(STEREOTACTIC, text="Stereotactic biopsy, left breast")}, "left", False),
        ({"code": concept(STEREOTACTIC, text="Left and right breast biopsy")}, "bilateral", False),
        ({"code": concept(text="Breast biopsy R breast")}, "right", False),
        ({"code": concept(text="Biopsie linke Brust")}, "left", False),
        ({}, "unknown", False),
        ({"code": concept((LOINC, "26347-5")), "bodySite": [concept(RIGHT_BREAST)]}, "unknown", True),
        ({"bodySite": [concept(LEFT_BREAST)], "extension": [SIDE_EXTENSION]}, "unknown", True),
        ({"code": concept(STEREOTACTIC, text="Biopsy right"), "bodySite": [concept(LEFT_BREAST)]}, "unknown", True),
        ({"code": concept(text="Right breast biopsy, patient in left decubitus")}, "unknown", True),
    ],
)
def test_a_side_is_taken_only_where_all_that_name_one_agree(members: dict[str, Any], side: str, differs: bool) -> None:
    events, unread = read(order(**members))
    assert [event.laterality for event in events] == [side]
    assert [event.place.laterality for event in events] == [side]
    assert (SIDES_DIFFER in unread) == differs


def test_a_body_site_gives_its_place_also_to_the_booking() -> None:
    quadrant = {
        "url": "quadrant",
        "valueCodeableConcept": concept(
            ("http://hl7.org/fhir/us/breast-radiology/CodeSystem/RadLexCDE", "RDE1563_upperOuter")
        ),
    }
    request = order(bodySite=[concept(LEFT_BREAST) | {"extension": [quadrant]}])
    events, _ = read(request, appointment("Biopsy left breast", basedOn=BASED))
    assert [(event.place.laterality, event.place.quadrant) for event in events] == [("left", "upper_outer")] * 2


@pytest.mark.parametrize(
    ("resource", "days", "end", "planned"),
    [
        (procedure(performedDateTime="2026-11-03T23:30:00-05:00"), "2026-11-03", None, None),
        (procedure(performedDateTime=None, performedPeriod={"start": "2026-01-02", "end": "2026-02-03"}),
         "2026-01-02", "2026-02-03", None),
        (procedure(performedDateTime=None, occurrenceDateTime="2026-11-03"), "2026-11-03", None, None),
        (procedure(performedDateTime=None, occurrencePeriod={"start": "2026-10"}), "2026-10", None, None),
        (procedure(performedDateTime=None, performedPeriod={"end": "2026-02-03"}), None, "2026-02-03", None),
        (procedure(performedDateTime="2026"), "2026", None, None),
        (procedure(performedDateTime=None), None, None, None),
        (procedure(performedDateTime="last week"), None, None, None),
        (procedure(status="preparation", performedDateTime="2026-12-24"), None, None, "2026-12-24"),
        (order(occurrenceDateTime="2027-05"), "2026-11-03", None, "2027-05"),
        (order(occurrencePeriod={"start": "2026-12-01", "end": "2026-12-09"}),
         "2026-11-03", None, "2026-12-01/2026-12-09"),
        (order(occurrencePeriod={"end": "2026-12-09"}), "2026-11-03", None, "2026-12-09"),
        (order(occurrencePeriod={"start": "2026-12-09", "end": "2026-12-01"}), "2026-11-03", None, "2026-12-09"),
        (appointment("Mammogram", start="2027-02-01T23:30:00-05:00"), "2027-02-01", None, None),
    ],
)  # fmt: skip
def test_days_are_those_the_sender_wrote(
    resource: dict[str, Any], days: str | None, end: str | None, planned: str | None
) -> None:
    event = only(resource)
    assert tuple(str(item) if item else None for item in (event.days, event.end, event.planned)) == (days, end, planned)


@pytest.mark.parametrize("resource", [procedure(performedDateTime="2026-11-22"), order(authoredOn="2027")])
def test_what_is_dated_after_today_has_not_happened(resource: dict[str, Any]) -> None:
    events, unread = read(resource)
    assert not events
    assert unread == [AFTER_TODAY]


def test_tomorrow_may_be_today_where_the_sender_is() -> None:
    assert str(only(procedure(performedDateTime="2026-11-21T03:00:00+11:00")).days) == "2026-11-21"


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (procedure(concept(STEREOTACTIC, text="Stereo bx L", display="Stereotactic biopsy")), "Stereo bx L"),
        (procedure(concept(STEREOTACTIC, display="Stereotactic biopsy")), "Stereotactic biopsy"),
        (procedure(), "biopsy"),
        (appointment("MG diagnostic left breast"), "MG diagnostic left breast"),
        (procedure(concept(STEREOTACTIC, text="x" * 900)), "x" * 200),
    ],
)
def test_an_event_is_called_what_it_calls_itself(resource: dict[str, Any], text: str) -> None:
    assert only(resource).text == text


def test_r5_shapes_say_the_same_as_r4() -> None:
    ordered = order(code={"concept": concept((LOINC, "24603-3"))}, reason=[{"concept": concept((ICD, "R92.0"))}])
    booked = appointment(
        serviceType=[{"concept": concept(text="Stereotactic biopsy left breast")}],
        reason=[{"concept": concept(text="Calcifications")}],
    )
    done = procedure(concept(GENERIC_CORE), reason=[{"concept": concept(text="Breast mass")}])
    assert [acts_of(item) for item in (ordered, booked, done)] == [{"biopsy"}] * 3


CHART = (
    order(bodySite=[concept(LEFT_BREAST)]),
    order(id="o2", code=concept((LOINC, "26347-5")), bodySite=[concept(RIGHT_BREAST)]),
    appointment(basedOn=BASED),
    appointment("Mammogram right", id="a2", status="noshow"),
    procedure(concept(text="Left lumpectomy")),
    procedure(id="p2", status="not-done", statusReason=concept(REFUSED)),
    procedure(concept(text="Appendectomy"), id="p3"),
    task("Request prior mammograms"),
    condition("Z53.20", "Declined breast biopsy, right"),
)


@given(st.permutations(CHART), st.integers(0, len(CHART)))
@settings(max_examples=30, deadline=None)
def test_the_order_and_number_of_arrivals_change_nothing(chart: list[dict[str, Any]], again: int) -> None:
    def bare(*resources: dict[str, Any]) -> list[Any]:
        return [{name: getattr(event, name) for name in event.__struct_fields__ if name != "path"}
                for event in read(*resources)[0]]  # fmt: skip

    assert bare(*chart, *chart[:again]) == bare(*CHART)


MEMBERS = sorted({name for resource in CHART for name in resource} - {"resourceType", "id"})
ODD = st.sampled_from([None, [], {}, "", "x", 3, [None], [{}], {"coding": [{}]}, {"coding": None, "text": "biopsy"}])


@given(st.sampled_from(CHART), st.dictionaries(st.sampled_from(MEMBERS), ODD, max_size=6))
@settings(max_examples=150, deadline=None)
def test_odd_members_never_raise(resource: dict[str, Any], odd: dict[str, Any]) -> None:
    events, _ = read(resource | odd)
    assert len(events) <= 1


@given(st.sampled_from(CHART), st.sampled_from(MEMBERS))
@settings(max_examples=60, deadline=None)
def test_a_member_that_is_missing_never_makes_an_event_live_or_done(resource: dict[str, Any], member: str) -> None:
    proofs = {"live", "done", "booked", "refused"}
    before = {event.standing for event in read(resource)[0]} & proofs
    after = {event.standing for event in read({key: item for key, item in resource.items() if key != member})[0]}
    assert after & proofs <= before


@pytest.mark.parametrize(
    "words", ["breast biopsy of ", "prior ", "left right ", "a\u00a0", "6 month ", "mg ", "needle ", "clip "]
)
def test_hostile_texts_are_read_in_time(words: str) -> None:
    text = words * 20_000
    started = time.perf_counter()
    read(procedure(concept(text=text), status="not-done", note=[{"text": text}], reasonCode=[concept(text=text)]))
    assert time.perf_counter() - started < 1


def test_unrelated_procedures_cost_little() -> None:
    unrelated = concept((SNOMED, "35025007"), text="Manual pelvic examination")
    entries = read_entries(Located(f"$.entry[{number}]", procedure(unrelated, id=str(number))) for number in range(400))
    assert not read_events(entries, TERMINOLOGY, TODAY)
    started = time.perf_counter()
    read_events(entries, TERMINOLOGY, TODAY)
    assert time.perf_counter() - started < 0.05


def test_the_days_of_a_chart_are_ranges() -> None:
    assert only(order(authoredOn="2026-05")).days == written_days("2026-05")


@pytest.mark.parametrize(
    ("resource", "side", "conflict"),
    [
        (order(concept((CPT, "19081-LT"))), "left", False),
        (order(concept((CPT, "19081"), (CPT, "RT"))), "right", False),
        (order(concept(STEREOTACTIC), orderDetail=[{"text": "Left breast"}]), "left", False),
        (order(concept(STEREOTACTIC), orderDetail=[{"parameter": [{"valueString": "LT"}]}]), "left", False),
        (order(concept(STEREOTACTIC), bodySite=[{"text": "L"}]), "left", False),
        (order(concept(STEREOTACTIC), reasonCode=[concept((ICD, "N63.21"))]), "left", False),
        (order(concept(STEREOTACTIC), reasonCode=[{"text": "left breast calcifications"}]), "left", False),
        (order(concept(STEREOTACTIC), note=[{"text": "Left side, please call the patient."}]), "left", False),
        (order(concept(STEREOTACTIC, text="Biopsy right breast"), orderDetail=[{"text": "Left"}]), "unknown", True),
        (order(concept(STEREOTACTIC, text="Biopsy right breast"), reasonCode=[{"text": "left pain"}]), "right", False),
        (order(concept(text="MAM BX STEREO LT")), "left", False),
    ],
)
def test_a_side_is_read_wherever_senders_put_it(resource: dict[str, Any], side: str, conflict: bool) -> None:
    event = only(resource)
    assert (event.acts, event.laterality, event.conflict) == (frozenset({Act.BIOPSY}), side, conflict)


@pytest.mark.parametrize(
    "text",
    [
        "Hold anticoagulation before right breast biopsy",
        "Request outside films prior to right breast biopsy",
        "Anesthesia for right breast biopsy",
        "Time-out before right breast biopsy",
        "INR before right breast biopsy",
    ],
)
def test_what_is_done_around_a_biopsy_is_no_biopsy(text: str) -> None:
    events, _ = read(order(concept(text=text)))
    assert not [event for event in events if Act.BIOPSY in event.acts]
