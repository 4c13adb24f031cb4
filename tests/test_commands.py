"""The command line as a person uses it: files or standard input in, one answer for each input in its place, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4b_model
from typer.testing import CliRunner, Result

from main import cli

ROOT = Path(__file__).parents[1]
REQUEST = ROOT / "docs" / "examples" / "patient-view.json"
SERVICE = "calcification-patient-view"


def run(*arguments: str | Path, given: str = "") -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=given)


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_decide_answers_each_case_in_its_place_and_a_fault_by_its_field() -> None:
    cases = ('{"case_id":"a","morphology":"amorphous"}', '{"morphology":"starry"}', "not json", '{"case_id":"d"}')
    result = run("decide", given="\n".join(cases))
    first, second, third, fourth = lines(result)
    assert result.exit_code == 1
    assert (first["case_id"], fourth["case_id"]) == ("a", "d")
    assert "morphology: may be" in str(second["issue"])
    assert "line 3" in str(third["issue"])


def test_the_last_finding_of_a_report_carries_the_most_urgent_recommendation() -> None:
    given = (
        '[{"report_id":"r","morphology":"fine_pleomorphic","distribution":"grouped"},'
        '{"report_id":"r","morphology":"vascular"}]'
    )
    first, last = lines(run("decide", given=given))
    assert "report_recommendation" not in first
    assert last["report_recommendation"] == first["recommendation"] == "diagnostic_mammogram"


def test_read_shows_the_evidence_of_what_was_read() -> None:
    (reading,) = lines(run("read", REQUEST))
    exams = reading["exams"]
    assert isinstance(exams, list)
    (finding,) = exams[0]["findings"]
    assert (finding["morphology"], finding["distribution"]) == (["fine_pleomorphic"], ["segmental"])
    assert {"resource", "path", "text"} <= set(finding["evidence"][0])


def test_call_answers_as_the_server_would() -> None:
    result = run("call", SERVICE, REQUEST, "--today", "2026-11-24")
    (answer,) = lines(result)
    assert result.exit_code == 0
    assert isinstance(answer["cards"], list)
    assert answer["cards"][0]["summary"].startswith("Right breast: consider image-guided biopsy")


def test_call_draws_the_card_for_people() -> None:
    shown = run("call", SERVICE, REQUEST, "--pretty").stdout
    assert "Right breast: consider image-guided biopsy" in shown
    assert "[ Draft order:" in shown


def test_the_readme_shows_the_card_that_its_request_gets() -> None:
    (answer,) = lines(run("call", SERVICE, REQUEST))
    assert isinstance(answer["cards"], list)
    (card,) = answer["cards"]
    readme = (ROOT / "README.md").read_text()
    decision = card["extension"]["org.fleck.decision"]
    for shown in (card["summary"], card["indicator"], card["suggestions"][0]["label"], *decision["rules"]):
        assert f'"{shown}"' in readme
    assert card["detail"].startswith(readme.partition('"detail": "')[2].partition(" ...")[0].rstrip(":"))


TIMELINES = ROOT / "tests" / "timelines"


def timeline_of(name: str) -> dict[str, Any]:
    (path,) = TIMELINES.glob(f"{name}-*.json")
    today = json.loads(path.read_text())["today"]
    result = run("timeline", path, "--today", today, "--json")
    assert result.exit_code == 0
    (timeline,) = lines(result)
    return timeline


def test_a_timeline_tells_exams_and_events_in_order_and_every_loop() -> None:
    timeline = timeline_of("u75")
    dates = [entry["date"] for entry in timeline["entries"] if "date" in entry]
    assert dates == sorted(dates)
    assert {entry["kind"] for entry in timeline["entries"]} == {"exam", "procedure", "pathology"}
    (loop,) = timeline["loops"]
    assert (loop["laterality"], loop["state"], loop["shown"]) == ("left", "under_care", False)
    assert loop["case"]["biopsy_result"] == "malignant"


def test_a_timeline_says_what_became_of_earlier_recommendations() -> None:
    earlier = [loop for loop in timeline_of("u06")["loops"] if loop["state"] in ("superseded", "resulted")]
    assert [(loop["recommendation"], loop["closed_by"]) for loop in earlier] == [
        ("diagnostic_mammogram", "DiagnosticReport/r2")
    ]


def test_a_timeline_is_drawn_for_people() -> None:
    (path,) = TIMELINES.glob("u75-*.json")
    shown = run("timeline", path, "--today", "2026-06-15").stdout
    for words in (
        "Chart on 2026-06-15",
        "exam: diagnostic mammography, category 4C",
        "specialist",
        "under care",
    ):
        assert words in shown
    assert run("timeline", given="not json").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "given", "complaint"),
    [
        (("call", "unknown-service"), "{}", "no service unknown-service"),
        (("call", SERVICE), "{}", "hookInstance is missing"),
        (("decide",), "{", "not JSON at line 1, column 2"),
        (("decide",), '{"age": 40, "age": 60}', "a name occurs twice"),
    ],
)
def test_what_cannot_be_answered_says_why_and_exits_with_1(
    arguments: tuple[str, ...], given: str, complaint: str
) -> None:
    result = run(*arguments, given=given)
    assert result.exit_code == 1
    assert complaint in result.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("decide", "nowhere.json"), "nowhere.json: No such file"),
        (("evaluate", "cbis", "README.md"), "README.md: line 1: no column"),
        (("call", SERVICE, "-", "--today", "yesterday"), "--today"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLECK_POLICY", '{"S2": "7"}')
    result = run("read", REQUEST)
    assert result.exit_code == 2
    assert "S2 may be 3, 2" in result.stderr


def test_check_finds_nothing_in_our_own_example_and_names_a_fault_in_another() -> None:
    assert run("check", REQUEST).exit_code == 0
    result = run("check", "-", "--json", given='{"resourceType": "Observation", "status": "final"}')
    assert result.exit_code == 1
    assert lines(result)[0]["issue"] == [
        {
            "severity": "error",
            "code": "required",
            "details": {"text": "required, and not there"},
            "diagnostics": "checked as FHIR R4",
            "expression": ["Observation.code"],
        }
    ]


@pytest.mark.parametrize(
    "given", ['{"resourceType": "Patient"}', '{"resourceType": "Observation", "x": 1}', "not json"]
)
@pytest.mark.parametrize("model", [r4b_model, r5_model], ids=["R4B", "R5"])
def test_check_answers_with_an_operation_outcome_that_is_itself_in_order(given: str, model: Callable[..., Any]) -> None:
    (outcome,) = lines(run("check", "-", "--json", given=given))
    model("OperationOutcome").model_validate(outcome)


def test_check_tells_r5_by_an_entry_of_a_bundle() -> None:
    examples = ROOT / "tests" / "fhir_models" / "examples"
    r5 = examples / "51-r5-collection-report-bodystructure-order.json"
    assert run("check", r5).exit_code == 0
    result = run("check", r5, "--fhir", "R4", "--json")
    assert result.exit_code == 1
    assert "checked as FHIR R4" in result.stdout


def test_check_takes_json_lines_and_names_the_document() -> None:
    given = '{"resourceType": "Patient"}\n{"resourceType": "Observation"}\nnot json'
    assert len(lines(run("check", "-", "--json", given=given))) == 3
    shown = run("check", "-", given=given).stdout
    assert "-: nothing found" in shown
    assert "-, document 2:" in shown
    assert "line 3" in shown


def test_check_draws_unknown_codes_in_one_row() -> None:
    shown = run("check", ROOT / "tests" / "fhir_models" / "nonconforming" / "bundle.json").stdout
    assert "urn:oid:1.2.3: KALK-7" in shown
    assert "Ada" not in shown


def test_evaluate_prints_its_tables_and_whose_the_data_is() -> None:
    lesions = ROOT / "tests" / "rules" / "cbis" / "lesions.csv"
    assert "Lee RS" in run("evaluate", "cbis", lesions).stdout
    (report,) = lines(run("evaluate", "cbis", lesions, "--json"))
    assert "CC BY 3.0" in str(report["attribution"])
