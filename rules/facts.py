"""The facts of a case: what the conditions of the table may ask, each derived from the case by the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rules.policy import Policy
from rules.table import FactValue, Lexicon
from rules.vocabulary import Case, Morphology

Facts = dict[str, FactValue]

DIAGNOSTIC, SCREENING = "diagnostic", "screening"
NOT_STATED = "not_stated"
NONE = "none"


def facts_of(case: Case, lexicon: Lexicon, policy: Policy) -> Facts:
    """Return every fact that the gates, tissue states and descriptors ask.

    "situation" is screening (screening or unknown context, work-up not known to be done), not_worked_up (diagnostic,
    work-up explicitly not done) or worked_up.
    """
    morphology = set(case.morphology)
    others = morphology.intersection(lexicon.governing_order)
    feature = any(word not in lexicon.not_suspicious_features for word in case.associated_features)
    symptom = not lexicon.symptoms.isdisjoint(case.symptoms)
    progressing = case.change in lexicon.progressing
    return {
        "report_status": case.report_status,
        "modality": case.modality,
        "presence": case.presence,
        "system": case.system,
        "recorded": bool(case.morphology or case.distribution or case.reported_category),
        "reported": case.reported_category or NONE,
        "separate": case.separate_from_known_cancer,
        "neoadjuvant": case.neoadjuvant,
        "biopsy_result": case.biopsy_result or NONE,
        "biopsy_age": _biopsy_age(case.months_since_biopsy),
        "site": case.site,
        "node_benign_cause": case.node_benign_cause,
        "governing": governing(morphology, lexicon),
        "only_governing": len(morphology) == 1,
        "with_punctate": Morphology.PUNCTATE in morphology,
        "benign_only": bool(morphology) and not others,
        "fat_necrosis_form": not lexicon.fat_necrosis_forms.isdisjoint(morphology),
        "mixed": len(morphology) > 1 and bool(others),
        "certainty": case.certainty,
        "distribution": governing_distribution(case.distribution, lexicon),
        "bilateral_similar": case.bilateral_similar,
        "under_five": case.count is not None and case.count < 5,
        "change": case.change,
        "progressing": progressing,
        "stable": case.change in lexicon.stable,
        "priors": case.priors,
        "suspicious_feature": feature,
        "feature_or_symptom": feature or symptom,
        "adjacent_known_cancer": "adjacent_known_cancer" in case.history,
        "personal_cancer": "personal_cancer" in case.history,
        "lumpectomy_site": "lumpectomy_site" in case.history,
        "high_risk_history": not lexicon.high_risk_history.isdisjoint(case.history),
        "radiation": _radiation(case.years_since_rt, float(policy.values["S5"])),
        "male": case.sex == "male",
        "under_50": case.age is not None and case.age < 50,
        "pregnant_or_lactating": case.pregnant or case.lactating,
        "study_context": case.study_context,
        "workup_done": case.workup_done,
        "coded_screening": case.study_context == SCREENING and case.workup_done != "yes",
        "situation": _situation(case),
        "surveillance_month": str(case.surveillance_month),
        "protocol_ended": case.surveillance_month >= int(policy.values["S4"]),
        "overdue": case.overdue,
        "management": case.reported_management or NONE,
    }


def governing(morphology: Iterable[str], lexicon: Lexicon) -> str:
    """Return the morphology that governs (P2): the most suspicious, "typically_benign" or "not_stated"."""
    present = set(morphology)
    for word in lexicon.governing_order:
        if word in present:
            return word
    return "typically_benign" if present else NOT_STATED


def governing_distribution(distribution: Iterable[str], lexicon: Lexicon) -> str:
    """Return the distribution that governs (P2): "ductal", grouped, regional, diffuse or "not_stated"."""
    present = {"ductal" if word in lexicon.ductal else word for word in distribution}
    return next((word for word in lexicon.distribution_order if word in present), NOT_STATED)


def derived_facts(facts: Mapping[str, FactValue], derived: str) -> Facts:
    """Return what context and combination ask besides: the derived category, and probable benign forms."""
    probable = facts["governing"] == "typically_benign" and facts["certainty"] == "probable"
    return {"derived": derived, "probable_form": probable and derived == "3"}


def _biopsy_age(months: float | None) -> str:
    return "24_months_or_more" if months is not None and months >= 24 else "under_24_months"


def _radiation(years: float | None, window: float) -> str:
    if years is None:
        return "unknown"
    return "within_window" if years <= window else "later"


def _situation(case: Case) -> str:
    if case.workup_done == "yes":
        return "worked_up"
    if case.study_context != DIAGNOSTIC:
        return SCREENING
    return "not_worked_up" if case.workup_done == "no" else "worked_up"
