"""Runs the proof: stage by stage for completeness and reachability, end to end for the safety invariants.

A description is carried into the later stages as a summary of what those stages can ask of it, so that the whole product of
descriptions and exams is covered without walking it: equal summaries have equal answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import msgspec

from rules.answer import Answer, apply_effect, follow_management
from rules.conditions import Row
from rules.engine import Ruleset, combine, derive
from rules.facts import NONE, Facts, derived_facts
from rules.proof.domain import (
    asked,
    descriptor_axes,
    distinct,
    exam_axes,
    gate_axes,
    morphology_axis,
    morphology_sets,
    points,
    tissue_axes,
)
from rules.proof.exceptions import Exceptions, Invariant, NamedException
from rules.proof.line import Line
from rules.proof.loop import prove_loop
from rules.table import FactValue, Lexicon
from rules.vocabulary import URGENCY, Management, Recommendation

SUMMARY = (
    "derived",
    "probable_form",
    "governing",
    "distribution",
    "change",
    "progressing",
    "stable",
    "feature_or_symptom",
)
"""The facts of a description that the later stages ask."""


class Summary(NamedTuple):
    """A description as the later stages see it, with the rows that derived its category."""

    rules: tuple[str, ...]
    facts: tuple[FactValue, ...]


class ProofReport(msgspec.Struct, frozen=True):
    """Everything that was proved under one policy, and the exceptions that the table makes to it."""

    table_version: str
    lines: tuple[Line, ...]
    exceptions: tuple[NamedException, ...]

    @property
    def violations(self) -> tuple[str, ...]:
        """What broke, by line."""
        return tuple(f"{line.name}: {violation}" for line in self.lines for violation in line.violations)

    @property
    def ok(self) -> bool:
        """Whether nothing broke."""
        return not self.violations


def prove(ruleset: Ruleset) -> ProofReport:
    """Enumerate the tables under the ruleset's policy; takes seconds."""
    return Proof(ruleset).report()


