"""How far two readers agree: F1 and Cohen's kappa by head and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus.example import LabelValue, parse_labels
from reclamo.corpus.export import read_rows
from reclamo.corpus.readers import corpus_files, raw_labels
from reclamo.corpus.targets import head_is_asked
from reclamo.errors import CorpusError
from reclamo.taxonomy import Head, Taxonomy

ALL: Final = "all"
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The labels that one reader gave a message."""

    lang: str | None
    labels: Mapping[str, LabelValue]


@dataclass(frozen=True, kw_only=True)
class HeadAgreement:
    """Agreement on one head in one language (or `all`).

    Attributes:
        messages: asked of and annotated by both. metric: macro_f1 or micro_f1. f1: symmetric between the readers.
        kappa: Cohen's (1960); of any-of heads over all decisions, label by label; None where no disagreement is possible.
        weighted_kappa: with quadratic weights (Cohen, 1968), of ordered heads.
    """

    head: str
    lang: str
    messages: int
    metric: str
    f1: float | None
    kappa: float | None
    weighted_kappa: float | None = None


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A head on which two readers differ."""

    id: str
    head: str
    a: LabelValue
    b: LabelValue


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of two label files. `only_a` and `only_b` count the ids that one of them lacks."""

    messages: int
    only_a: int
    only_b: int
    heads: tuple[HeadAgreement, ...]
    disagreements: tuple[Disagreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    def table(self) -> str:
        """Lay it out for a terminal."""
        rows = [_COLUMNS, *map(_cells, self.heads)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
        return "\n".join([self._summary(), "", *lines])

    def markdown(self) -> str:
        """Lay it out for the dataset card."""
        rows = [_COLUMNS, ("---", "---", "---:", "---", "---:", "---:", "---:"), *map(_cells, self.heads)]
        return "\n".join([self._summary(), "", *("| " + " | ".join(row) + " |" for row in rows)])

    def _summary(self) -> str:
        alone = "" if not self.only_a and not self.only_b else f"; {self.only_a} only in the first file, {self.only_b} only in the second"
        return f"{self.messages} messages labelled twice{alone}; {len(self.disagreements)} labels differ"


_COLUMNS: Final = ("head", "language", "messages", "score", "F1", "kappa", "weighted kappa")


def _cells(row: HeadAgreement) -> tuple[str, ...]:
    figures = ("–" if value is None else f"{value:.3f}" for value in (row.f1, row.kappa, row.weighted_kappa))
    return (row.head, row.lang, str(row.messages), row.metric.replace("_f1", "-F1"), *figures)


def read_labels(path: str | Path, taxonomy: Taxonomy) -> dict[str, Reading]:
    """Read the labels of a file or folder by id; rows need no text.

    Raises:
        CorpusError: the file is missing, a row has no id or one that stands twice, or its labels break a rule.
    """
    readings: dict[str, Reading] = {}
    for file in corpus_files(Path(path)):
        for number, row in read_rows(file):
            name = str(row.get("id") or "")
            if not name or name in readings:
                problem = f"the id {name!r} stands twice" if name else "the row has no id"
                raise CorpusError(f"{problem}; labels are compared by id", path=file, line=number)
            try:
                labels = parse_labels(raw_labels(row, taxonomy), taxonomy)
            except ValueError as error:
                raise CorpusError(str(error), path=file, line=number) from error
            readings[name] = Reading(lang=row.get("lang"), labels=labels)
    return readings


def agreement(a: Mapping[str, Reading], b: Mapping[str, Reading], taxonomy: Taxonomy) -> Agreement:
    """Compare the labels of two readers by id. The role, where only one file gives it, counts for both.

    Raises:
        CorpusError: the two have no id in common.
    """
    ids = [name for name in a if name in b]
    if not ids:
        raise CorpusError("the two files have no id in common; give two files of labels for the same messages")
    pairs = {name: _with_shared_role(a[name].labels, b[name].labels) for name in ids}
    langs = {name: a[name].lang or b[name].lang or "?" for name in ids}
    known = sorted(set(langs.values()), key=lambda lang: (lang not in taxonomy.languages, lang))
    heads: list[HeadAgreement] = []
    differ: list[Disagreement] = []
    for head in taxonomy.heads:
        both = [name for name in ids if all(head_is_asked(head, labels) for labels in pairs[name])]
        for lang in (*known, ALL):
            values = [(pairs[name][0][head.name], pairs[name][1][head.name]) for name in both if lang in (ALL, langs[name])]
            if values and not (lang == ALL and len(known) == 1):
                heads.append(head_agreement(head, lang, values))
        for name in both:
            left, right = (labels[head.name] for labels in pairs[name])
            if left != right:
                differ.append(Disagreement(id=name, head=head.name, a=left, b=right))
    return Agreement(messages=len(ids), only_a=len(a) - len(ids), only_b=len(b) - len(ids), heads=tuple(heads), disagreements=tuple(differ))


def _with_shared_role(
    a: Mapping[str, LabelValue], b: Mapping[str, LabelValue]
) -> tuple[Mapping[str, LabelValue], Mapping[str, LabelValue]]:
    if "role" in a and "role" not in b:
        return a, {"role": a["role"], **b}
    return ({"role": b["role"], **a}, b) if "role" in b and "role" not in a else (a, b)


def head_agreement(head: Head, lang: str, values: Sequence[tuple[LabelValue, LabelValue]]) -> HeadAgreement:
    """Score pairs of values of one head."""
    tables = _tables(head, values)
    if head.kind == "any_of":
        pooled = tables.sum(axis=0)
        return HeadAgreement(head=head.name, lang=lang, messages=len(values), metric="micro_f1", f1=_f1(pooled), kappa=cohen_kappa(pooled))
    confusion = tables[0]
    per_label = [_f1_of(confusion, k) for k in range(len(confusion)) if confusion[k].sum() + confusion[:, k].sum()]
    weighted = cohen_kappa(confusion, quadratic=True) if head.kind == "ordered" else None
    return HeadAgreement(
        head=head.name,
        lang=lang,
        messages=len(values),
        metric="macro_f1",
        f1=float(np.mean(per_label)),
        kappa=cohen_kappa(confusion),
        weighted_kappa=weighted,
    )


def _tables(head: Head, values: Sequence[tuple[LabelValue, LabelValue]]) -> Counts:
    """Confusion tables (a by b): one of all labels, or for any-of heads one of no/yes for each label."""
    if head.kind == "any_of":
        tables = np.zeros((len(head.names), 2, 2), dtype=np.int64)
        for left, right in values:
            for k, name in enumerate(head.names):
                tables[k, int(name in _labels(left)), int(name in _labels(right))] += 1
        return tables
    names: Sequence[LabelValue] = (False, True) if head.kind == "yes_no" else head.names
    tables = np.zeros((1, len(names), len(names)), dtype=np.int64)
    for left, right in values:
        tables[0, names.index(left), names.index(right)] += 1
    return tables


def _labels(value: LabelValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _f1(yes_no: Counts) -> float | None:
    total = 2 * yes_no[1, 1] + yes_no[0, 1] + yes_no[1, 0]
    return float(2 * yes_no[1, 1] / total) if total else None


def _f1_of(confusion: Counts, k: int) -> float:
    return float(2 * confusion[k, k] / (confusion[k].sum() + confusion[:, k].sum()))


def cohen_kappa(confusion: Counts, *, quadratic: bool = False) -> float | None:
    """Cohen's kappa of a confusion table; None where both readers gave one label throughout.

    Example: [[20, 5], [10, 15]] -> 0.4.
    """
    levels = np.arange(len(confusion))
    distance = (levels[:, None] - levels[None, :]).astype(np.float64)
    weights = distance**2 if quadratic else (distance != 0).astype(np.float64)
    expected = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    spread = float((weights * expected).sum())
    return 1.0 - float((weights * confusion).sum()) / spread if spread > 0 else None
