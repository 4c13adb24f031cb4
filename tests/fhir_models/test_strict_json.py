"""A document is read whole or refused with the place of the fault; nothing is dropped, nothing quoted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_models.strict_json import MAX_DEPTH, JsonError, parse_json

REFUSED = [
    (b"", "empty"),
    (b" \n\t", "empty"),
    (b"\xef\xbb\xbf{}", "byte order mark"),
    ("{}".encode("utf-16"), "byte order mark"),
    ('{"a": 1}'.encode("utf-16-le"), "not UTF-8"),
    ('{"a": 1}'.encode("utf-32-be"), "not UTF-8"),
    (b'{"a":\n "\xff"}', r"not UTF-8 at line 2, column 3 \(byte 8\)"),
    (b'{"a": "\xed\xa0\x80"}', "not UTF-8 at line 1, column 8"),
    (b'{"a": NaN}', r"line 1, column 7 \(byte 6\)"),
    (b"[Infinity]", "line 1, column 2"),
    (b"[-Infinity]", "line 1, column"),
    (b'{"a":\n  1e400}', "line 2, column 3.*infinity"),
    (b"[" + b"9" * 400 + b"]", "infinity"),
    (rb'["\ud800"]', "surrogate"),
    (rb'["\udc00\ud800"]', "surrogate"),
    (b'{"a": 1,}', "trailing comma"),
    (b'{"a": 1} x', "unexpected content after document"),
    (b'{"a": 1}{"a": 1}', "unexpected content after document"),
    (b"{'a': 1}", "line 1, column 2"),
    (b"// no\n{}", "line 1, column 1"),
    (b'["tab\t"]', "control character"),
    (b"[01]", "leading zero"),
    (b'{"a": tru', "line 1, column"),
    ('{"é": 1,\n"é": x}'.encode(), r"line 2, column 6 \(byte 16\)"),
    (b'{"a": 1,\n "a": 2}', "a name occurs twice in one object, before line 2, column"),
    (b'{"a" : 1, "a"\n:\t2}', "a name occurs twice"),
    (rb'{"a": 1, "\u0061": 2}', "a name occurs twice"),
    (rb'{"a": {"b":1}, "a": "\u003a"}', "a name occurs twice"),
    (rb'{"a": ":", "a": "\u003A\\u003a"}', "a name occurs twice"),
    (b"[" * 300 + b'{"a":1,"a":2}' + b"]" * 300, "nested deeper"),
    (b"[" * (MAX_DEPTH - 1) + b'{"a":1,"a":2}' + b"]" * (MAX_DEPTH - 1), "a name occurs twice"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_a_faulty_document_is_refused_with_the_place_of_the_fault(data: bytes, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        parse_json(data)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":['])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1024, 5_000_000])
def test_a_nesting_bomb_is_refused_and_never_a_recursion_error(opening: bytes, depth: int) -> None:
    closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'"a:')[::-1]
    with pytest.raises(JsonError, match=r"nested deeper|not JSON"):
        parse_json(opening * depth + b"1" + closing * depth)
    with pytest.raises(JsonError):
        parse_json(opening * depth)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_deepest_document_allowed_is_read(opening: bytes, closing: bytes) -> None:
    assert parse_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)


@pytest.mark.parametrize(
    "data",
    [
        b'{"Lovelace": 1, "Lovelace": 2}',
        b'{"Lovelace": Lovelace}',
        b'{"Lovelace": 1} Lovelace',
        b'{"Lovelace": "Lovelace\xff"}',
        rb'{"Lovelace": "Lovelace\ud800"}',
        b'"Lovelace',
        b'["Lovelace", ' + b"[" * 300 + b'"Lovelace"' + b"]" * 301,
    ],
)
def test_no_message_quotes_the_document(data: bytes) -> None:
    """Error texts reach logs and answers; names and values of a patient must not."""
    with pytest.raises(JsonError) as caught:
        parse_json(data)
    assert "Lovelace" not in str(caught.value)


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.sampled_from('ab:"\\/ \t\n{}[],é😀\x00') | st.characters(exclude_categories=["Cs"]), max_size=6)
DOCUMENTS = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
LAYOUTS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 1, 2, "\t"]),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " \n:\t")]),
    }
)


@given(document=DOCUMENTS, layout=LAYOUTS)
def test_a_clean_document_is_read_as_written_in_any_layout(document: object, layout: dict[str, object]) -> None:
    assert parse_json(json.dumps(document, **layout).encode()) == document


class Members:
    """An object's members as a list of pairs, so that a name can stand twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


TREES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.tuples(st.sampled_from(["a", ":", '"', "é"]), inner), max_size=3).map(Members)
    ),
    max_leaves=12,
)


def write(tree: object, *, escape: bool, colon: str) -> str:
    if isinstance(tree, Members):
        members = [
            write(name, escape=escape, colon=colon) + colon + write(value, escape=escape, colon=colon)
            for name, value in tree.pairs
        ]
        return "{" + ",".join(members) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(write(item, escape=escape, colon=colon) for item in tree) + "]"
    if isinstance(tree, str) and escape:
        return '"' + "".join(f"\\u{unit:04x}" for unit in _utf16_units(tree)) + '"'
    return json.dumps(tree)


def _utf16_units(text: str) -> list[int]:
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2)]


def has_duplicate(tree: object) -> bool:
    if isinstance(tree, Members):
        names = [name for name, _ in tree.pairs]
        return len(names) != len(set(names)) or any(has_duplicate(value) for _, value in tree.pairs)
    return isinstance(tree, list) and any(has_duplicate(item) for item in tree)


@given(tree=TREES, escape=st.booleans(), colon=st.sampled_from([":", " :", ": ", "\n:\t"]))
def test_a_document_is_refused_exactly_when_a_name_occurs_twice(tree: object, escape: bool, colon: str) -> None:
    data = write(tree, escape=escape, colon=colon).encode()
    if has_duplicate(tree):
        with pytest.raises(JsonError, match="a name occurs twice"):
            parse_json(data)
    else:
        parse_json(data)
