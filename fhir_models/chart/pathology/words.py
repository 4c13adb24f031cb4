"""What the words of a pathology report say: which tissue, whether cancer is denied, calcifications, concordance.

A term counts only where nothing takes it away: a denial with its list, an earlier finding, a purpose. What is suspected
and not said is high-risk; what is neither clearly said nor clearly denied asks, as UNCLASSIFIED.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from fhir_models.chart.pathology.layout import Sentence, is_past
from fhir_models.chart.pathology.table import BEFORE, TABLE, TERMS, groups, pattern, patterns
from fhir_models.chart.records import Concordance, TissueClass

LONGEST_QUOTE = 300
FARTHEST_BEFORE, FARTHEST_AFTER = 300, 120
"""Characters between a phrase and the term that it takes away."""

LONGEST_LEAD = 40
"""Characters before "prior" that tell what it is compared with."""

_B_CODE, _BLOCKS = pattern(TABLE.b_codes.pattern), pattern(TABLE.b_codes.blocks)
_AFTER = groups({"hedge": TABLE.after.hedge, "aside": TABLE.after.aside, "deny": TABLE.after.deny})
_ANSWER_NO = pattern(TABLE.after.answer_no)
_REACH = patterns(TABLE.reach)
_CONCORDANCE = patterns(TABLE.concordance)
_CALCIFIED = pattern(TABLE.calcifications["present"])
_MALIGNANT = frozenset({"any", "in_situ", "invasive", "carcinoma"})
_CLASSES = {
    **dict.fromkeys(_MALIGNANT, TissueClass.MALIGNANT),
    "high_risk": TissueClass.HIGH_RISK,
    "suspicious": TissueClass.HIGH_RISK,
    "insufficient": TissueClass.INSUFFICIENT,
    "benign": TissueClass.BENIGN,
}
_CALCIUM = frozenset({"calcification", "oxalate"})
_WEIGHT = {tissue: rank for rank, tissue in enumerate(TissueClass)}


class Standing(StrEnum):
    """How a term stands in its sentence."""

    SAID = "said"
    HEDGED = "hedged"
    UNSURE = "unsure"
    DENIED = "denied"
    ASIDE = "aside"


class Said(msgspec.Struct, frozen=True):
    """What a text, or a code, states of tissue.

    `denied` are the sorts of cancer that are said to be absent (any, in_situ, invasive), `cancer` whether one is stated
    or left open. `calcifications` holds present and absent, each where it is said.
    """

    tissue: TissueClass | None = None
    quoted: str = ""
    concordance: Concordance | None = None
    concordance_quoted: str = ""
    denied: frozenset[str] = frozenset()
    cancer: bool = False
    calcifications: frozenset[str] = frozenset()
    calcifications_quoted: str = ""

    @property
    def no_cancer(self) -> bool:
        """Whether it says that there is no cancer at all, or names only benign tissue."""
        denies = "any" in self.denied or {"in_situ", "invasive"} <= self.denied
        return not self.cancer and (denies or self.tissue == TissueClass.BENIGN)


NOTHING = Said()


def worst(classes: Iterable[TissueClass]) -> TissueClass | None:
    """Return the class that governs, None where there is none."""
    return min(classes, key=_WEIGHT.__getitem__, default=None)


def joined(parts: Iterable[Said]) -> Said:
    """Join what several parts say: the worst tissue governs, a written discordance beats a written concordance."""
    parts = tuple(parts)
    ranked = sorted(
        (part for part in parts if part.tissue), key=lambda part: _WEIGHT[part.tissue or TissueClass.PENDING]
    )
    written = sorted(
        (part for part in parts if part.concordance), key=lambda part: part.concordance != Concordance.DISCORDANT
    )
    without = next((part.calcifications_quoted for part in parts if part.calcifications_quoted), "")
    return Said(
        tissue=ranked[0].tissue if ranked else None,
        quoted=ranked[0].quoted if ranked else "",
        concordance=written[0].concordance if written else None,
        concordance_quoted=written[0].concordance_quoted if written else "",
        denied=frozenset[str]().union(*(part.denied for part in parts)),
        cancer=any(part.cancer for part in parts),
        calcifications=frozenset[str]().union(*(part.calcifications for part in parts)),
        calcifications_quoted=without,
    )


def concluded(said: Said) -> Said:
    """Weigh what was joined: no calcification in the specimen makes benign insufficient, discordance is a class."""
    tissue, quoted = said.tissue, said.quoted
    if tissue in (None, TissueClass.BENIGN) and said.calcifications == frozenset({"absent"}):
        tissue, quoted = TissueClass.INSUFFICIENT, said.calcifications_quoted
    if said.concordance == Concordance.DISCORDANT and tissue not in (TissueClass.MALIGNANT, TissueClass.DISCORDANT):
        tissue, quoted = TissueClass.DISCORDANT, said.concordance_quoted
    return msgspec.structs.replace(said, tissue=tissue, quoted=quoted)


def said_in(sentence: Sentence) -> Said:
    """Return what a sentence states. One about the specimen, or of another organ, states nothing of the breast."""
    if sentence.section != "result":
        return NOTHING
    concordance, text = concordance_in(sentence.text), sentence.text
    if sentence.elsewhere:
        found = [(group, start) for group, start, standing in _standings(text) if standing == Standing.SAID]
        said = _malignant_node(text, found) if sentence.node else NOTHING
    else:
        said = _tissue_in(text)
    return msgspec.structs.replace(
        said, concordance=concordance, concordance_quoted=quote(text, 0) if concordance else ""
    )


def names_tissue(text: str) -> bool:
    """Whether words name a kind of tissue, a lesion, calcifications or concordance at all."""
    return any(match.lastgroup != "other" for match in TERMS.finditer(text)) or names_concordance(text)


def names_concordance(text: str) -> bool:
    """Whether words speak of concordance, or ask for it, at all."""
    return bool(_CONCORDANCE["asked"].search(text))


def takes_cancer_back(text: str) -> bool:
    """Whether words name a cancer only as denied, suspected, a purpose or of the past."""
    standings = [standing for group, _, standing in _standings(text) if group in _MALIGNANT]
    return bool(standings) and Standing.SAID not in standings


def concordance_in(text: str) -> Concordance | None:
    """Return what a sentence says of concordance with imaging, None where it only asks for it, or awaits it."""
    if not _CONCORDANCE["speaks"].search(text) or _CONCORDANCE["not_imaging"].search(text):
        return None
    plain = _CONCORDANCE["not_discordant"].sub("", text)
    if is_past(plain):
        return None
    if discordant := _CONCORDANCE["discordant"].search(plain):
        end = _CONCORDANCE["clause_end"].search(plain, discordant.end())
        is_open = _CONCORDANCE["open"].search(plain, 0, end.start() if end else len(plain))
        return None if is_open else Concordance.DISCORDANT
    if _CONCORDANCE["open"].search(text) or _CONCORDANCE["unsure"].search(text):
        return None
    return Concordance.CONCORDANT if _CONCORDANCE["concordant"].search(plain) else None


def quote(text: str, at: int) -> str:
    """Return the words around a place of a sentence, at most 300 characters."""
    start = max(0, min(at - LONGEST_QUOTE // 2, len(text) - LONGEST_QUOTE))
    return text[start : start + LONGEST_QUOTE]


def _tissue_in(text: str) -> Said:
    said: list[Said] = []
    for group, start, standing in _standings(text):
        denied, cancer, tissue = frozenset[str](), False, None
        if standing == Standing.ASIDE:
            continue
        if group in _CALCIUM:
            if group == "oxalate" and standing == Standing.SAID:
                said.append(Said(calcifications=frozenset({"present"})))
            elif group == "calcification" and standing == Standing.DENIED:
                said.append(Said(calcifications=frozenset({"absent"}), calcifications_quoted=quote(text, start)))
            continue
        if standing == Standing.DENIED:
            if group in _MALIGNANT or group == "tumour":
                sort = "any" if group in ("any", "carcinoma", "tumour") else group
                denied = frozenset({sort})
                tissue = TissueClass.BENIGN if sort == "any" and group != "tumour" else None
        elif group != "tumour":
            tissue = _CLASSES[group] if standing == Standing.SAID else _in_doubt(group, standing)
            cancer = group in _MALIGNANT or group == "suspicious"
        said.append(Said(tissue=tissue, quoted=quote(text, start), denied=denied, cancer=cancer))
    if not any(part.calcifications for part in said) and _CALCIFIED.search(text):
        said.append(Said(calcifications=frozenset({"present"})))
    return joined(said)


def _in_doubt(group: str, standing: Standing) -> TissueClass:
    """A suspected cancer or high-risk lesion is high-risk; anything else that is not clearly said asks."""
    grave = group in _MALIGNANT or group in ("high_risk", "suspicious")
    return TissueClass.HIGH_RISK if grave and standing == Standing.HEDGED else TissueClass.UNCLASSIFIED


def _malignant_node(text: str, found: Iterable[tuple[str, int]]) -> Said:
    """A lymph node with cancer is cancer of its side; a lymph node without says nothing of the breast."""
    for group, start in found:
        if group in _MALIGNANT:
            return Said(tissue=TissueClass.MALIGNANT, quoted=quote(text, start), cancer=True)
    return NOTHING


def _standings(text: str) -> Iterator[tuple[str, int, Standing]]:
    """Yield every term of a sentence with its group, its place and how it stands there."""
    terms = [match for match in TERMS.finditer(text) if match.lastgroup != "other"]
    before = list(BEFORE.finditer(text))
    # The denial within "target not sampled" takes no term away that stands before it.
    missed = {term.end() for term in terms if term.lastgroup == "insufficient"}
    after = [match for match in _AFTER.finditer(text) if match.end() not in missed]
    scope = _Scope(text, terms, before, after)
    for term in terms:
        yield term.lastgroup or "", term.start(), scope.standing(term)
    if not _BLOCKS.search(text):
        for match in _B_CODE.finditer(text):
            yield TABLE.b_codes.classes[match["code"]], match.start(), Standing.SAID


class _Scope:
    """What reaches which term of one sentence."""

    def __init__(
        self, text: str, terms: list[re.Match[str]], before: list[re.Match[str]], after: list[re.Match[str]]
    ) -> None:
        self.text, self.terms = text, terms
        self.before, self.after = before, after
        self.starts = [match.start() for match in terms]
        self.before_starts = [match.start() for match in before]
        self.after_starts = [match.start() for match in after]
        self.is_local = bool(_REACH["local"].search(text))

    def standing(self, term: re.Match[str]) -> Standing:
        """Return how a term stands: of what reaches it, setting aside beats a denial, and that beats a suspicion."""
        found = {*self._from_before(term), *self._from_after(term)}
        if Standing.ASIDE in found:
            return Standing.ASIDE
        if Standing.DENIED in found:
            about_node = self.is_local and term.lastgroup not in _CALCIUM
            return Standing.ASIDE if about_node else Standing.DENIED
        return next((kind for kind in (Standing.UNSURE, Standing.HEDGED) if kind in found), Standing.SAID)

    def _from_before(self, term: re.Match[str]) -> Iterator[Standing]:
        place = bisect_left(self.before_starts, term.start())
        for trigger in self.before[max(0, place - 4) : place]:
            gap = self.text[trigger.end() : term.start()]
            if len(gap) > FARTHEST_BEFORE:
                continue
            match trigger.lastgroup:
                case "aside" if not _REACH["aside_ends"].search(gap):
                    yield Standing.ASIDE
                case "prior" if _REACH["prior_between"].fullmatch(gap) and not self._is_now(trigger, term):
                    yield Standing.ASIDE
                case "hedge" if not _REACH["end"].search(gap) and "," not in gap:
                    yield Standing.HEDGED
                case "deny" if not _REACH["end"].search(gap) and not _REACH["closed"].search(gap):
                    yield self._in_list(trigger, term, gap)
                case _:
                    pass

    def _is_now(self, trigger: re.Match[str], term: re.Match[str]) -> bool:
        """Whether a term behind "prior" may be of the tissue at hand: it is there again, or only compared."""
        led = self.text[max(0, trigger.start() - LONGEST_LEAD) : trigger.start()]
        compared = _REACH["compares"].search(led) and not _REACH["tells"].search(self.text, trigger.end(), term.start())
        return bool(compared or _REACH["now"].search(self.text[term.end() : term.end() + FARTHEST_AFTER]))

    def _in_list(self, trigger: re.Match[str], term: re.Match[str], gap: str) -> Standing:
        """Whether a denial goes on behind a comma: as the list of a kind, or one that "or" joins."""
        if "," not in gap:
            return Standing.DENIED
        comma = trigger.end() + gap.index(",")
        last = trigger.end() + gap.rindex(",")
        tail = self.text[term.end() : term.end() + 60]
        joins = _REACH["list"].search(self.text[comma : term.start()]) or re.match(
            rf"(?:,? ?|, ?[\w -]{{1,40}},? ?){TABLE.reach['list']}", tail, re.IGNORECASE
        )
        if joins:
            return Standing.DENIED
        if _REACH["asserts"].search(self.text[last : term.start()] + tail):
            return Standing.SAID
        alike = bisect_left(self.starts, comma) - bisect_left(self.starts, trigger.end())
        same = alike and self.terms[bisect_left(self.starts, trigger.end())].lastgroup not in _CALCIUM | {"benign"}
        return Standing.DENIED if same else Standing.UNSURE

    def _from_after(self, term: re.Match[str]) -> Iterator[Standing]:
        if _ANSWER_NO.search(self.text[term.end() : term.end() + FARTHEST_AFTER]):
            yield Standing.DENIED
        place = bisect_left(self.after_starts, term.end())
        for trigger in self.after[place : place + 2]:
            gap = self.text[term.end() : trigger.start()]
            if len(gap) > FARTHEST_AFTER or _REACH["end"].search(gap) or self._other_denial(term, trigger):
                return
            match trigger.lastgroup:
                case "aside":
                    yield Standing.ASIDE
                case "hedge":
                    yield Standing.HEDGED
                case _ if term.lastgroup not in _CALCIUM and _REACH["asserts"].search(gap):
                    return
                case _ if "," not in gap:
                    yield Standing.DENIED
                case _:
                    yield self._in_list_before(term, trigger, gap)

    def _in_list_before(self, term: re.Match[str], trigger: re.Match[str], gap: str) -> Standing:
        """Whether a denial behind a list reaches back to a term before its commas: "atypia, DCIS or cancer is absent"."""
        either = bool(_REACH["either"].search(gap))
        grave = term.lastgroup in _MALIGNANT or term.lastgroup == "high_risk"
        if not self._all_terms(term, trigger, gap) or not (either or grave):
            return Standing.SAID
        return Standing.DENIED if either and term.lastgroup not in _MALIGNANT else Standing.UNSURE

    def _other_denial(self, term: re.Match[str], trigger: re.Match[str]) -> bool:
        """Whether a denial begins between a term and a phrase behind it, which then belongs to that."""
        place = bisect_left(self.before_starts, term.end())
        return any(
            match.lastgroup in ("deny", "aside") and match.end() <= trigger.start()
            for match in self.before[place : place + 2]
        )

    def _all_terms(self, term: re.Match[str], trigger: re.Match[str], gap: str) -> bool:
        """Whether every item of a list up to a phrase is a term; crystals are in no list of lesions."""
        at = term.end() + gap.index(",")
        items = self.text[at + 1 : trigger.start()].split(",")
        for item in items:
            place = bisect_left(self.starts, at)
            if place >= len(self.starts) or self.starts[place] > at + 1 + len(item):
                return False
            if self.terms[place].lastgroup == "oxalate":
                return False
            at += 1 + len(item)
        return not gap.partition(",")[0].strip()
