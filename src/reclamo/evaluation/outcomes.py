"""What a system said of a set of messages, head by head, beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Calibration
from reclamo.corpus import Example, Targets
from reclamo.engine.decode import Decoder, head_probabilities
from reclamo.tags import HeadTag
from reclamo.taxonomy import Head, Taxonomy

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One head's answers on the messages that have it.

    Attributes:
        rows: (n,) which messages of the set these are.
        truth, chosen: (n, labels); one true value a row for one-of and ordered heads, one column for yes/no heads.
        probabilities: (n, labels), calibrated.
    """

    head: Head
    rows: Indices
    truth: Bools
    chosen: Bools
    probabilities: Floats

    def take(self, wanted: Bools) -> Outcome:
        """Keep the answers on the messages of the set where `wanted` (messages,) holds."""
        kept = wanted[self.rows]
        return Outcome(
            head=self.head,
            rows=self.rows[kept],
            truth=self.truth[kept],
            chosen=self.chosen[kept],
            probabilities=self.probabilities[kept],
        )


def head_outcomes(taxonomy: Taxonomy, calibration: Calibration, logits: Floats, targets: Targets) -> dict[str, Outcome]:
    """Decode every head on the messages that have it by their labels.

    The conditions under which a head is asked are taken as given: the role for the heads of one role, the complaint for its
    grounds, and whatever those hang on in turn. So every head is measured on its own, and not on what an earlier head got wrong. A
    head without conditions, such as the role itself, is read from the text alone.
    """
    decoder = Decoder(taxonomy, calibration)
    found: dict[str, Outcome] = {}
    decoded: dict[tuple[tuple[str, Any], ...], list[dict[str, HeadTag | None]]] = {}
    for head in taxonomy.heads:
        values, asked = targets.head(taxonomy, head.name)
        conditions = all_conditions(taxonomy, head)
        key = tuple(sorted(conditions.items()))
        if key not in decoded:
            decoded[key] = [one.heads for one in decoder.decode(logits, [conditions] * len(logits))]
        rows = np.flatnonzero(asked)
        tags = [decoded[key][row][head.name] for row in rows]
        scores = logits[rows][:, taxonomy.slices[head.name]]
        found[head.name] = Outcome(
            head=head,
            rows=rows,
            truth=truth_matrix(head, values),
            chosen=np.array([chosen_row(head, tag) for tag in tags], dtype=np.bool_).reshape(len(rows), len(head.labels)),
            probabilities=head_probabilities(head, scores, calibration.heads[head.name]),
        )
    return found


def all_conditions(taxonomy: Taxonomy, head: Head) -> dict[str, Any]:
    """Give a head's conditions and those of the heads that they name. Example, part: broken = true -> also kind = a, of broken."""
    found: dict[str, Any] = {}
    for name, value in head.asked_of:
        found |= all_conditions(taxonomy, taxonomy.by_name[name]) | {name: value}
    return found


def end_to_end_outcomes(taxonomy: Taxonomy, calibration: Calibration, logits: Floats, examples: Sequence[Example]) -> dict[str, Outcome]:
    """Decode the any-of heads that hang on a yes/no head without being told that one: grounds with the complaint as predicted.

    Measured on every message where the yes/no head is annotated, and the any-of head too where it is yes; a message that is no
    by its labels has no true label here, so a complaint that was made up costs precision.
    """
    decoder = Decoder(taxonomy, calibration)
    found: dict[str, Outcome] = {}
    for head in taxonomy.heads:
        if head.kind != "any_of" or head.requires is None:
            continue
        outer = {name: value for name, value in all_conditions(taxonomy, head).items() if name != head.requires}
        rows = np.array([k for k, e in enumerate(examples) if _has_chain(e.labels, head, outer)], dtype=np.int64)
        given: list[dict[str, Any]] = [dict(outer)] * len(rows)
        tags = [one.heads[head.name] for one in decoder.decode(logits[rows], given)] if len(rows) else []
        truth = [[label in _labels(examples[row].labels.get(head.name)) for label in head.names] for row in rows]
        shape = (len(rows), len(head.labels))
        found[head.name] = Outcome(
            head=head,
            rows=rows,
            truth=np.array(truth, dtype=np.bool_).reshape(shape),
            chosen=np.array([chosen_row(head, tag) for tag in tags], dtype=np.bool_).reshape(shape),
            probabilities=head_probabilities(head, logits[rows][:, taxonomy.slices[head.name]], calibration.heads[head.name]),
        )
    return found


def _has_chain(labels: Mapping[str, Any], head: Head, outer: Mapping[str, Any]) -> bool:
    met = all(labels.get(name) == value for name, value in outer.items())
    return met and (labels.get(str(head.requires)) is False or (labels.get(str(head.requires)) is True and head.name in labels))


def _labels(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def truth_matrix(head: Head, values: Floats) -> Bools:
    """Turn targets (n, n_logits) into (n, labels). Example, ordered of 4: [1, 1, 0] -> [0, 0, 1, 0]."""
    if head.kind == "ordered":
        return np.asarray(np.eye(len(head.labels), dtype=np.bool_)[values.sum(axis=1).astype(np.int64)])
    return values > 0.5


def chosen_row(head: Head, tag: HeadTag | None) -> list[bool]:
    """Turn a decoded tag into one bool a label. A head that was not asked chose nothing."""
    if tag is None:
        return [False] * len(head.labels)
    if head.kind == "yes_no":
        return [bool(tag.value)]
    if isinstance(tag.value, list):
        return [label in tag.value for label in head.names]
    return [label == tag.value for label in head.names]
