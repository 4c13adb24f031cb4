"""How the text of a pathology report is laid out: sentences, each with its section, specimen and side.

Clinical history is left out; of the sections that describe the specimen only side and kind of specimen are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fhir_models.chart.pathology.table import BEFORE, TABLE, TERMS, pattern, patterns
from fhir_models.study import side_in_words
from rules.vocabulary import Laterality

LONGEST_SENTENCE = 2_000
"""Characters; a longer one is cut, so that no text takes longer than its length."""

_LONGEST_HEADING = 60

_SEAM = 60
"""Characters on either side of a line's end in which a term or a denial may go on."""

_BREAK = re.compile(r"(?<=[.;!?])(?<!\b[A-Za-z]\.)\s+")
_NUMBER = re.compile(r"\(?\d{1,2}[.)]")
_BLANKS = re.compile(r"\s+")
_BULLET = re.compile(r"\s*(?:[-*•·\u2013]|\(?\d{1,2}[.)]|[A-L][.)])\s")
_OTHER_HEADING = re.compile(r"\W{0,4}[A-ZÄÖÜÁÉÍÓÚÑ][A-ZÄÖÜÁÉÍÓÚÑ /()&-]{3,60}:")
_HEADINGS = {
    name: pattern(rf"\W{{0,4}}(?:{TABLE.sections[name]})(?: ?\([^()]{{0,40}}\))?\W{{0,3}}(?::|$)")
    for name in ("history", "specimen", "result")
}
_LABEL = pattern(rf"\W{{0,3}}{TABLE.sections['label']}")
_INLINE = pattern(TABLE.sections["inline"])
_SOFT_END = pattern(TABLE.sections["soft_end"])
_SIDES = patterns(TABLE.sides)
_PLACES = patterns(TABLE.places)
_PAST = pattern("|".join((*TABLE.before.aside, *TABLE.before.prior)))


class Sentence(msgspec.Struct, frozen=True):
    """A sentence with single blanks. `side` is that of its specimen or its own, UNKNOWN where none is named.

    `mixed`: it names both breasts, and which of them a word is about cannot be told. `section` is result or specimen;
    `elsewhere`: its specimen is of another organ, `node` a lymph node. `unsided`: its specimen has a name of its own, and no
    side is stated for that, so that it has not the side of another one.
    """

    text: str
    section: str
    side: Laterality
    mixed: bool = False
    unsided: bool = False
    elsewhere: bool = False
    node: bool = False


