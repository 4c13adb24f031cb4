"""Every statement of a pathology report with the breast that it is about, and which results they make together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fhir_models.chart.pathology.codes import said_by_concept, said_by_observation, texts_of_observation, words_of
from fhir_models.chart.pathology.layout import Sentence, named_side, sentences
from fhir_models.chart.pathology.reports import PathologyReport
from fhir_models.chart.pathology.specimens import names_excision
from fhir_models.chart.pathology.texts import LONGEST_TEXT
from fhir_models.chart.pathology.words import Said, joined, said_in
from fhir_models.chart.records import TissueClass
from fhir_models.entries import Entries
from fhir_models.reading import Evidence
from fhir_models.sides import NOWHERE, Place, agreed_side, place_of, site_place
from fhir_models.study import study_kind
from fhir_models.terminology import Terminology
from fhir_models.views import CodeableConcept, DiagnosticReport, ServiceRequest
from rules.vocabulary import Laterality

LEFT, RIGHT, BOTH, UNKNOWN = Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL, Laterality.UNKNOWN
_BREASTS = {LEFT: frozenset({LEFT}), RIGHT: frozenset({RIGHT}), BOTH: frozenset({LEFT, RIGHT})}
NO_BREAST = frozenset[Laterality]()


class Statement(msgspec.Struct, frozen=True):
    """What one element states. `place.laterality` is the breast that it is about; `mixed`: it names both, not which.

    `source` is code, observation or text. `unsided`: it is about a specimen of its own, whose side is not stated.
    `hinted`: sides that its text names at all.
    """

    said: Said
    source: str
    evidence: Evidence
    place: Place = NOWHERE
    mixed: bool = False
    unsided: bool = False
    excision: bool = False
    hinted: frozenset[Laterality] = NO_BREAST

    @property
    def breasts(self) -> frozenset[Laterality]:
        """The breasts that it names."""
        return breasts(self.place.laterality)


class Share(msgspec.Struct, frozen=True):
    """The statements that make one result, and its side; `conflict`: sides disagree, and none is taken."""

    laterality: Laterality
    statements: tuple[Statement, ...]
    conflict: bool = False


def breasts(laterality: Laterality) -> frozenset[Laterality]:
    """Return left, right, both or neither."""
    return _BREASTS.get(laterality, NO_BREAST)


def statements_of(report: PathologyReport, entries: Entries, terminology: Terminology) -> tuple[Statement, ...]:
    """Return what conclusion codes, results and texts of a report state, in a fixed order."""
    return (
        *_coded(report, terminology),
        *_observed(report, entries, terminology),
        *(
            statement
            for element, text in report.texts
            for statement in text_statements(text, report.resource.reference, f"{report.resource.path}.{element}")
        ),
    )


def text_statements(text: str, reference: str, path: str, place: Place = NOWHERE) -> Iterator[Statement]:
    """Yield what a text states, once for each side that it names; a sentence without one takes that of `place`."""
    by_side: dict[tuple[Laterality, bool, bool], list[Sentence]] = {}
    for sentence in sentences(text[:LONGEST_TEXT]):
        by_side.setdefault((sentence.side, sentence.mixed, sentence.unsided), []).append(sentence)
    hinted = NO_BREAST.union(*(breasts(side) for side, _, _ in by_side))
    for (side, mixed, unsided), found in sorted(by_side.items()):
        said = joined(map(said_in, found))
        quoted = said.quoted or said.concordance_quoted or said.calcifications_quoted
        yield Statement(
            said=said,
            source="text",
            evidence=Evidence(reference, path, quoted),
            place=place if side == UNKNOWN else msgspec.structs.replace(NOWHERE, laterality=side),
            mixed=mixed,
            unsided=unsided,
            excision=any(map(_is_excised, found)),
            hinted=hinted,
        )


def shares(report: PathologyReport, statements: Sequence[Statement], terminology: Terminology) -> tuple[Share, ...]:
    """Return which statements make a result of which breast (chart logic 5.3).

    The side is that of the specimens, else of the results, the order, the codes, the text. Where two breasts are named,
    each gets a result if every statement tells which it is about; else there is one without side, and the worst governs.
    """
    everything = tuple(statements)
    bearing = [item for item in everything if item.said.tissue]
    stated = [item for item in bearing if item.breasts and not item.mixed]
    explicit = NO_BREAST.union(*(item.breasts for item in stated))
    default = _default_sides(report, everything, bearing, terminology)
    worded = not (report.samples or report.orders) and all(item.source == "text" for item in stated)
    apart = worded and any(item.unsided for item in bearing) and not _all_told(bearing, stated)
    if len(default) == 1 and not explicit - default and not (stated and apart):
        return (Share(next(iter(default)), everything),)
    if explicit and not default & explicit:
        return (Share(UNKNOWN, everything, conflict=bool(default)),)
    if stated and all(item.place.laterality == BOTH for item in stated) and len(stated) == len(bearing):
        return (Share(BOTH, everything),)
    if not explicit or not _all_told(bearing, stated):
        return (Share(UNKNOWN, everything),)
    return tuple(_of_breast(side, everything) for side in sorted(default | explicit))


def _default_sides(
    report: PathologyReport, statements: Iterable[Statement], bearing: Iterable[Statement], terminology: Terminology
) -> frozenset[Laterality]:
    """Return the sides of the first source that names any."""
    bearing, statements = tuple(bearing), tuple(statements)
    texts = [item for item in bearing if item.source == "text"]
    sources = (
        (sample.place.laterality for sample in report.samples),
        (item.place.laterality for item in statements if item.source == "observation"),
        (order_place(order, terminology).laterality for order in report.orders),
        (item.place.laterality for item in statements if item.source == "code"),
        (BOTH if item.mixed else item.place.laterality for item in texts),
        (side for text in words_of(report.view.code) for side in (named_side(text)[0],)),
        (side for item in statements for side in item.hinted),
    )
    named = (NO_BREAST.union(*map(breasts, source)) for source in sources)
    return next((sides for sides in named if sides), NO_BREAST)


def order_place(order: ServiceRequest, terminology: Terminology) -> Place:
    """Return side and place of an order by its body sites, else by its code."""
    sites = [site_place(site, terminology) for site in order.bodySite or ()]
    laterality, conflict = agreed_side(site.laterality for site in sites)
    if laterality != UNKNOWN or conflict:
        return msgspec.structs.replace(
            sites[0] if len(sites) == 1 else NOWHERE, laterality=BOTH if conflict else laterality
        )
    code = order_code(order)
    named = (
        *(Laterality(item.laterality) for item in terminology.context(code) if item.laterality),
        study_kind(code, terminology).laterality,
        *(named_side(word)[0] for word in words_of(code)),
    )
    return msgspec.structs.replace(sites[0] if len(sites) == 1 else NOWHERE, laterality=agreed_side(named)[0])


def order_code(order: ServiceRequest) -> CodeableConcept | None:
    """Return what is ordered: a concept in R4, inside a reference in R5."""
    code = order.code
    return (code.concept or CodeableConcept(code.coding, code.text)) if code else None


def _all_told(bearing: Iterable[Statement], stated: Sequence[Statement]) -> bool:
    """Whether what no side is stated of is benign, or only repeats the class of a statement that has one."""
    told = {item.said.tissue for item in stated} | {TissueClass.BENIGN}
    return all(item.said.tissue in told for item in bearing)


def _of_breast(side: Laterality, statements: Sequence[Statement]) -> Share:
    """Return the share of one breast; what is said of calcifications or concordance alone belongs to both."""
    own = [item for item in statements if side in item.breasts and not item.mixed]
    shared = [item for item in statements if not item.breasts or item.mixed]
    written = any(item.said.concordance for item in statements if item.breasts and not item.mixed)
    general = [
        msgspec.structs.replace(
            item,
            said=Said(
                concordance=None if written else item.said.concordance,
                concordance_quoted="" if written else item.said.concordance_quoted,
                calcifications=item.said.calcifications & {"absent"},
                calcifications_quoted=item.said.calcifications_quoted,
            ),
        )
        for item in shared
    ]
    return Share(side, (*own, *general))


def _coded(report: PathologyReport, terminology: Terminology) -> Iterator[Statement]:
    codes = report.view.conclusionCode if isinstance(report.view, DiagnosticReport) else None
    for index, code in enumerate(codes or ()):
        said = said_by_concept(code, terminology)
        contexts = terminology.context(code)
        laterality, conflict = agreed_side(
            (
                *(Laterality(item.laterality) for item in contexts if item.laterality),
                *(named_side(word)[0] for word in words_of(code)),
            )
        )
        quadrant = next((item.quadrant for item in contexts if item.quadrant), None)
        yield Statement(
            said=said,
            source="code",
            evidence=Evidence(
                report.resource.reference, f"{report.resource.path}.conclusionCode[{index}]", said.quoted
            ),
            place=Place(laterality=laterality, quadrant=quadrant),
            mixed=conflict,
        )


def _observed(report: PathologyReport, entries: Entries, terminology: Terminology) -> Iterator[Statement]:
    samples = {sample.reference: sample for sample in report.samples}
    for resource, view in report.observations:
        place = place_of(view, resource.reference, entries, terminology)
        if place.laterality == UNKNOWN and not place.side_conflict and view.specimen:
            sampled = entries.resolve(view.specimen.reference, resource.reference)
            own = samples.get(sampled.reference) if sampled else None
            place = own.place if own else place
        for element, said in said_by_observation(view, terminology):
            evidence = Evidence(resource.reference, f"{resource.path}.{element}", said.quoted)
            yield Statement(said=said, source="observation", evidence=evidence, place=place)
        for element, text in texts_of_observation(view):
            for statement in text_statements(text, resource.reference, f"{resource.path}.{element}", place):
                source = "observation" if place.laterality != UNKNOWN else "text"
                yield msgspec.structs.replace(statement, source=source)


def _is_excised(sentence: Sentence) -> bool:
    """Whether a sentence names the specimen as an excision: in its heading, or in a section on the specimen."""
    head, colon, _ = sentence.text.partition(":")
    return names_excision(sentence.text if sentence.section == "specimen" else head if colon else "")
