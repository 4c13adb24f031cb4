"""Which URLs lie below a base, for any URL: what is followed has the base's origin and path, also as others parse it."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_client.base_url import BaseUrl, read_base_url, registered
from cds_service.fhir_client.query import fill

BASE = BaseUrl("https://ehr.example.org", "/fhir/r4")

pieces = st.sampled_from(
    ["https:", "HTTP:", "//", "/", "\\", "ehr.example.org", "EHR.example.org", "evil.example", "@", ":", ":443", ":8443",
     "fhir", "r4", "R4", "..", ".", "%2e", "%2E%2e", "%252e", "%2f", "%5c", ";", "?", "#", "%00", "%", "x", "ﬀ", "。", " ",
     "\t", "\n", "[", "]", "::1", "user", "\u200b"]
)  # fmt: skip
hostile_urls = st.one_of(
    st.lists(pieces, max_size=12).map("".join),
    st.lists(pieces, max_size=8).map(lambda parts: "https://ehr.example.org/fhir/r4/" + "".join(parts)),
    st.text(max_size=40),
)


@given(hostile_urls)
def test_what_is_followed_is_below_the_base_as_every_parser_sees_it(url: str) -> None:
    followed = BASE.below(url)
    if followed is None:
        return
    parts = urlsplit(followed)
    assert (parts.scheme, parts.netloc) == ("https", "ehr.example.org")
    path = parts.path
    for _ in range(5):
        assert path == "/fhir/r4" or path.startswith("/fhir/r4/")
        assert "\\" not in path
        assert ".." not in [step.partition(";")[0] for step in path.split("/")]
        path = unquote(path)
    assert followed.isascii()
    assert followed.isprintable()
    assert "#" not in followed


@given(hostile_urls)
def test_to_follow_what_was_followed_changes_nothing(url: str) -> None:
    followed = BASE.below(url)
    if followed is not None:
        assert BASE.below(followed) == followed


segments = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="-_~"), min_size=1, max_size=8
)


@given(st.lists(segments, max_size=4), st.dictionaries(segments, st.text(max_size=10), max_size=3))
def test_a_plain_link_below_the_base_is_followed_as_it_is(path: list[str], parameters: dict[str, str]) -> None:
    search = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    link = "/".join([str(BASE), *path]) + (f"?{search}" if search else "")
    assert BASE.below(link) == link


@given(st.text(max_size=20))
def test_a_value_in_a_query_stays_one_value(value: str) -> None:
    """Through filling, checking and a server's decoding; separators of FHIR's own syntax come out escaped."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    query = fill("Observation?patient={{context.patientId}}&category=imaging", {"patientId": value})
    if not value:
        assert query is None
        return
    asked = BASE.below(query or "")
    assert asked is not None
    parts = urlsplit(asked)
    assert parts.path == "/fhir/r4/Observation"
    (name, sent), category = parse_qsl(parts.query, keep_blank_values=True)
    assert (name, category) == ("patient", ("category", "imaging"))
    escapes = {"\\": "\\\\", ",": "\\,", "|": "\\|", "$": "\\$"}
    assert sent == "".join(escapes.get(character, character) for character in value)


@given(st.text(max_size=20))
def test_a_value_in_a_path_stays_one_step_or_is_not_asked(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    query = fill("Patient/{{context.patientId}}", {"patientId": value})
    asked = BASE.below(query) if query else None
    if asked is not None:
        assert unquote(urlsplit(asked).path).removeprefix("/fhir/r4/Patient/") == value


SAME = [
    ("https://ehr.example.org/fhir/r4", "https://ehr.example.org/fhir/r4"),
    ("https://ehr.example.org/fhir/r4", "https://ehr.example.org/fhir/r4/"),
    ("https://ehr.example.org/fhir/r4", "HTTPS://EHR.Example.ORG:443/fhir/r4"),
    ("https://ehr.example.org", "https://ehr.example.org/"),
    ("https://ehr.example.org:8443/r4", "https://ehr.example.org:8443/r4/"),
    ("http://localhost:8080/fhir", "http://LOCALHOST:8080/fhir/"),
    ("http://127.0.0.1/fhir", "http://127.0.0.1:80/fhir"),
    ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir"),
    ("https://klinik-münchen.example/r4", "https://xn--klinik-mnchen-3ob.example/r4"),
]


@pytest.mark.parametrize(("written", "sent"), SAME)
def test_one_server_in_other_letters_is_the_same(written: str, sent: str) -> None:
    assert registered(sent, [written]) == read_base_url(written) is not None


OTHER = [
    "https://ehr.example.org/fhir",
    "https://ehr.example.org/fhir/R4",
    "https://ehr.example.org/fhir/r4/x",
    "https://ehr.example.org/fhir/r44",
    "https://ehr.example.org:8443/fhir/r4",
    "http://ehr.example.org/fhir/r4",
    "https://ehr.example.org./fhir/r4",
    "https://ehr.example.org.evil.example/fhir/r4",
    "https://evil.example/fhir/r4",
    "https://user@ehr.example.org/fhir/r4",
    "https://@ehr.example.org/fhir/r4",
    "https://ehr.example.org/fhir/r4?x=1",
    "https://ehr.example.org/fhir/r4#x",
    "https://ehr.example.org\\@evil.example/fhir/r4",
    "https://ehr.example.org/fhir/%2e%2e/fhir/r4",
    "https://ehr.example.org/fhir/r4\r\n",
    "ehr.example.org/fhir/r4",
    "//ehr.example.org/fhir/r4",
    "ftp://ehr.example.org/fhir/r4",
    "https://",
    "",
]


@pytest.mark.parametrize("sent", OTHER)
def test_another_server_or_none_is_not_registered(sent: str) -> None:
    assert registered(sent, ["https://ehr.example.org/fhir/r4"]) is None


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("http://localhost/fhir", True),
        ("http://127.8.9.1:1/fhir", True),
        ("http://[::1]/fhir", True),
        ("http://10.0.0.1/fhir", False),
        ("http://127.1/fhir", False),
        ("http://localhost.example/fhir", False),
        ("http://127.0.0.1.example/fhir", False),
        ("http://0.0.0.0/fhir", False),
    ],
)
def test_plain_http_is_for_this_machine_only(text: str, usable: bool) -> None:
    assert (read_base_url(text) is not None) == usable
