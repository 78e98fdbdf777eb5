"""A figure with its spread over repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median of repeats, with the least and the largest."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Give the fields, rounded to four significant figures."""
        return {"value": float(f"{self.value:.4g}"), "low": float(f"{self.low:.4g}"), "high": float(f"{self.high:.4g}")}


def spread(values: Sequence[float]) -> Spread:
    """Give median, least and largest. Example: [3, 1, 2] -> 2 (1 to 3)."""
    return Spread(value=median(values), low=min(values), high=max(values))


def ratio(mine: Sequence[float], other: Sequence[float]) -> Spread:
    """Give how many times faster `mine` was, round by round: seconds of the other over seconds of mine.

    Rounds are paired, because what else ran on the machine in a round slowed both.
    Example: mine [1, 2], other [4, 4] -> 3 (2 to 4).
    """
    return spread([b / a for a, b in zip(mine, other, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """Give the nearest-rank percentile. Example: 1 … 100, 0.99 -> 99."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
