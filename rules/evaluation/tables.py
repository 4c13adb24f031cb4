"""The tables of `evaluate cbis`: what each lesion is told in four readings, beside what it turned out to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from rules.engine import Ruleset, decide
from rules.evaluation.cbis import BENIGN, MALIGNANT, WITHOUT_CALLBACK, Lesion, merge_views, views_disagree
from rules.evaluation.proportions import Scored, Share, auc, auc_interval
from rules.facts import governing, governing_distribution
from rules.table import Lexicon
from rules.vocabulary import Decision, Discordance, Recommendation

READINGS: Mapping[str, tuple[str, bool, bool]] = {
    "1A": ("descriptors only, screening report without work-up", False, False),
    "1B": ("descriptors only, read as a completed diagnostic work-up without priors", True, False),
    "1C": ("descriptors and the radiologist's assessment, screening report", False, True),
    "1D": ("descriptors and the radiologist's assessment, diagnostic work-up", True, True),
}
PATHOLOGIES = (MALIGNANT, BENIGN, WITHOUT_CALLBACK)
TOLD = (
    Recommendation.BIOPSY,
    Recommendation.DIAGNOSTIC_MAMMOGRAM,
    Recommendation.CLINICIAN_REVIEW,
    Recommendation.SHORT_INTERVAL_FOLLOW_UP,
    Recommendation.NO_FOLLOW_UP,
)
UNDETERMINED = "U"


class Table(msgspec.Struct, frozen=True):
    """A table as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Read(msgspec.Struct, frozen=True):
    """A lesion and its decision in each reading."""

    lesion: Lesion
    decisions: Mapping[str, Decision]

    def told(self, reading: str) -> Recommendation:
        """Return the recommendation in a reading."""
        return self.decisions[reading].recommendation

    @property
    def derived(self) -> str:
        """The category that the descriptors stand for after work-up, U where they do not say."""
        category = self.decisions["1B"].estimated_category
        return UNDETERMINED if category == "NA" else category

    @property
    def assessment(self) -> str:
        """The radiologists' own category, empty where none was given."""
        return self.lesion.assessment or ""


Groups = Mapping[str, Sequence[Read]]
Condition = Callable[[Read], bool]


def evaluate(files: Mapping[str, Sequence[Lesion]], ruleset: Ruleset) -> Iterator[Table]:
    """Yield the tables for the views of each file by name, and for all of them where there are several."""
    views = dict(files)
    if len(views) > 1:
        views["all"] = [view for part in files.values() for view in part]
    groups = {name: _read(merge_views(part), ruleset) for name, part in views.items()}
    lexicon = ruleset.lexicon
    yield _counts(views, groups)
    yield from (_told(reading, groups) for reading in READINGS)
    yield _headline(groups)
    yield from (
        _discordances(groups),
        _missed(groups),
        _acted_on(groups),
        _comparators(groups),
        _areas(groups, lexicon),
    )
    everything = list(groups.values())[-1]
    yield _cap(everything)
    yield _matrix("biopsied lesions", _biopsied(everything), lexicon)
    yield _matrix("every lesion", everything, lexicon)
    derived = [*lexicon.categories[:2], UNDETERMINED, *lexicon.categories[2:]]
    yield _by("derived category (1B)", derived, lambda read: read.derived, everything)
    yield _by("the radiologists' own assessment", "012345", lambda read: read.assessment, everything)
    yield _sensitivity(list(views.values())[-1], everything, ruleset)


def _read(lesions: Iterable[Lesion], ruleset: Ruleset) -> list[Read]:
    return [
        Read(lesion, {name: decide(lesion.case(*how), ruleset) for name, (_, *how) in READINGS.items()})
        for lesion in lesions
    ]


def _of(pathology: str, reads: Iterable[Read]) -> list[Read]:
    return [read for read in reads if read.lesion.pathology == pathology]


