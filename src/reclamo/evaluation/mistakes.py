"""The answers that were surest and wrong, with the words that misled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from reclamo.corpus import Example
from reclamo.engine import Tagger
from reclamo.evaluation.compare import Comparison, Measured
from reclamo.evaluation.metrics import score_names
from reclamo.evaluation.outcomes import Outcome
from reclamo.message import Message
from reclamo.tags import Evidence

MOST: Final = 6


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One wrong answer: the message, the head, what is true, what was said with which probability, and the evidence for it.

    `text` is None for messages of a private set.
    """

    set: str
    id: str
    language: str
    head: str
    truth: str
    said: str
    probability: float
    text: str | None
    evidence: Sequence[Evidence] = ()


def worst_mistakes(tagger: Tagger, found: Comparison, most: int = MOST) -> list[Mistake]:
    """Give the surest wrong answers of the tagger, head by head, with their evidence."""
    mistakes: list[Mistake] = []
    for measured in found.measured:
        if measured.system.name != tagger.name:
            continue
        for outcome in measured.outcomes.values():
            mistakes += [_describe(tagger, measured, outcome, *place) for place in surest_wrong(outcome, most)]
    return mistakes


def surest_wrong(outcome: Outcome, most: int) -> Iterator[tuple[int, int]]:
    """Give (answer, label) of the surest wrong answers, one a message.

    The label is the one said for exclusive heads; for the others the one whose probability is farthest from the truth.
    """
    wrong = (outcome.truth != outcome.chosen).any(axis=1)
    if outcome.head.exclusive:
        column = outcome.chosen.argmax(axis=1)
        sure = outcome.probabilities[np.arange(len(column)), column] if len(column) else np.zeros(0)
    else:
        gaps = np.where(outcome.truth != outcome.chosen, np.abs(outcome.probabilities - outcome.truth), -1.0)
        column = gaps.argmax(axis=1)
        sure = gaps.max(axis=1)
    for index in np.argsort(np.where(wrong, -sure, np.inf), kind="stable")[:most]:
        if wrong[index]:
            yield int(index), int(column[index])


def _describe(tagger: Tagger, measured: Measured, outcome: Outcome, index: int, column: int) -> Mistake:
    example = measured.set.examples[outcome.rows[index]]
    key, name = outcome.head.name, outcome.head.names[column]
    probability = float(outcome.probabilities[index, column])
    if outcome.head.kind == "any_of":
        key = f"{key}.{name}"
    shown = None if measured.set.private else example.text
    return Mistake(
        set=measured.set.name,
        id=example.id,
        language=example.lang or "unknown",
        head=outcome.head.name,
        truth=_named(outcome, outcome.truth[index]),
        said=_named(outcome, outcome.chosen[index]),
        probability=round(probability, 3),
        text=shown,
        evidence=_evidence(tagger, example, key) if shown is not None else (),
    )


def _named(outcome: Outcome, row: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> str:
    if outcome.head.kind == "yes_no":
        return score_names(outcome)[int(row[0])]
    return ", ".join(name for name, holds in zip(outcome.head.names, row, strict=True) if holds) or "nothing"


def _evidence(tagger: Tagger, example: Example, key: str) -> Sequence[Evidence]:
    tags = tagger.tag(Message(id=example.id, text=example.text, role=example.role, lang=example.lang))
    return tags.evidence.get(key, ()) if tags.text == example.text else ()