def sentences(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a report in order, without those of its clinical history."""
    pieces = list(_apart(_pieces(text)))
    heads = [_heading(piece) for piece in pieces]
    opens = [index for index, piece in enumerate(pieces) if heads[index] not in (None, "history") or _letter(piece)]
    reader = _Layout()
    for index, piece in enumerate(pieces):
        reader.take(piece, heads[index], followed=bool(opens) and opens[-1] > index)
    return tuple(reader.found)


class _Layout:
    """Where a reader of the report is: section, specimen and side."""

    def __init__(self) -> None:
        self.found: list[Sentence] = []
        self.letters: dict[str, Laterality] = {}
        self.section = "result"
        self.side = Laterality.UNKNOWN
        self.elsewhere = False
        self.node = False
        self.unsided = False
        self.ends_after_one = False

    def take(self, piece: str, heading: str | None, *, followed: bool) -> None:
        """Take the next sentence. A history that no heading follows ends with its first sentence."""
        if heading:
            self.section, self.side = heading, Laterality.UNKNOWN
            self.elsewhere = self.node = self.unsided = False
            self.ends_after_one = heading == "history" and not followed
        body = _body(piece) if heading else piece
        name = _letter(body) or _number(body)
        if self.section == "history" and _letter(body):
            self.section = "result"
        if self.section == "history":
            if self.ends_after_one and not piece.endswith(":"):
                self.section = "result"
            return
        side, mixed = named_side(piece)
        past = bool(_PAST.search(piece))
        if name:
            self._open_specimen(body, name.upper(), side)
        elif side != Laterality.UNKNOWN and not past and not mixed:
            self.side, self.unsided = side, False
            self.elsewhere = self.elsewhere and not _PLACES["breast"].search(piece)
        own = side != Laterality.UNKNOWN and not past
        self.found.append(
            Sentence(
                text=piece,
                section=self.section,
                side=side if own and not mixed else Laterality.UNKNOWN if mixed else self.side,
                mixed=mixed and not past,
                unsided=self.unsided and not own,
                elsewhere=self.elsewhere,
                node=self.node,
            )
        )

    def _open_specimen(self, piece: str, name: str, side: Laterality) -> None:
        head = piece.partition(":")[0]
        breast = bool(_PLACES["breast"].search(head))
        self.elsewhere = bool(_PLACES["other_organ"].search(head)) and not breast
        self.node = self.elsewhere and bool(_PLACES["node"].search(head))
        self.side = side if side != Laterality.UNKNOWN else self.letters.get(name, Laterality.UNKNOWN)
        self.unsided = self.side == Laterality.UNKNOWN
        if not self.unsided:
            self.letters[name] = self.side


def named_side(text: str) -> tuple[Laterality, bool]:
    """Return the side that a sentence names, and whether it names left and right without meaning both alike."""
    if _SIDES["both"].search(text):
        return Laterality.BILATERAL, False
    found = {side for side in (Laterality.LEFT, Laterality.RIGHT) if _SIDES[side].search(text)}
    plain = side_in_words(text)
    if len(found) == 2 or (plain == Laterality.BILATERAL and found):
        return Laterality.UNKNOWN, True
    if found:
        return found.pop(), False
    return (plain, False) if plain in (Laterality.LEFT, Laterality.RIGHT) else (Laterality.UNKNOWN, False)


def names_breast(text: str) -> bool:
    """Whether words name the breast as the place that was sampled, not as the origin of a tumour elsewhere."""
    return bool(_PLACES["breast"].search(text)) and not _PLACES["not_breast"].search(text)


def names_other_organ(text: str) -> bool:
    """Whether words name a place that is no breast; the axilla and its nodes are none."""
    return bool(_PLACES["other_organ"].search(text))


def is_past(text: str) -> bool:
    """Whether a sentence speaks of earlier findings, of others or of a purpose."""
    return bool(_PAST.search(text))


def _letter(piece: str) -> str | None:
    """Return the letter or name of the specimen that a piece begins with: "A. Left breast", "Specimen 2"."""
    label = _LABEL.match(piece)
    return label["letter"] or label["named"] if label else None


def _number(piece: str) -> str | None:
    """Return the number that a piece begins with, where it is that of a specimen and not of a line in a list."""
    label = _LABEL.match(piece)
    head = piece.partition(":")[0]
    says = named_side(head) != (Laterality.UNKNOWN, False) or _PLACES["breast"].search(head)
    return label["number"] if label and (says or _PLACES["other_organ"].search(head)) else None


def _body(piece: str) -> str:
    """Return what follows the heading of a piece."""
    ends = [match.end() for heading in (*_HEADINGS.values(), _OTHER_HEADING) if (match := heading.match(piece))]
    return piece[min(ends, default=0) :].strip()


def _apart(pieces: Iterable[str]) -> Iterator[str]:
    """Yield pieces, each specimen of a line by itself. A letter counts if it, or the one before it, began a piece."""
    pieces = tuple(pieces)
    known = {name.upper() for piece in pieces if (name := _letter(piece) or _letter(_body(piece)))}
    for piece in pieces:
        label = _LABEL.match(piece)
        start = 0
        for match in _INLINE.finditer(piece, label.end() if label else 0):
            letter = match["letter"]
            if {letter, chr(ord(letter) - 1)} & known and _opens(piece, match):
                known.add(letter)
                yield piece[start : match.start()].strip()
                start = match.start()
        yield piece[start:]


def _opens(piece: str, match: re.Match[str]) -> bool:
    """Whether a letter within a line begins a specimen, and is no initial of a name."""
    at = match.start()
    heads = at <= _LONGEST_HEADING and any(heading.fullmatch(piece[:at].strip()) for heading in _HEADINGS.values())
    return piece[at - 2] in ",;:" or match["mark"] != "." or heads


def _heading(piece: str) -> str | None:
    for name, heading in _HEADINGS.items():
        if heading.match(piece):
            return name
    return "result" if _OTHER_HEADING.match(piece) and not _LABEL.match(piece) else None


def _pieces(text: str) -> Iterator[str]:
    """Yield sentences. A line ends one unless it breaks off, or the next goes on in small letters."""
    waiting: list[str] = []
    for line in text.splitlines():
        part = _BLANKS.sub(" ", line).strip()
        if waiting and part and not _BULLET.match(line) and _goes_on(waiting, part):
            waiting.append(part)
            continue
        yield from _split(" ".join(waiting))
        waiting = [part]
    yield from _split(" ".join(waiting))


def _goes_on(lines: list[str], following: str) -> bool:
    """Whether a line carries on what stands before it; a line that is a heading ends where it ends."""
    if len(lines) == 1 and any(heading.fullmatch(lines[0]) for heading in _HEADINGS.values()):
        return lines[0].endswith(":")
    end, start = lines[-1][-_SEAM:], following[:_SEAM]
    if following[0].islower() or _SOFT_END.search(end):
        return True
    seam = len(end)
    across = any(match.start() < seam < match.end() for match in TERMS.finditer(f"{end} {start}"))
    return across or any(match.end() == seam for match in BEFORE.finditer(end))


def _split(paragraph: str) -> Iterator[str]:
    number = ""
    for sentence in _BREAK.split(paragraph):
        if _NUMBER.fullmatch(sentence):
            number = f"{sentence} "
            continue
        for piece in _SIDES["split"].split(number + sentence):
            for start in range(0, len(piece), LONGEST_SENTENCE):
                if part := piece[start : start + LONGEST_SENTENCE].strip():
                    yield part
        number = ""