def _biopsied(reads: Iterable[Read]) -> list[Read]:
    return [read for read in reads if read.lesion.pathology != WITHOUT_CALLBACK]


def _share(condition: Condition, reads: Sequence[Read]) -> Share:
    return Share(sum(map(condition, reads)), len(reads))


def _counts(views: Mapping[str, Sequence[Lesion]], groups: Groups) -> Table:
    rows = [
        (name, str(len(views[name])), str(len(reads)), *(str(len(_of(kind, reads))) for kind in PATHOLOGIES))
        for name, reads in groups.items()
    ]
    return Table("Views and lesions", ("file", "views", "lesions", *PATHOLOGIES), tuple(rows))


def _told(reading: str, groups: Groups) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, reads in groups.items():
        for pathology in PATHOLOGIES:
            kind = _of(pathology, reads)
            told = Counter(read.told(reading) for read in kind)
            shares = (f"{told[what]} ({told[what] / len(kind):.1%})" if kind else "-" for what in TOLD)
            rows.append((name, pathology, str(len(kind)), *shares))
    return Table(f"{reading} {READINGS[reading][0]}", ("file", "pathology", "n", *TOLD), tuple(rows))


def _headline(groups: Groups) -> Table:
    action = {*TOLD} - {Recommendation.NO_FOLLOW_UP}
    questions: list[tuple[str, str, str, set[Recommendation]]] = [
        ("malignant to biopsy", MALIGNANT, "1B", {Recommendation.BIOPSY}),
        ("malignant to any action", MALIGNANT, "1B", action),
        ("malignant to further imaging", MALIGNANT, "1A", {Recommendation.DIAGNOSTIC_MAMMOGRAM}),
        ("malignant to clinician review", MALIGNANT, "1A", {Recommendation.CLINICIAN_REVIEW}),
        ("malignant to no follow-up", MALIGNANT, "1A", {Recommendation.NO_FOLLOW_UP}),
        ("malignant to no follow-up", MALIGNANT, "1B", {Recommendation.NO_FOLLOW_UP}),
        ("without callback to no follow-up", WITHOUT_CALLBACK, "1B", {Recommendation.NO_FOLLOW_UP}),
        ("without callback to no follow-up", WITHOUT_CALLBACK, "1C", {Recommendation.NO_FOLLOW_UP}),
        ("benign biopsied to biopsy", BENIGN, "1B", {Recommendation.BIOPSY}),
        ("benign biopsied to no follow-up or 6 months", BENIGN, "1B", {TOLD[3], TOLD[4]}),
        ("malignant to biopsy or review", MALIGNANT, "1D", {TOLD[0], TOLD[2]}),
        ("malignant to biopsy, review or further imaging", MALIGNANT, "1D", {*TOLD[:3]}),
        ("malignant to no follow-up", MALIGNANT, "1D", {Recommendation.NO_FOLLOW_UP}),
    ]
    rows = [
        (what, reading, *(str(_share(_is_told(reading, told), _of(kind, reads))) for reads in groups.values()))
        for what, kind, reading, told in questions
    ]
    return Table("Headline (Wilson 95 %)", ("quantity", "reading", *groups), tuple(rows))


def _is_told(reading: str, told: set[Recommendation]) -> Condition:
    return lambda read: read.told(reading) in told


def _discordances(groups: Groups) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, reads in groups.items():
        for discordance in Discordance:
            found = [read for read in reads if read.decisions["1D"].discordance == discordance]
            if found:
                rows.append((name, discordance, str(len(found)), *(str(len(_of(kind, found))) for kind in PATHOLOGIES)))
    return Table("Discordances in 1D", ("file", "discordance", "n", *PATHOLOGIES), tuple(rows))


