"""Measure all systems on the same messages in one run, with paired intervals of their differences."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from reclamo.artefact import Calibration
from reclamo.baselines import Predictor
from reclamo.corpus import Example, Targets, encode_targets
from reclamo.evaluation.bootstrap import Draws, mcnemar, mean_over_heads
from reclamo.evaluation.metrics import Counts
from reclamo.evaluation.outcomes import Bools, Floats, Indices, Outcome, end_to_end_outcomes, head_outcomes
from reclamo.evaluation.schema import (
    ALL,
    MEAN,
    Cost,
    Difference,
    EndToEndScore,
    HeadScore,
    Interval,
    MeanScore,
    Risk,
    RiskPoint,
    SetInfo,
    SystemInfo,
)
from reclamo.evaluation.scores import as_interval, head_score, rounded, score_with_resamples
from reclamo.taxonomy import Taxonomy
from reclamo.training.calibration import risk_coverage

Progress = Callable[[str], None]
LEAST_MESSAGES: Final = 10  # a head with fewer messages in a language takes no part in the mean over heads


@dataclass(frozen=True, kw_only=True)
class System:
    """A predictor with the calibration fitted for it on validation, and what it takes to start it."""

    predictor: Predictor
    calibration: Calibration
    description: str
    start_seconds: float | None = None
    megabytes: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the reports call it."""
        return self.predictor.name


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """Labelled messages that are measured and were never trained on. Texts of a private set are shown nowhere."""

    name: str
    examples: Sequence[Example]
    targets: Targets
    private: bool = False

    @classmethod
    def of(cls, name: str, examples: Sequence[Example], taxonomy: Taxonomy, *, private: bool = False) -> EvaluationSet:
        """Encode the labels."""
        return cls(name=name, examples=examples, targets=encode_targets(examples, taxonomy), private=private)

    def languages(self) -> dict[str, Bools]:
        """Which messages are in each language, and in `all` where there are several."""
        codes = np.array([example.lang or "unknown" for example in self.examples], dtype=np.str_)
        found = {str(code): codes == code for code in sorted(set(codes.tolist()))}
        return found | {ALL: np.ones(len(codes), dtype=np.bool_)} if len(found) > 1 else found


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One system on one set: its logits, its answers by head, and the seconds that it took."""

    system: System
    set: EvaluationSet
    logits: Floats
    outcomes: Mapping[str, Outcome]
    end_to_end: Mapping[str, Outcome]
    seconds: float


@dataclass(kw_only=True)
class Comparison:
    """All figures of a run, in the form of the result file."""

    measured: list[Measured] = field(default_factory=list)
    scores: list[HeadScore] = field(default_factory=list)
    means: list[MeanScore] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    end_to_end: list[EndToEndScore] = field(default_factory=list)
    risk: list[Risk] = field(default_factory=list)

    def of(self, system: str, set_name: str) -> Measured:
        """What was measured of one system on one set."""
        return next(one for one in self.measured if one.system.name == system and one.set.name == set_name)


def measure(system: System, one_set: EvaluationSet, taxonomy: Taxonomy) -> Measured:
    """Score and decode a set with one system."""
    started = time.perf_counter()
    logits = system.predictor.logits(one_set.examples)
    seconds = time.perf_counter() - started
    return Measured(
        system=system,
        set=one_set,
        logits=logits,
        outcomes=head_outcomes(taxonomy, system.calibration, logits, one_set.targets),
        end_to_end=end_to_end_outcomes(taxonomy, system.calibration, logits, one_set.examples),
        seconds=seconds,
    )


def compare(
    systems: Sequence[System],
    sets: Sequence[EvaluationSet],
    taxonomy: Taxonomy,
    *,
    resamples: int = 2000,
    seed: int = 17,
    progress: Progress | None = None,
) -> Comparison:
    """Measure every system on every set; the first system is compared with each of the others.

    Headline scores, their means over heads and the differences get 95 % intervals from the same draws of groups.
    """
    found = Comparison()
    for one_set in sets:
        for system in systems:
            if progress:
                progress(f"measuring {system.name} on {one_set.name} ({len(one_set.examples)} messages)")
            found.measured.append(measure(system, one_set, taxonomy))
        measured = found.measured[-len(systems) :]
        for language, wanted in one_set.languages().items():
            groups = [example.group for example, keep in zip(one_set.examples, wanted, strict=True) if keep]
            _compare_language(found, measured, language, wanted, Draws.of(groups, resamples, seed))
        found.risk.extend(_risk(one, taxonomy) for one in measured)
    return found


def _compare_language(found: Comparison, measured: Sequence[Measured], language: str, wanted: Bools, draws: Draws) -> None:
    place = np.cumsum(wanted) - 1
    resampled: dict[str, dict[str, Counts]] = {}
    points: dict[str, dict[str, float]] = {}
    for one in measured:
        name = one.system.name
        points[name], resampled[name] = {}, {}
        for head, whole in one.outcomes.items():
            outcome = whole.take(wanted)
            scored = score_with_resamples(outcome, draws, place)
            if scored is not None:
                points[name][head], resampled[name][head] = scored
                found.scores.append(head_score(name, one.set.name, language, outcome, as_interval(*scored)))
        found.end_to_end.extend(_end_to_end(one, language, wanted, draws, place))
    first = measured[0]
    counted = [
        head  # of every system, so that all means are over the same heads
        for head in points[first.system.name]
        if wanted[first.outcomes[head].rows].sum() >= LEAST_MESSAGES and all(head in mine for mine in points.values())
    ]
    for one in measured if counted else ():
        name = one.system.name
        mean = float(np.mean([points[name][head] for head in counted]))
        samples = mean_over_heads([resampled[name][head] for head in counted])
        points[name][MEAN], resampled[name][MEAN] = mean, samples
        found.means.append(_mean_score(one, language, len(counted), as_interval(mean, samples)))
    for other in measured[1:]:
        for head in points[first.system.name]:
            if head in points[other.system.name]:
                found.differences.append(_difference(first, other, language, wanted, head, points, resampled))


def _mean_score(one: Measured, language: str, heads: int, score: Interval) -> MeanScore:
    return MeanScore(system=one.system.name, set=one.set.name, language=language, heads=heads, score=score)


def _end_to_end(one: Measured, language: str, wanted: Bools, draws: Draws, place: Indices) -> Iterator[EndToEndScore]:
    for head, whole in one.end_to_end.items():
        outcome = whole.take(wanted)
        scored = score_with_resamples(outcome, draws, place)
        if scored is not None:
            yield EndToEndScore(
                system=one.system.name,
                set=one.set.name,
                language=language,
                head=head,
                messages=len(outcome.rows),
                score=as_interval(*scored),
            )


def _difference(
    first: Measured,
    other: Measured,
    language: str,
    wanted: Bools,
    head: str,
    points: Mapping[str, Mapping[str, float]],
    resampled: Mapping[str, Mapping[str, Counts]],
) -> Difference:
    a, b = first.system.name, other.system.name
    p = None
    if head != MEAN and first.outcomes[head].head.kind == "yes_no":
        one, two = first.outcomes[head].take(wanted), other.outcomes[head].take(wanted)
        p = round(mcnemar((one.truth == one.chosen)[:, 0], (two.truth == two.chosen)[:, 0]), 6)
    gap = as_interval(points[a][head] - points[b][head], resampled[a][head] - resampled[b][head])
    return Difference(system=a, baseline=b, set=first.set.name, language=language, head=head, difference=gap, mcnemar_p=p)


def _risk(one: Measured, taxonomy: Taxonomy) -> Risk:
    curve = risk_coverage(taxonomy, one.logits, one.set.targets, dict(one.system.calibration.heads))
    points = sorted({(round(1 - share, 4), round(risk, 4)) for _, share, risk in curve})
    coverage, risk = np.array(points).T
    area = float(np.trapezoid(risk, coverage) / (coverage[-1] - coverage[0])) if len(points) > 1 else float(risk[0])
    return Risk(system=one.system.name, set=one.set.name, area=rounded(area), points=[RiskPoint(coverage=c, risk=r) for c, r in points])


def describe_system(system: System, measured: Sequence[Measured]) -> SystemInfo:
    """Sum up a system for the result file; its speed is that over all sets."""
    seconds = sum(one.seconds for one in measured if one.system.name == system.name)
    messages = sum(len(one.set.examples) for one in measured if one.system.name == system.name)
    heads = system.calibration.heads
    return SystemInfo(
        name=system.name,
        description=system.description,
        cost=Cost(
            messages_per_second=round(messages / max(seconds, 1e-6), 1),
            start_seconds=None if system.start_seconds is None else round(system.start_seconds, 2),
            megabytes=None if system.megabytes is None else round(system.megabytes, 1),
        ),
        thresholds={name: [round(t, 4) for t in one.thresholds] for name, one in heads.items()},
        temperatures={name: round(one.temperature, 4) for name, one in heads.items()},
        settings=dict(system.settings),
    )


def describe_set(one_set: EvaluationSet, taxonomy: Taxonomy) -> SetInfo:
    """Count the messages of a set by language and by head."""
    languages = {name: int(mask.sum()) for name, mask in one_set.languages().items() if name != ALL}
    asked = one_set.targets.mask.sum(axis=0)
    heads = {head.name: int(n) for head, n in zip(taxonomy.heads, asked, strict=True) if n}
    return SetInfo(name=one_set.name, messages=len(one_set.examples), languages=languages, heads=heads)
