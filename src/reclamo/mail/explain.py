"""What cleaning took of a body, told so that a person can check it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reclamo.mail.clean import Removed
from reclamo.mail.limits import Limits
from reclamo.message import Cleaning, RemovedSpan


def explain_cleaning(body: str, removed: Sequence[Removed], limits: Limits) -> Cleaning | None:
    """Give the spans with their lines, and as many of the pieces themselves as `limits` allow; None where it allows no span.

    Example: of "Hola\\n> a\\n> b" -> {"quoted": 7} characters; one span from 5 to 12, line 2, 2 lines.
    """
    if not limits.explained_spans:
        return None
    counts: Counter[str] = Counter()
    for span in removed:
        counts[span.kind] += span.end - span.start
    spans: list[RemovedSpan] = []
    line, position, room = 1, 0, limits.explained_chars
    for start, end, kind in removed[: limits.explained_spans]:
        line += body.count("\n", position, start)
        piece = body[start:end]
        text = piece if room and len(piece) <= room else None
        room -= len(text or "")
        spans.append(RemovedSpan(kind=kind, start=start, end=end, line=line, lines=len(piece.removesuffix("\n").split("\n")), text=text))
        position = start
    return Cleaning(characters=len(body), removed=dict(counts), spans=tuple(spans), left_out=len(removed) - len(spans))
