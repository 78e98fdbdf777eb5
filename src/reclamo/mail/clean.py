"""What the writer wrote, out of everything that the body holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from reclamo.mail.forms import mark_form
from reclamo.mail.limits import Deadline, Limits, over_limit
from reclamo.mail.lines import Kind, Line, split_lines
from reclamo.mail.quotes import mark_history
from reclamo.mail.signatures import mark_signatures
from reclamo.text import clean_text


class Removed(NamedTuple):
    """A span of the body that the cleaning took: characters from `start` up to `end`."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """The writer's own text in normal form, and what was taken of the body, in order."""

    text: str
    removed: tuple[Removed, ...]


def clean_body(text: str, limits: Limits = Limits(), *, forwarded: bool = False, deadline: Deadline | None = None) -> Cleaned:
    """Give what the writer of a body wrote: no quoted history, form fields, signature, disclaimer or footer.

    `forwarded` says that the mail hands another one on; its text is kept where the writer added almost nothing. Raises
    Refusal past `limits.text_chars` or the deadline.
    Example: clean_body("No funciona.\\n\\nEl 3/3/26 a las 10:12, Ana <a@b.es> escribió:\\n> Pruebe").text -> "No funciona."
    """
    if len(text) > limits.text_chars:
        raise over_limit("text", len(text), limits.text_chars, "characters")
    deadline = deadline or Deadline(limits.seconds)
    lines = split_lines(text, deadline)
    mark_history(lines, forwarded=forwarded, deadline=deadline)
    mark_form(lines)
    mark_signatures(lines)
    kept = "".join(text[line.start : line.end] for line in lines if line.kind is None)
    return Cleaned(text=clean_text(kept), removed=tuple(_spans(lines)))


def _spans(lines: list[Line]) -> list[Removed]:
    """Join neighbouring lines of one kind."""
    spans: list[Removed] = []
    for line in lines:
        if line.kind is None or line.start == line.end:
            continue
        if spans and spans[-1].end == line.start and spans[-1].kind == line.kind:
            spans[-1] = spans[-1]._replace(end=line.end)
        else:
            spans.append(Removed(line.start, line.end, line.kind))
    return spans
