"""Labels as arrays: what the network and the baselines are trained on and measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus.example import Example, LabelValue
from reclamo.taxonomy import Head, Taxonomy


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Targets of N messages.

    Attributes:
        values: float32, shape (N, taxonomy.n_logits): one-hot, yes/no, many-hot, or cumulative (level > k).
        mask: bool, shape (N, heads): the head was asked and annotated.
    """

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def head(self, taxonomy: Taxonomy, name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Give the values (n, n_logits) of the asked messages of one head, and which those are (N,)."""
        index = list(taxonomy.by_name).index(name)
        asked = self.mask[:, index]
        return self.values[asked, taxonomy.slices[name]], asked


def encode_value(head: Head, value: LabelValue) -> NDArray[np.float32]:
    """Encode one head's value.

    Examples: one_of b of (a, b, c) -> [0, 1, 0]; ordered level 2 of 4 -> [1, 1, 0]; any_of {a, c} -> [1, 0, 1].
    """
    row = np.zeros(head.n_logits, dtype=np.float32)
    if head.kind == "yes_no":
        row[0] = float(value is True)
    elif head.kind == "any_of":
        assert isinstance(value, tuple)
        row[[head.names.index(label) for label in value]] = 1.0
    elif head.kind == "ordered":
        row[: head.names.index(str(value))] = 1.0
    else:
        row[head.names.index(str(value))] = 1.0
    return row


def head_is_asked(head: Head, labels: Mapping[str, LabelValue]) -> bool:
    """Say whether a head takes part for these labels: annotated, and every condition met."""
    return head.name in labels and all(labels.get(name, wanted) == wanted for name, wanted in head.asked_of)


def encode_targets(examples: Sequence[Example], taxonomy: Taxonomy) -> Targets:
    """Encode the labels of many messages."""
    values = np.zeros((len(examples), taxonomy.n_logits), dtype=np.float32)
    mask = np.zeros((len(examples), len(taxonomy.heads)), dtype=np.bool_)
    for row, example in enumerate(examples):
        for column, head in enumerate(taxonomy.heads):
            if head_is_asked(head, example.labels):
                mask[row, column] = True
                values[row, taxonomy.slices[head.name]] = encode_value(head, example.labels[head.name])
    return Targets(values=values, mask=mask)


def labelled_in_full(taxonomy: Taxonomy, targets: Targets) -> NDArray[np.bool_]:
    """Which messages have all labels of the heads that choose one (all but any_of) and are asked of them: bool, (N,).

    A head that fewer than half of those messages are labelled for does not count: else a set that lacks it would have none.
    """
    full = np.ones(len(targets.values), dtype=bool)
    order = list(taxonomy.by_name)
    for column, head in enumerate(taxonomy.heads):
        due = meets_conditions(taxonomy, head, targets.values)
        for name, _ in head.asked_of:
            due &= targets.mask[:, order.index(name)]
        if head.kind != "any_of" and 2 * (due & targets.mask[:, column]).sum() >= due.sum():
            full &= ~due | targets.mask[:, column]
    return full


def meets_conditions(taxonomy: Taxonomy, head: Head, values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which messages a head is asked of, by the encoded values of the heads that it depends on: bool, (N,)."""
    met = np.ones(len(values), dtype=bool)
    for name, wanted in head.asked_of:
        met &= (values[:, taxonomy.slices[name]] == encode_value(taxonomy.by_name[name], wanted)).all(axis=1)
    return met
