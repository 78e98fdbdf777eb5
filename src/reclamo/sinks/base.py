"""What a sink is, and the flat row that tables share."""

from __future__ import annotations

from typing import Any, Protocol

from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy


class Sink(Protocol):
    """Takes tags one by one; `close` finishes the output, `abort` leaves it unfinished."""

    def write(self, tags: Tags) -> None:
        """Take one row."""

    def close(self) -> None:
        """Finish."""

    def abort(self) -> None:
        """Give up, after an error."""


def flat_row(tags: Tags, taxonomy: Taxonomy, *, with_text: bool) -> dict[str, Any]:
    """Give one row for a table: a value and a probability column for each head, lists left as lists.

    The probability is that of the value: of yes for yes/no heads, of the chosen label for one-of and ordered heads; any-of heads
    have none. The evidence, the other probabilities, the count of windows and what cleaning took have no place in it.
    """
    row: dict[str, Any] = {"id": tags.id, "lang": tags.lang, "role": tags.role, "status": tags.status}
    for name, head in taxonomy.by_name.items():
        if name == "role":
            continue
        tag = tags.heads.get(name)
        row[name] = None if tag is None else tag.value
        if head.kind != "any_of":
            p = None if tag is None else tag.p
            row[f"{name}_p"] = p.get(str(tag.value)) if isinstance(p, dict) and tag is not None else p
    row |= {
        "rubric_score": tags.rubric_score,
        "service_level": tags.service_level,
        "needs_review": tags.needs_review,
        "unscored_reason": tags.unscored_reason,
        "detail": tags.detail,
        "model": tags.model,
    }
    if with_text:
        row["text"] = tags.text
    return row


def flat_columns(taxonomy: Taxonomy, *, with_text: bool) -> list[str]:
    """Name the columns of `flat_row`, in order."""
    return list(flat_row(Tags(id="", lang=None, role=None, status="unscored", heads={}, model=""), taxonomy, with_text=with_text))
