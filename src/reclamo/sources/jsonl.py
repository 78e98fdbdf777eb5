"""JSON lines: one message a line, in the row form of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from reclamo.errors import SourceError, UsageError
from reclamo.mail.cells import plain_message
from reclamo.message import Message, Problem
from reclamo.sources.table import ID_NAMES, TEXT_NAMES, find_column

SHOWN_KEYS: Final = 20
SHOWN_CHARACTERS: Final = 80
HELD_ROWS: Final = 1024


def read_jsonl(path: Path, text_column: str | None = None, id_column: str | None = None) -> Iterator[Message]:
    """Read a file of JSON lines; a line that is not a row becomes a message with a problem.

    Raises:
        SourceError: the file cannot be read. UsageError: no row has the column that is named.
    """
    try:
        with path.open("rb") as file:
            yield from parse_jsonl(file, path.name, text_column, id_column)
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error


def parse_jsonl(lines: Iterable[bytes], name: str, text_column: str | None = None, id_column: str | None = None) -> Iterator[Message]:
    """Read JSON lines from bytes; blank lines are left out.

    The text is that of the column named, else `text`, else the first key with a name that tables know; so is the id, and one that
    is missing becomes the line number. Rows before the first that has the columns named are held back, 1,024 at most.

    Raises:
        UsageError: no row has the column that is named.
    """
    named = {column: option for column, option in ((text_column, "--text-column"), (id_column, "--id-column")) if column is not None}
    keys: dict[str, None] = {}
    held: list[Message] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row, problem = _parse(line)
        if problem is not None or row is None:
            message = Message(id=str(number), text="", problem=Problem(reason="broken", detail=f"{name} line {number}: {problem}"))
        else:
            message = plain_message(Message.from_dict(_columns(row, text_column, id_column), id=str(number)))
            if named:
                named = {column: option for column, option in named.items() if column not in row}
                keys.update(dict.fromkeys(list(row)[:SHOWN_KEYS]) if len(keys) < SHOWN_KEYS else {})
        if named and len(held) < HELD_ROWS:
            held.append(message)
            continue
        yield from held
        held.clear()
        yield message
    if named and keys:
        column, option = next(iter(named.items()))
        seen = ", ".join(key[:SHOWN_CHARACTERS] for key in list(keys)[:SHOWN_KEYS])
        raise UsageError(f"no row has a column {column!r}; they have {seen}; name one of them with {option}", path=name)
    yield from held


def _columns(row: dict[str, Any], text_column: str | None, id_column: str | None) -> dict[str, Any]:
    """Give a row with its text under `text` and its id under `id`."""
    if text_column is not None or "text" not in row:
        text = find_column(row, text_column, TEXT_NAMES)
        row = {**row, "text": None if text is None else row[text]}
    if id_column is not None or "id" not in row:
        id = find_column(row, id_column, ID_NAMES)
        row = {**row, "id": None if id is None else row[id]}
    return row


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
