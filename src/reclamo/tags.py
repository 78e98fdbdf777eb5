"""What comes out: the tags of one message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reclamo.message import Cleaning
from reclamo.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadTag:
    """One head's value with its calibrated probability: a number for yes/no heads, one per label for the others."""

    value: str | bool | list[str]
    p: float | dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A stretch of the cleaned text, in characters, and the share of the supporting evidence that it holds (0 to 1)."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class Tags:
    """The tags of one message. Heads are also attributes: `tags.complaint.p`.

    Attributes:
        id, lang, role: of the message.
        status: `tagged` or `unscored`; then `unscored_reason` and `detail` say why and every head is None.
        heads: by name; None where the head is not asked of the role.
        rubric_score: 0 to 100 for agents. service_level: by the taxonomy's rule, for agents.
        evidence: by head, or by `head.label` for any-of heads.
        windows: in how many windows a long text was read; 1 as a rule.
        text: the cleaned text that offsets count in; not part of the row unless asked.
        cleaning: what was taken of a mail to come to that text, where the source was asked for it.
    """

    id: str
    lang: str | None
    role: str | None
    status: Literal["tagged", "unscored"]
    heads: Mapping[str, HeadTag | None]
    model: str
    rubric_score: float | None = None
    service_level: str | None = None
    evidence: Mapping[str, list[Evidence]] = field(default_factory=dict)
    needs_review: bool = False
    windows: int = 1
    unscored_reason: str | None = None
    detail: str | None = None
    text: str | None = None
    cleaning: Cleaning | None = None

    def __getattr__(self, name: str) -> HeadTag | None:
        heads: Mapping[str, HeadTag | None] = self.__dict__.get("heads", {})
        if name in heads:
            return heads[name]
        raise AttributeError(f"no field or head {name!r}; the heads are {', '.join(heads)}")

    def to_dict(self, *, with_text: bool = False) -> dict[str, Any]:
        """Give the JSON row of the contract."""
        row: dict[str, Any] = {"id": self.id, "lang": self.lang, "role": self.role, "status": self.status}
        for name, tag in self.heads.items():
            if name != "role":
                row[name] = None if tag is None else {"value": tag.value, "p": tag.p}
        role = self.heads.get("role")
        if role is not None:
            row["role_p"] = role.p
        row |= {"rubric_score": self.rubric_score, "service_level": self.service_level}
        row["evidence"] = {
            key: [{"start": span.start, "end": span.end, "weight": span.weight} for span in spans] for key, spans in self.evidence.items()
        }
        row["needs_review"] = self.needs_review
        if self.windows > 1:
            row["windows"] = self.windows
        if self.status == "unscored":
            row["reason"] = row["unscored_reason"] = self.unscored_reason
            row["detail"] = self.detail
        if with_text:
            row["text"] = self.text
        if self.cleaning is not None:
            row["cleaning"] = self.cleaning.to_dict()
        row["model"] = self.model
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], taxonomy: Taxonomy) -> Tags:
        """Read a row that `to_dict` wrote under the same taxonomy."""
        unscored = row["status"] == "unscored"
        heads: dict[str, HeadTag | None] = {}
        for name in taxonomy.by_name:
            raw = row.get(name)
            heads[name] = HeadTag(value=raw["value"], p=raw["p"]) if isinstance(raw, Mapping) else None
        if "role" in heads and row.get("role_p") is not None:
            heads["role"] = HeadTag(value=row["role"], p=row["role_p"])
        return cls(
            id=row["id"],
            lang=row["lang"],
            role=row["role"],
            status=row["status"],
            heads=heads,
            model=row["model"],
            rubric_score=row["rubric_score"],
            service_level=row["service_level"],
            evidence={key: [Evidence(**span) for span in spans] for key, spans in row["evidence"].items()},
            needs_review=row["needs_review"],
            windows=row.get("windows", 1),
            unscored_reason=row["reason"] if unscored else None,
            detail=row.get("detail") if unscored else None,
            text=row.get("text"),
            cleaning=Cleaning.from_dict(row["cleaning"]) if "cleaning" in row else None,
        )
