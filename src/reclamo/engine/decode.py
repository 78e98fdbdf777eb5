"""From logits to values and calibrated probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Calibration, HeadCalibration
from reclamo.tags import HeadTag
from reclamo.taxonomy import Head, Taxonomy

Array = NDArray[np.float32]


def sigmoid(x: Array) -> Array:
    """The logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)), dtype=np.float32)


def head_probabilities(head: Head, logits: Array, calibration: HeadCalibration = HeadCalibration()) -> Array:
    """Turn a head's logits (n, n_logits) into probabilities (n, labels).

    Softmax for one-of heads, sigmoid for yes/no and any-of heads. For ordered heads the cumulative probabilities
    P(level > k) are made non-increasing and differenced: cumulative [0.9, 0.6, 0.2] -> [0.1, 0.3, 0.4, 0.2].
    """
    scaled = np.asarray(logits, dtype=np.float32) / np.float32(calibration.temperature)
    if calibration.bias:
        scaled = scaled + np.asarray(calibration.bias, dtype=np.float32)
    if head.kind == "one_of":
        shifted = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
    if head.kind == "ordered":
        above = np.minimum.accumulate(sigmoid(scaled), axis=1)
        edges = np.concatenate([np.ones((len(above), 1), np.float32), above, np.zeros((len(above), 1), np.float32)], axis=1)
        return np.asarray(edges[:, :-1] - edges[:, 1:], dtype=np.float32)
    return sigmoid(scaled)


def certainty(head: Head, p: Array, calibration: HeadCalibration) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How certain an exclusive or yes/no head is by its probabilities (n, labels), in [0, 1], and the index that it chooses.

    One-of and ordered: the largest probability. Yes/no: the distance of the probability from the threshold, scaled so that
    the threshold gives 0.5 and certainty 1.
    """
    if head.kind == "yes_no":
        threshold = calibration.thresholds[0]
        yes = p[:, 0] >= threshold
        room = np.where(yes, max(1 - threshold, 1e-6), max(threshold, 1e-6))
        return 0.5 + 0.5 * np.abs(p[:, 0] - threshold) / room, yes.astype(np.int64)
    return p.max(axis=1).astype(np.float64), p.argmax(axis=1).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The decoded heads of one message: a tag for each, None where the head is not asked; and its least certainty."""

    heads: dict[str, HeadTag | None]
    certainty: float


class Decoder:
    """Decode the logits of messages under one taxonomy and calibration."""

    def __init__(self, taxonomy: Taxonomy, calibration: Calibration) -> None:
        self.taxonomy = taxonomy
        self.calibration = calibration

    def decode(self, logits: Array, given: list[dict[str, str | None]] | None = None) -> list[Decoded]:
        """Decode many messages: logits (n, n_logits); `given` holds head values that the caller knows, such as the role."""
        probabilities = {
            head.name: head_probabilities(head, logits[:, self.taxonomy.slices[head.name]], self.calibration.heads[head.name])
            for head in self.taxonomy.heads
        }
        return [
            self._decode_one({name: p[row] for name, p in probabilities.items()}, given[row] if given else {}) for row in range(len(logits))
        ]

    def _decode_one(self, p: dict[str, Array], given: dict[str, str | None]) -> Decoded:
        values: dict[str, Any] = {}
        tags: dict[str, HeadTag | None] = {}
        least = 1.0
        for head in self.taxonomy.heads:
            known = given.get(head.name)
            if not self._asked(head, values):
                tags[head.name] = None
                continue
            value = known if known is not None else self._value(head, p[head.name], values)
            values[head.name] = value
            tags[head.name] = HeadTag(value=value, p=_table(head, p[head.name]))
            if known is None:
                least = min(least, self._certainty(head, p[head.name]))
        return Decoded(heads=tags, certainty=least)

    def _asked(self, head: Head, values: dict[str, Any]) -> bool:
        """A head is asked where its conditions hold; what it requires being `no` makes it empty, not absent."""
        return all(name == head.requires or values.get(name) == wanted for name, wanted in head.asked_of)

    def _value(self, head: Head, p: Array, values: dict[str, Any]) -> Any:
        required = values.get(head.requires) if head.requires else None
        if head.kind == "yes_no":
            return bool(p[0] >= self.calibration.heads[head.name].thresholds[0])
        if head.kind == "any_of":
            return self._chosen(head, p, required)
        if head.kind == "ordered" and required is not None:
            return head.names[0] if not required else head.names[1 + int(p[1:].argmax())]
        return head.names[int(p.argmax())]

    def _chosen(self, head: Head, p: Array, required: bool | None) -> list[str]:
        if required is False:
            return []
        thresholds = np.array(self.calibration.heads[head.name].thresholds, dtype=np.float32)
        above = [name for name, value, least in zip(head.names, p, thresholds, strict=True) if value >= least]
        if required and not above:
            return [head.names[int((p / thresholds).argmax())]]
        return above

    def _certainty(self, head: Head, p: Array) -> float:
        if head.kind == "any_of":
            return 1.0
        sure, _ = certainty(head, p[None], self.calibration.heads[head.name])
        return float(sure[0])


def _table(head: Head, p: Array) -> float | dict[str, float]:
    if head.kind == "yes_no":
        return round(float(p[0]), 4)
    return {name: round(float(value), 4) for name, value in zip(head.names, p, strict=True)}
