"""The manifest of an artefact: what it is, what it was made from, how its scores become values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from reclamo.errors import ArtefactError
from reclamo.taxonomy import Taxonomy

FORMAT_VERSION: Final = 2  # 2 has n-grams beside the network


@dataclass(frozen=True, kw_only=True)
class HeadCalibration:
    """How one head's logits become values.

    Attributes:
        temperature: the logits are divided by it.
        bias: added after that, one number a logit; empty where there is none.
        thresholds: one probability a label for yes/no and any-of heads; empty for one-of and ordered heads.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibration of every head, and the review rule.

    Attributes:
        heads: by head name.
        review_margin: a message whose least certain head is below this certainty is marked for review.
        risk_coverage: for the review rule: certainty thresholds, with share reviewed and error rate left, from validation.
    """

    heads: Mapping[str, HeadCalibration]
    review_margin: float = 0.0
    risk_coverage: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything about a tagger but its numbers."""

    name: str
    version: int
    format: int
    taxonomy_sha256: str
    base: str
    max_tokens: int
    network: str
    precision: str
    files: Mapping[str, str]
    calibration: Calibration
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What rows call the tagger. Example: reclamo-small@1."""
        return f"{self.name}@{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> Manifest:
        """Read the JSON form and check it against the taxonomy that lies beside it.

        Raises:
            ArtefactError: another format, a missing or unknown key, or a calibration that does not fit the heads.
        """
        if data.get("format") != FORMAT_VERSION:
            raise ArtefactError(
                f"the artefact has format {data.get('format')!r}; this version reads {FORMAT_VERSION}; retrain it",
                path=where,
            )
        known = set(cls.__dataclass_fields__)
        wrong = set(data) ^ known
        if wrong:
            raise ArtefactError(f"the manifest has missing or unknown keys: {', '.join(sorted(wrong))}", path=where)
        values = dict(data)
        values["calibration"] = _calibration(data["calibration"], taxonomy, where)
        manifest = cls(**values)
        if manifest.taxonomy_sha256 != taxonomy.sha256:
            raise ArtefactError("taxonomy.toml is not the one that the tagger was trained with; restore it, or retrain", path=where)
        return manifest


def _calibration(data: Mapping[str, Any], taxonomy: Taxonomy, where: str) -> Calibration:
    heads: dict[str, HeadCalibration] = {}
    for head in taxonomy.heads:
        raw = data.get("heads", {}).get(head.name)
        wanted = 0 if head.exclusive else len(head.labels)
        if raw is None or not _fits(raw, wanted, head.n_logits):
            raise ArtefactError(f"the calibration of head {head.name!r} does not fit the taxonomy; retrain the tagger", path=where)
        heads[head.name] = HeadCalibration(
            temperature=float(raw["temperature"]), bias=tuple(map(float, raw["bias"])), thresholds=tuple(map(float, raw["thresholds"]))
        )
    curve = tuple((float(a), float(b), float(c)) for a, b, c in data.get("risk_coverage", ()))
    return Calibration(heads=heads, review_margin=float(data.get("review_margin", 0.0)), risk_coverage=curve)


def _fits(raw: Mapping[str, Any], thresholds: int, logits: int) -> bool:
    return len(raw["thresholds"]) == thresholds and len(raw["bias"]) in (0, logits) and raw["temperature"] > 0