def _missed(groups: Groups) -> Table:
    rows = tuple(
        (
            name,
            read.lesion.name,
            "+".join(read.lesion.views),
            "+".join(read.lesion.morphology) or "not stated",
            "+".join(read.lesion.distribution) or "not stated",
            read.assessment,
            *(read.told(reading) for reading in READINGS),
            " ".join(read.decisions["1B"].rules),
        )
        for name, reads in groups.items()
        if name != "all"
        for read in sorted(_of(MALIGNANT, reads), key=lambda read: read.lesion.name)
        if read.told("1B") != Recommendation.BIOPSY
    )
    columns = ("file", "lesion", "views", "morphology", "distribution", "assessment", *READINGS, "rules (1B)")
    return Table("Malignant lesions that 1B does not send to biopsy, one by one", columns, rows)


def _acted_on(groups: Groups) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, reads in groups.items():
        acted = [read.decisions["1B"] for read in _of(WITHOUT_CALLBACK, reads)]
        counted = Counter((decision.rules[0], decision.recommendation) for decision in acted)
        for (rule, told), count in counted.most_common():
            if told != Recommendation.NO_FOLLOW_UP:
                rows.append((name, rule, told, str(count)))
    return Table("Without callback, yet acted on in 1B, by row", ("file", "row", "told", "n"), tuple(rows))


def _comparators(groups: Groups) -> Table:
    rules: list[tuple[str, Condition]] = [
        ("table, biopsy (1B)", _is_told("1B", {Recommendation.BIOPSY})),
        ("table, anything but no follow-up (1B)", lambda read: read.told("1B") != Recommendation.NO_FOLLOW_UP),
        ("radiologist 4 or 5", lambda read: read.assessment >= "4"),
        ("radiologist 0, 3, 4 or 5", lambda read: read.assessment == "0" or read.assessment >= "3"),
        ("biopsy everything", lambda _: True),
        ("table or radiologist", lambda read: read.told("1B") == Recommendation.BIOPSY or read.assessment >= "4"),
    ]
    rows: list[tuple[str, ...]] = []
    for what, rule in rules:
        for name, reads in groups.items():
            positive = [read for read in reads if rule(read)]
            shares = [_share(rule, _of(kind, reads)) for kind in PATHOLOGIES]
            ppv = Share(len(_of(MALIGNANT, positive)), len(positive))
            rows.append((what, name, *map(str, shares), str(ppv)))
    columns = ("positive is", "file", *PATHOLOGIES, "PPV in this set")
    return Table("Comparators (this set is enriched: its PPV is not that of a clinic)", columns, tuple(rows))


def _areas(groups: Groups, lexicon: Lexicon) -> Table:
    order = {category: float(rank) for rank, category in enumerate(lexicon.categories)}
    order[UNDETERMINED] = order["3"] + 0.5
    scores: list[tuple[str, Callable[[Read], float]]] = [
        ("table, derived category", lambda read: order[read.derived]),
        ("radiologist (0 between 3 and 4)", lambda read: 3.5 if read.assessment == "0" else float(read.assessment)),
    ]
    rows: list[tuple[str, ...]] = []
    for what, score in scores:
        for name, reads in groups.items():
            for which in (reads, _biopsied(reads)):
                scored = [
                    Scored(read.lesion.patient, score(read), read.lesion.pathology == MALIGNANT) for read in which
                ]
                area, bounds = auc(scored), auc_interval(scored)
                shown = f"{area:.3f}" if area is not None else "-"
                rows.append((what, name, str(len(which)), shown, f"{bounds[0]:.3f}-{bounds[1]:.3f}" if bounds else "-"))
    title = "AUC: every lesion, then biopsied only (1000 resamples by patient)"
    return Table(title, ("score", "file", "n", "AUC", "95 %"), tuple(rows))


