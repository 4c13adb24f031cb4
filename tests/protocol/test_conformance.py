"""The table of requirements is whole, every claim names tests that exist, and the page says what the table says."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.protocol.conformance import PAGE, ROOT, Row, page, read_table

LAST_ROW = 112
SECTIONS = read_table()
ROWS = [row for section in SECTIONS for row in section.row]
NAMED_FILES = re.compile(r"`([a-z_]+(?:/[a-z_.]+)+)`")


@cache
def functions_testing_in(path: Path) -> frozenset[str]:
    """Return the test functions of a file, those left out that are always skipped: they show nothing."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    assigned = [one for one in module.body if isinstance(one, ast.Assign)]
    skips = {ast.unparse(name) for one in assigned if _is_skip(one.value) for name in one.targets}
    return frozenset(
        one.name
        for one in module.body
        if isinstance(one, ast.FunctionDef)
        and one.name.startswith("test_")
        and not any(_is_skip(mark) or ast.unparse(mark) in skips for mark in one.decorator_list)
    )


def _is_skip(mark: ast.expr) -> bool:
    return ast.unparse(mark).startswith("pytest.mark.skip(")


def test_every_requirement_has_one_row_in_order() -> None:
    assert [row.row for row in ROWS] == list(range(1, LAST_ROW + 1))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_a_row_says_how_it_is_met_or_why_not(row: Row) -> None:
    assert bool(row.how) == (row.state == "met")
    assert bool(row.why) == (row.state != "met")
    assert row.level and row.requirement


@pytest.mark.parametrize("row", [row for row in ROWS if row.state == "met"], ids=lambda row: row.row)
def test_a_row_without_a_test_is_not_met(row: Row) -> None:
    assert row.tests


@pytest.mark.parametrize("row", [row for row in ROWS if row.tests], ids=lambda row: row.row)
def test_every_named_test_exists(row: Row) -> None:
    for test in row.tests:
        file, _, name = test.partition("::")
        assert name in functions_testing_in(ROOT / file), test


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_every_named_file_exists(row: Row) -> None:
    for name in NAMED_FILES.findall(row.how or row.why or ""):
        assert (ROOT / name).is_file(), name


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(SECTIONS)
