"""JSON lines: one message a line, in the row form of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reclamo.errors import SourceError
from reclamo.message import Message, Problem


def read_jsonl(path: Path) -> Iterator[Message]:
    """Read a file of JSON lines; a line that is not a row becomes a message with a problem.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from parse_jsonl(file, path.name)
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error


def parse_jsonl(lines: Iterable[bytes], name: str) -> Iterator[Message]:
    """Read JSON lines from bytes; blank lines are left out. An `id` that is missing becomes the line number."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row, problem = _parse(line)
        if problem is not None or row is None:
            yield Message(id=str(number), text="", problem=Problem(reason="broken", detail=f"{name} line {number}: {problem}"))
        else:
            yield Message.from_dict(row, id=str(number))


def _parse(line: bytes) -> tuple[dict[str, Any] | None, str | None]:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, "is not UTF-8; write the file as UTF-8"
    except (ValueError, RecursionError) as error:
        return None, f"is not JSON ({error}); expected one object a line"
    if not isinstance(row, dict):
        return None, f"is a {type(row).__name__}; expected an object with a text"
    return row, None