class Proof:
    """The enumeration of one table under one policy; what earlier stages found is kept for the later ones."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.lexicon: Lexicon = ruleset.lexicon
        self.exceptions = Exceptions(ruleset.deviations)
        self.fired: Counter[str] = Counter()
        self.below: list[str] = []
        later = (*ruleset.context, *ruleset.scoring, *ruleset.category)
        every = (*ruleset.derivation, *ruleset.steps, *later)
        axes = descriptor_axes(ruleset.lexicon, ruleset.policy)
        self.axes = {name: distinct(axis, every) for name, axis in axes.items()}
        self.questions = asked(every)
        exam = exam_axes(ruleset.lexicon, ruleset.policy)
        self.exams = list(
            points([*(distinct(exam[name], later) for name in exam if name != "reported"), exam["reported"]])
        )
        self.summaries: dict[tuple[int, ...], Summary] = {}
        self.ranks: dict[Summary, bytes] = {}
        self.answers: set[tuple[str, str, bool, str, Answer]] = set()

    def report(self) -> ProofReport:
        """Run everything in order; later lines use what earlier ones enumerated."""
        lines = [
            *self._gates(),
            *self._tissue(),
            self.describe(),
            *self._exams(),
            self._management(),
            *self._pairs(),
        ]
        lines.append(self._reached())
        lines += prove_loop(self.ruleset.loop, self.ruleset.limits, self.exceptions)
        lines.append(Line("every named exception is needed", 1, self.exceptions.unneeded()))
        return ProofReport(self.ruleset.version, tuple(lines), self.exceptions.named)

    def _gates(self) -> Iterator[Line]:
        axes = [distinct(axis, self.ruleset.gates) or axis for axis in gate_axes()]
        checked, below = 0, list[str]()
        for point in points(axes):
            if point["reported"] != NONE and not point["recorded"]:
                continue
            checked += 1
            row = next((row for row in self.ruleset.gates if row.holds(point)), None)
            if row is None:
                continue
            self.fired[row.id] += 1
            answer = apply_effect(row.effect(point), point, Answer(), self.lexicon)
            below += self._below(point, answer, [row.id])
        yield Line("gates: inputs enumerated", checked)
        yield Line("gates: never below the radiologist's category", checked, _once(below))

    def _tissue(self) -> Iterator[Line]:
        checked, below = 0, list[str]()
        for point in points(tissue_axes()):
            checked += 1
            for row in self.ruleset.tissue:
                if row.holds(point):
                    self.fired[row.id] += 1
                    effect = row.effect(point)
                    if effect.drop_reported:
                        point["reported"] = NONE
                        continue
                    below += self._below(point, apply_effect(effect, point, Answer(), self.lexicon), [row.id])
                    break
        yield Line("tissue states: inputs enumerated", checked)
        yield Line("tissue states: never below the radiologist's category", checked, _once(below))

    def describe(self) -> Line:
        """Derive the category of every description, and keep what the later stages can be told of it."""
        undecided: list[str] = []
        sizes = [range(len(axis)) for axis in self.axes.values()]
        axes = list(self.axes.values())
        for place in product(*sizes):
            facts: Facts = {}
            for axis, index in zip(axes, place, strict=True):
                facts.update(axis[index])
            fired: list[Row] = []
            try:
                derived = derive(facts, self.ruleset, fired)
            except LookupError:
                undecided.append("an input no row decides")
                continue
            facts.update(derived_facts(facts, derived))
            rules = tuple(row.id for row in fired)
            self.fired.update(rules)
            self.summaries[place] = Summary(rules, tuple(facts[name] for name in SUMMARY))
        return Line("descriptors: every input decided", len(self.summaries), _once(undecided))

    def _exams(self) -> Iterator[Line]:
        below: list[str] = []
        silent: list[str] = []
        direct: list[str] = []
        many = Counter(self.summaries.values())
        by_facts: dict[tuple[FactValue, ...], bytes] = {}
        for summary in many:
            ranks = bytearray()
            described = dict(zip(SUMMARY, summary.facts, strict=True))
            for exam in self.exams:
                facts: Facts = {**exam, **described, "management": NONE}
                fired: list[Row] = []
                answer = combine(facts, self.ruleset, fired)
                rules = (*summary.rules, *(row.id for row in fired))
                if summary.facts not in by_facts:
                    self.fired.update(row.id for row in fired)
                    self._keep(facts, answer)
                ranks.append(_rank(answer))
                below += self._below(facts, answer, rules)
                silent += self._silent(facts, answer, rules)
                direct += self._direct(facts, answer, rules)
            self.ranks[summary] = by_facts.setdefault(summary.facts, bytes(ranks))
        total = len(self.summaries) * len(self.exams)
        yield Line("context and combination: every input decided", total)
        yield Line("never below the radiologist's category", total, _once(below))
        yield Line("nothing suspicious ends in no follow-up without the radiologist's 1 or 2", total, _once(silent))
        yield Line(
            "no biopsy from a screening without work-up, reported 4 or 5, or written biopsy", total, _once(direct)
        )

    def _management(self) -> Line:
        lowered: list[str] = []
        for (reported, system, screening, month, answer), written in product(
            sorted(self.answers, key=repr), Management
        ):
            facts: Facts = {
                "reported": reported,
                "system": system,
                "coded_screening": screening,
                "surveillance_month": month,
                "management": written,
            }
            fired: list[Row] = []
            followed = follow_management(facts, answer, self.ruleset.management, self.lexicon, fired)
            self.fired.update(row.id for row in fired)
            asked_for = URGENCY[Recommendation(self.lexicon.management_implies[written])]
            if _rank(followed) < max(_rank(answer), asked_for):
                lowered.append(f"{written} after {answer.recommendation}")
        checked = len(self.answers) * len(Management)
        return Line("written management is followed where more urgent, never lowers", checked, _once(lowered))

    def _pairs(self) -> Iterator[Line]:
        names = list(self.axes)
        steps: dict[Invariant, list[tuple[int, int]]] = {
            "morphology": self._morphology_steps(),
            "distribution": self._distribution_steps(),
            "feature": [(0, 1), (0, 2), (1, 2)],
            "change": self._change_steps(),
        }
        titles: dict[Invariant, str] = {
            "morphology": "adding a more suspicious morphology never lowers urgency",
            "distribution": "adding a more suspicious distribution never lowers urgency",
            "feature": "adding a symptom or suspicious feature never lowers urgency",
            "change": "stable or decreasing to new, increasing or changed never lowers urgency",
        }
        for name, moves in steps.items():
            axis = names.index(name)
            checked, pairs = 0, set[tuple[Summary, Summary]]()
            for place, summary in self.summaries.items():
                for before, after in moves:
                    if place[axis] == before:
                        checked += 1
                        pairs.add((summary, self.summaries[(*place[:axis], after, *place[axis + 1 :])]))
            broken = {f"{'+'.join(a.rules)} to {'+'.join(b.rules)}" for a, b in pairs if self._lowers(name, a, b)}
            yield Line(titles[name], checked * len(self.exams), tuple(sorted(broken)))

    def _lowers(self, invariant: Invariant, before: Summary, after: Summary) -> bool:
        first, second = self.ranks[before], self.ranks[after]
        if first is second or all(a <= b for a, b in zip(first, second, strict=True)):
            return False
        return not self.exceptions.excuse(invariant, [f"{before.rules[0]}>{after.rules[0]}"])

    def _morphology_steps(self) -> list[tuple[int, int]]:
        """Adding a form that is more suspicious than all that are described; blank descriptions are not compared."""
        sets = morphology_sets(self.lexicon)
        places = dict(
            zip(sets, self._places("morphology", morphology_axis(self.lexicon, self.ruleset.policy)), strict=True)
        )
        order = self.lexicon.governing_order
        moves: set[tuple[int, int]] = set()
        for words in sets:
            ranks = [order.index(word) for word in words if word in order]
            for word in order[: min(ranks, default=len(order))] if words else ():
                larger = next(other for other in sets if set(other) == {*words, word})
                moves.add((places[words], places[larger]))
        return sorted(moves)

    def _distribution_steps(self) -> list[tuple[int, int]]:
        order = list(self.lexicon.distribution_order)
        index = {str(values["distribution"]): place for place, values in enumerate(self.axes["distribution"])}
        return [(index[low], index[high]) for high in order for low in order[order.index(high) + 1 :]]

    def _change_steps(self) -> list[tuple[int, int]]:
        axis = self.axes["change"]
        calm = [place for place, values in enumerate(axis) if values["stable"] or values["change"] == "decreasing"]
        grows = [place for place, values in enumerate(axis) if values["progressing"]]
        return list(product(calm, grows))

    def _places(self, name: str, values: Sequence[Facts]) -> list[int]:
        kept = [self._key(item) for item in self.axes[name]]
        return [kept.index(self._key(item)) for item in values]

    def _key(self, values: Mapping[str, FactValue]) -> tuple[object, ...]:
        questions = self.questions
        return tuple(
            (fact, tuple(values[fact] in allowed for allowed in questions[fact]))
            for fact in values
            if fact in questions
        )

    def _below(self, facts: Facts, answer: Answer, rules: Iterable[str]) -> Iterator[str]:
        implied = self.lexicon.category_implies.get(str(facts["reported"]))
        if facts["system"] == "RCR" and facts["reported"] == "3":
            implied = Recommendation.DIAGNOSTIC_MAMMOGRAM
        if (
            implied
            and _rank(answer) < URGENCY[Recommendation(implied)]
            and not self.exceptions.excuse("category", rules)
        ):
            yield f"{'+'.join(rules)} gives {answer.recommendation} under category {facts['reported']}"

    def _silent(self, facts: Facts, answer: Answer, rules: Iterable[str]) -> Iterator[str]:
        if answer.recommendation != Recommendation.NO_FOLLOW_UP or facts["reported"] in ("1", "2"):
            return
        soft = ("typically_benign", "not_stated", "round", "punctate")
        suspicious = (
            facts["governing"] not in soft
            or (facts["distribution"] == "ductal" and facts["governing"] != "typically_benign")
            or facts["feature_or_symptom"]
        )
        if suspicious and not self.exceptions.excuse("silence", rules):
            yield "+".join(rules)

    def _direct(self, facts: Facts, answer: Answer, rules: Iterable[str]) -> Iterator[str]:
        reported = facts["reported"] in ("4", "4A", "4B", "4C", "5")
        if answer.recommendation == Recommendation.BIOPSY and facts["situation"] == "screening" and not reported:
            yield "+".join(rules)

    def _keep(self, facts: Facts, answer: Answer) -> None:
        kept = (str(facts["reported"]), str(facts["system"]), bool(facts["coded_screening"]))
        self.answers.add((*kept, str(facts["surveillance_month"]), answer))

    def _reached(self) -> Line:
        silent = tuple(f"{rule} never answers" for rule in self.ruleset.rules if not self.fired[rule])
        return Line("every row is reached, none is shadowed whole", len(self.ruleset.rules), silent)


def _once(violations: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(violations))


def _rank(answer: Answer) -> int:
    return URGENCY[Recommendation(answer.recommendation)]
