"""`--explain-cleaning`: what it asks of the source, and where it can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reclamo.errors import UsageError
from reclamo.mail.limits import MIB, Limits

SPANS: Final = 200  # a message whose lines are quoted by turns has thousands
CHARACTERS: Final = MIB


def cleaning_limits(explain: bool, *, with_text: bool, output: Path | None, format: str | None) -> Limits:
    """Give the limits of mail that make rows tell what cleaning took; the pieces themselves only with the text.

    Raises:
        UsageError: the output is a table, which has no place for it.
    """
    if not explain:
        return Limits()
    name = format or ("jsonl" if output is None else output.suffix.lower().lstrip("."))
    if name not in ("jsonl", "ndjson"):
        raise UsageError(f"--explain-cleaning needs JSON lines, and the output is {name!r}; give -o FILE.jsonl or leave -o out")
    return Limits(explained_spans=SPANS, explained_chars=CHARACTERS if with_text else 0)
