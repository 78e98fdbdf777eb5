"""One labelled message, and the rules that its labels obey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reclamo.taxonomy import Head, Taxonomy

LabelValue = str | bool | tuple[str, ...]
META_KEYS = ("scenario", "channel", "sector", "pair", "source", "split", "subject")


@dataclass(frozen=True, kw_only=True)
class Example:
    """A labelled message. A head that `labels` does not hold was not annotated: it is absent, not negative."""

    id: str
    text: str
    lang: str | None
    labels: Mapping[str, LabelValue]
    hard: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str | None:
        """The annotated role."""
        value = self.labels.get("role")
        return value if isinstance(value, str) else None

    @property
    def split(self) -> str | None:
        """The split stored in the row: `train`, `validation` or `test`."""
        return self.meta.get("split")

    @property
    def group(self) -> str:
        """What must not straddle splits: the scenario, or the message itself."""
        return self.meta.get("scenario") or self.id

    def to_dict(self) -> dict[str, Any]:
        """Give the row form of the corpus files."""
        labels = {k: list(v) if isinstance(v, tuple) else v for k, v in self.labels.items() if k != "role"}
        row: dict[str, Any] = {"id": self.id, "lang": self.lang, "role": self.role, "text": self.text, "labels": labels}
        row |= {key: self.meta[key] for key in META_KEYS if key in self.meta}
        if self.hard:
            row["hard"] = list(self.hard)
        return {key: value for key, value in row.items() if value is not None}


def parse_labels(raw: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, LabelValue]:
    """Check and freeze the labels of one row.

    Raises:
        ValueError: with the rule that is broken, in words that say what to do.
    """
    labels: dict[str, LabelValue] = {}
    for name, value in raw.items():
        head = taxonomy.by_name.get(name)
        if head is None:
            raise ValueError(f"unknown head {name!r}; the taxonomy has {', '.join(taxonomy.by_name)}")
        if value is not None:
            labels[name] = _parse_value(head, value)
    check_labels(labels, taxonomy)
    return labels


def _parse_value(head: Head, value: Any) -> LabelValue:
    if head.kind == "yes_no":
        if not isinstance(value, bool):
            raise ValueError(f"{head.name} is {value!r}; expected true or false")
        return value
    if head.kind == "any_of":
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise ValueError(f"{head.name} is {value!r}; expected a list of labels")
        found = tuple(value)
        for label in found:
            _known(head, label)
        return tuple(label for label in head.names if label in found)
    _known(head, value)
    return str(value)


def _known(head: Head, label: Any) -> None:
    if label not in head.names:
        raise ValueError(f"{head.name} has the unknown label {label!r}; expected one of {', '.join(head.names)}")


def check_labels(labels: Mapping[str, LabelValue], taxonomy: Taxonomy) -> None:
    """Check the rules between heads: asked only where its condition holds, present exactly with what it requires.

    Raises:
        ValueError: naming the rule, for example grounds without a complaint.
    """
    for head in taxonomy.heads:
        if head.name not in labels:
            continue
        value = labels[head.name]
        above = bool(value) if head.kind == "any_of" else value not in (False, head.names[0])
        for condition, wanted in head.asked_of:
            met = labels.get(condition, wanted) == wanted
            if not met and (head.requires != condition or above):
                here = _show(labels[condition])
                raise ValueError(f"{head.name} is asked only where {condition} is {_show(wanted)}, and here it is {here}")
        if head.requires is not None and head.requires in labels and labels[head.requires] != above:
            least = "at least one label" if head.kind == "any_of" else f"a level above {head.names[0]!r}"
            raise ValueError(
                f"{head.name} is {_show(value)} where {head.requires} is {_show(labels[head.requires])}; "
                f"{head.name} must have {least} exactly when {head.requires} is true"
            )


def _show(value: LabelValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
