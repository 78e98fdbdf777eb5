"""Coded checks that shout: each looks at a whole run and says what should make a reader stop."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from reclamo.artefact import Calibration
from reclamo.corpus import Example
from reclamo.corpus.overlap import RUN, SHARE, Shingled
from reclamo.evaluation.schema import ALL, CheckResult, Difference, HeadScore, MeanScore, ReliabilityBins
from reclamo.taxonomy import Taxonomy
from reclamo.text.bare import bare

WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a check shouts.

    Attributes:
        least_support: messages or labels below which a figure says nothing.
        leak_f1: F1 of a single word as the whole classifier of a label.
        shingle_words, shared_shingles: two texts overlap when they share this part of their runs of so many words.
        edge: distance of a threshold from 0 or 1. calibration_error: of a yes/no head, where it is not what chance alone gives.
        language_gap: of the mean over heads.
    """

    least_support: int = 20
    leak_f1: float = 0.95
    shingle_words: int = RUN
    shared_shingles: float = SHARE
    edge: float = 0.06
    calibration_error: float = 0.05
    language_gap: float = 0.04


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the checks look at.

    Attributes:
        train: messages labelled in full. read: what else was learnt from.
        changed: files with tested messages that are not as they were when the model was trained.
        unread: what the model was trained on is not at hand.
    """

    taxonomy: Taxonomy
    model: str
    baseline: str
    calibration: Calibration
    scores: Sequence[HeadScore]
    means: Sequence[MeanScore]
    differences: Sequence[Difference]
    train: Sequence[Example]
    test: Mapping[str, Sequence[Example]]
    read: Sequence[Example] = ()
    changed: Sequence[str] = ()
    unread: bool = False
    limits: Limits = field(default_factory=Limits)


Findings = list[str] | None  # None: not applicable
Check = Callable[[Evidence], Findings]


def worse_than_baseline(evidence: Evidence) -> Findings:
    """A head of the model scores below the baseline over all languages of a set."""
    mine = [d for d in evidence.differences if d.baseline == evidence.baseline and _whole(d.language, d.set, evidence)]
    if not mine:
        return None
    return [
        f"{d.set}: {d.head} is {-100 * d.difference.value:.1f} points below {d.baseline}"
        + (" (the interval is clear of 0)" if d.difference.high < 0 else "")
        for d in mine
        if d.difference.value < 0
    ]


def _whole(language: str, set_name: str, evidence: Evidence) -> bool:
    """True for `all`, and for the only language of a set."""
    return language == ALL or not any(one.set == set_name and one.language == ALL for one in evidence.means)


def token_gives_label_away(evidence: Evidence) -> Findings:
    """One word alone is nearly a perfect classifier of a label, in training and test together."""
    examples = [*evidence.train, *(example for part in evidence.test.values() for example in part)]
    if len(examples) < evidence.limits.least_support:
        return None
    words = [frozenset(WORD.findall(bare(example.text))) for example in examples]
    found = []
    for head in evidence.taxonomy.heads:
        rows = [row for row, example in enumerate(examples) if head.name in example.labels]
        counts = Counter(word for row in rows for word in words[row])
        for label in head.names:
            has = [row for row in rows if _has(examples[row].labels[head.name], label)]
            if not evidence.limits.least_support <= len(has) <= len(rows) - evidence.limits.least_support:
                continue
            word, f1 = _best_word(Counter(word for row in has for word in words[row]), counts, len(has))
            if f1 >= evidence.limits.leak_f1:
                found.append(f"{head.name}.{label}: the word {word!r} alone has F1 {f1:.2f}")
    return found


def _has(value: object, label: str) -> bool:
    return label in value if isinstance(value, tuple) else value is True or value == label


def _best_word(among: Counter[str], everywhere: Counter[str], support: int) -> tuple[str, float]:
    scored = ((2 * hits / (everywhere[word] + support), word) for word, hits in among.items())
    f1, word = max(scored, default=(0.0, ""))
    return word, f1


def train_test_overlap(evidence: Evidence) -> Findings:
    """A tested message is also a training message: the same scenario, the same text, or most of its runs of words."""
    if not evidence.train or not evidence.test:
        return None
    learnt = [*evidence.train, *evidence.read]
    scenarios = {example.meta.get("scenario") for example in learnt} - {None}
    training, share = Shingled([example.text for example in learnt], evidence.limits.shingle_words), evidence.limits.shared_shingles
    found = [
        f"{name} holds test messages and has changed since the training: which of them it had cannot be known" for name in evidence.changed
    ]
    for name, examples in evidence.test.items():
        shared = [e.id for e in examples if e.meta.get("scenario") in scenarios]
        near = [e.id for e in examples if e.meta.get("scenario") not in scenarios and training.holding(e.text, share)]
        found += [f"{name}: {len(shared)} messages share a scenario with training ({_few(shared)})"] if shared else []
        found += [f"{name}: {len(near)} texts stand in training too, wholly or for the most part ({_few(near)})"] if near else []
    return None if evidence.unread and not found else found


def _few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "")


def never_says_yes(evidence: Evidence) -> Findings:
    """A label that the test holds is never given."""
    mine = [one for one in evidence.scores if one.system == evidence.model and _whole(one.language, one.set, evidence)]
    labels = [(one, label) for one in mine for label in one.labels if label.support >= evidence.limits.least_support]
    if not labels:
        return None
    return [
        f"{one.set}: {one.head}.{label.name} is never said, {label.support} messages have it" for one, label in labels if not label.said
    ]


def thresholds_on_edge(evidence: Evidence) -> Findings:
    """A threshold lies at the end of its range: the label is as good as always or never said."""
    edge = evidence.limits.edge
    all_thresholds = [
        (f"{head.name}.{label}", threshold)
        for head in evidence.taxonomy.heads
        for label, threshold in zip(head.names, evidence.calibration.heads[head.name].thresholds, strict=False)
    ]
    if not all_thresholds:
        return None
    return [f"{name}: threshold {threshold:.3f}" for name, threshold in all_thresholds if not edge < threshold < 1 - edge]


def calibration_off(evidence: Evidence) -> Findings:
    """The probabilities of a yes/no head are not what happens, by more than chance would do to right ones."""
    kinds = {head.name: head.kind for head in evidence.taxonomy.heads}
    mine = [
        one
        for one in evidence.scores
        if one.system == evidence.model and kinds[one.head] == "yes_no" and one.messages >= 5 * evidence.limits.least_support
    ]
    if not mine:
        return None
    found = []
    for one in mine:
        chance = chance_error(one.reliability)
        if one.calibration_error > max(evidence.limits.calibration_error, chance):
            found.append(
                f"{one.set}, {one.language}: calibration error of {one.head} is {one.calibration_error:.3f}; right probabilities "
                f"on so many messages stay below {chance:.3f} in 19 of 20 draws"
            )
    return found


def chance_error(bins: ReliabilityBins, draws: int = 500, seed: int = 17) -> float:
    """The 95 % point of the calibration error of right probabilities: outcomes drawn bin by bin from the mean probabilities."""
    counts, means = np.array(bins.counts), np.array(bins.confidence)
    hits = np.random.default_rng(seed).binomial(counts, np.clip(means, 0.0, 1.0), size=(draws, len(counts)))
    return float(np.quantile(np.abs(hits - counts * means).sum(axis=1) / max(counts.sum(), 1), 0.95))


def language_behind(evidence: Evidence) -> Findings:
    """A language's mean over the heads that all languages of the set have is well below that of the best."""
    found: list[str] = []
    compared = False
    for name in evidence.test:
        means = _means_on_common_heads(evidence, name)
        if len(means) < 2:
            continue
        compared = True
        best = max(means, key=lambda language: means[language])
        found += [
            f"{name}: {language} is {100 * (means[best] - mean):.1f} points behind {best}"
            for language, mean in means.items()
            if means[best] - mean > evidence.limits.language_gap
        ]
    return found if compared else None


def _means_on_common_heads(evidence: Evidence, set_name: str) -> dict[str, float]:
    by_language: dict[str, dict[str, float]] = {}
    for one in evidence.scores:
        if one.system == evidence.model and one.set == set_name and one.language != ALL and one.messages >= evidence.limits.least_support:
            by_language.setdefault(one.language, {})[one.head] = one.score.value
    common = set.intersection(*(set(heads) for heads in by_language.values())) if by_language else set()
    return {language: float(np.mean([heads[h] for h in sorted(common)])) for language, heads in by_language.items()} if common else {}


CHECKS: Final[tuple[Check, ...]] = (
    worse_than_baseline,
    token_gives_label_away,
    train_test_overlap,
    never_says_yes,
    thresholds_on_edge,
    calibration_off,
    language_behind,
)


def run_checks(evidence: Evidence, checks: Iterable[Check] = CHECKS) -> list[CheckResult]:
    """Run every check: `alarm` with findings, `silent`, or `not_applicable`."""
    results = []
    for check in checks:
        findings = check(evidence)
        status = "not_applicable" if findings is None else "alarm" if findings else "silent"
        results.append(CheckResult.model_validate({"check": check.__name__, "status": status, "findings": findings or []}))
    return results