def _cap(reads: Sequence[Read]) -> Table:
    """The best that any rule can do that sees only these words: what it would spare if it knew each signature's share."""
    rows: list[tuple[str, ...]] = []
    for what, which in (("every lesion", reads), ("biopsied only", _biopsied(reads))):
        signatures: dict[tuple[frozenset[str], frozenset[str]], list[int]] = {}
        for read in which:
            key = frozenset[str](read.lesion.morphology), frozenset[str](read.lesion.distribution)
            signatures.setdefault(key, [0, 0])[read.lesion.pathology == MALIGNANT] += 1
        cells = sorted(signatures.values(), key=lambda cell: cell[1] / sum(cell))
        scored = [
            Scored("", cell[1] / sum(cell), kind == 1) for cell in cells for kind in (0, 1) for _ in range(cell[kind])
        ]
        benign, malignant = sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)
        spared = [f"{_spared(cells, allowed * malignant)}/{benign}" for allowed in (0.0, 0.02, 0.05)]
        rows.append((what, str(len(cells)), f"{auc(scored) or 0:.3f}", *spared))
    columns = ("lesions", "signatures", "AUC (fitted on the same)", "spared, 0 % missed", "2 % missed", "5 % missed")
    return Table("The cap of these descriptors", columns, tuple(rows))


def _spared(cells: Iterable[list[int]], allowed: float) -> int:
    missed, spared = 0, 0
    for benign, malignant in cells:
        if missed + malignant > allowed:
            break
        missed, spared = missed + malignant, spared + benign
    return spared


def _matrix(what: str, reads: Sequence[Read], lexicon: Lexicon) -> Table:
    forms = (*lexicon.governing_order, "typically_benign", "not_stated")
    places = ("segmental", "linear", *lexicon.distribution_order[1:], "not_stated")
    cells: dict[tuple[str, str], list[Read]] = {}
    for read in reads:
        form, place = governing(read.lesion.morphology, lexicon), _place(read.lesion, lexicon)
        for key in ((form, place), (form, "any"), ("any", place), ("any", "any")):
            cells.setdefault(key, []).append(read)
    rows = tuple(
        (form, *(str(_malignant(cells.get((form, place), []))) for place in (*places, "any")))
        for form in (*forms, "any")
    )
    return Table(f"Malignant by governing morphology and distribution, {what}", ("", *places, "any"), rows)


def _place(lesion: Lesion, lexicon: Lexicon) -> str:
    ductal = [word for word in ("segmental", "linear") if word in lesion.distribution]
    return ductal[0] if ductal else governing_distribution(lesion.distribution, lexicon)


def _malignant(reads: Sequence[Read]) -> Share:
    return Share(len(_of(MALIGNANT, reads)), len(reads))


def _by(what: str, order: Iterable[str], key: Callable[[Read], str], reads: Sequence[Read]) -> Table:
    rows: list[tuple[str, ...]] = []
    for value in order:
        found = [read for read in reads if key(read) == value]
        if found:
            rows.append((value, str(_malignant(_biopsied(found))), str(_malignant(found))))
    return Table(f"Malignant by {what}", (what, "biopsied", "every lesion"), tuple(rows))


def _sensitivity(views: Sequence[Lesion], reads: Sequence[Read], ruleset: Ruleset) -> Table:
    disagree = views_disagree(views)
    sets = {
        "every view by itself": _read(views, ruleset),
        "lesions whose views agree": [read for read in reads if read.lesion.name not in disagree],
    }
    biopsy, none = {Recommendation.BIOPSY}, {Recommendation.NO_FOLLOW_UP}
    rows = [
        (
            what,
            str(len(which)),
            str(_share(_is_told("1B", biopsy), _of(MALIGNANT, which))),
            str(_share(_is_told("1B", none), _of(MALIGNANT, which))),
            str(_share(_is_told("1B", none), _of(WITHOUT_CALLBACK, which))),
            str(_share(_is_told("1B", biopsy), _of(BENIGN, which))),
        )
        for what, which in sets.items()
    ]
    columns = (
        "counted as",
        "n",
        "malignant to biopsy",
        "malignant to no follow-up",
        "without callback to no follow-up",
        "benign to biopsy",
    )
    return Table("Sensitivity of 1B to how lesions are counted", columns, tuple(rows))
