"""The result file: everything that the reports and the card say, and what it was measured with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reclamo.errors import UsageError

RESULT_FORMAT: Final = 1
ALL: Final = "all"
MEAN: Final = "mean"
Status = Literal["alarm", "silent", "not_applicable"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Interval(_Strict):
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


class LabelScore(_Strict):
    """One label: `support` messages have it, `said` were given it."""

    name: str
    support: int
    said: int
    precision: float
    recall: float
    f1: float
    average_precision: float | None


class ReliabilityBins(_Strict):
    """Ten bins of probability, for the reliability curve."""

    counts: list[int]
    confidence: list[float]
    frequency: list[float]


class HeadScore(_Strict):
    """One system on one head in one language (or `all`) of one set."""

    system: str
    set: str
    language: str
    head: str
    metric: Literal["macro_f1", "micro_f1"]
    messages: int
    score: Interval
    macro_f1: float
    micro_f1: float
    average_precision: float | None
    calibration_error: float
    brier: float
    quadratic_kappa: float | None
    labels: list[LabelScore]
    confusion_labels: list[str]
    confusion: list[list[int]] | None
    reliability: ReliabilityBins


class MeanScore(_Strict):
    """The mean of the headline scores over the heads that the set holds."""

    system: str
    set: str
    language: str
    heads: int
    score: Interval


class Difference(_Strict):
    """A system minus another, on the same messages; `head` is a head or `mean`. `mcnemar_p` for yes/no heads."""

    system: str
    baseline: str
    set: str
    language: str
    head: str
    difference: Interval
    mcnemar_p: float | None = None


class EndToEndScore(_Strict):
    """An any-of head whose yes/no head was predicted, not given: micro-F1 over all messages of the role."""

    system: str
    set: str
    language: str
    head: str
    messages: int
    score: Interval


class SliceScore(_Strict):
    """The mean over heads, and each head, on the messages of a slice."""

    system: str
    set: str
    kind: str
    value: str
    messages: int
    mean: float
    heads: dict[str, float]


class GreeklishScore(_Strict):
    """The mean over heads on the Greek messages of a set, and on the same in Latin letters; `difference` is the second minus the first.

    `detected` is the share of those in Latin letters that are found to be Greek; `heads` holds both scores of each head.
    """

    system: str
    set: str
    messages: int
    detected: float
    greek: float
    greeklish: float
    difference: Interval
    heads: dict[str, tuple[float, float]]


class FaithfulnessScore(_Strict):
    """The fall of an answer's probability without its words (comprehensiveness) and with them alone (sufficiency).

    `head` is a head or `mean`; `answers` is how many had evidence. `times_random` is comprehensiveness over that of random
    words, None where theirs is not above 0.
    """

    system: str
    set: str
    language: str
    head: str
    answers: int
    comprehensiveness: float
    random_comprehensiveness: float
    times_random: float | None
    sufficiency: float
    random_sufficiency: float


class BehaviourScore(_Strict):
    """Behavioural tests of one capability: how many cases, and how many were passed."""

    system: str
    kind: Literal["functionality", "invariance", "direction"]
    capability: str
    language: str
    cases: int
    passed: int
    mean_shift: float | None = None


class CheckResult(_Strict):
    """One coded check: `alarm` with what was seen, or silent, or not applicable."""

    check: str
    status: Status
    findings: list[str]


class Cost(_Strict):
    """What a system costs on the machine of the run."""

    messages_per_second: float
    start_seconds: float | None
    megabytes: float | None


class SystemInfo(_Strict):
    """A system that was measured, with its calibration and whatever was chosen when it was fitted."""

    name: str
    description: str
    cost: Cost
    thresholds: dict[str, list[float]]
    temperatures: dict[str, float]
    settings: dict[str, str] = {}


class SetInfo(_Strict):
    """A set of messages that was measured: how many, by language and by head; whether they are real."""

    name: str
    messages: int
    languages: dict[str, int]
    heads: dict[str, int]


class RiskPoint(_Strict):
    """With `coverage` of the messages answered, the surest first, `risk` of them had a wrong exclusive or yes/no head."""

    coverage: float
    risk: float


class Risk(_Strict):
    """The risk-coverage curve of one system on one set, and the area under it."""

    system: str
    set: str
    area: float
    points: list[RiskPoint]


class Epoch(_Strict):
    """One point of the learning curve: the epoch, its training loss and the validation score."""

    epoch: int
    loss: float
    score: float


class Provenance(_Strict):
    """What the figures were measured with."""

    reclamo: str
    python: str
    versions: dict[str, str]
    git: str | None
    seed: int
    resamples: int
    taxonomy: str
    taxonomy_sha256: str
    model: str
    model_files: dict[str, str]
    data_sha256: dict[str, str]
    trained_on: dict[str, int]  # of the baselines, as the data were found at the evaluation
    tagger_trained_on: dict[str, int] | None = None  # by its manifest; None where that does not say, and in older files
    created: str
    seconds: float


class Result(_Strict):
    """A whole evaluation."""

    format: Annotated[int, Field(ge=1, le=RESULT_FORMAT)] = RESULT_FORMAT
    provenance: Provenance
    model: str
    baseline: str
    agreement: dict[str, float]
    systems: list[SystemInfo]
    sets: list[SetInfo]
    scores: list[HeadScore]
    means: list[MeanScore]
    differences: list[Difference]
    end_to_end: list[EndToEndScore]
    slices: list[SliceScore]
    greeklish: list[GreeklishScore] = []
    faithfulness: list[FaithfulnessScore] = []
    behaviour: list[BehaviourScore]
    risk: list[Risk]
    learning: list[Epoch]
    checks: list[CheckResult]

    def score(self, system: str, set_name: str, language: str, head: str) -> HeadScore | None:
        """Find one head's score; None where the set does not hold it."""
        wanted = (system, set_name, language, head)
        return next((one for one in self.scores if (one.system, one.set, one.language, one.head) == wanted), None)

    def mean(self, system: str, set_name: str, language: str) -> MeanScore | None:
        """Find the mean over heads."""
        return next((one for one in self.means if (one.system, one.set, one.language) == (system, set_name, language)), None)

    def difference(self, system: str, baseline: str, set_name: str, language: str, head: str) -> Difference | None:
        """Find the difference of two systems on a head or on the mean."""
        wanted = (system, baseline, set_name, language, head)
        found = (d for d in self.differences if (d.system, d.baseline, d.set, d.language, d.head) == wanted)
        return next(found, None)

    def languages(self, set_name: str) -> list[str]:
        """The languages of a set, `all` last where there are several."""
        names = next((list(one.languages) for one in self.sets if one.name == set_name), [])
        return [*names, ALL] if len(names) > 1 else names

    def heads(self, set_name: str) -> list[str]:
        """The heads that a set holds, in the order of the taxonomy."""
        return next((list(one.heads) for one in self.sets if one.name == set_name), [])


def write_result(result: Result, path: Path) -> None:
    """Write the JSON form."""
    path.write_text(json.dumps(result.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_result(path: Path) -> Result:
    """Read what `write_result` wrote.

    Raises:
        UsageError: the file is missing, or is not a result of this form.
    """
    try:
        return Result.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror}); run evaluate.py first", path=path) from error
    except ValidationError as error:
        raise UsageError(f"is no result file of format {RESULT_FORMAT}: {_first(error.errors())}", path=path) from error


def _first(problems: Sequence[object]) -> str:
    return str(problems[0]) if problems else "it does not fit the form"
