"""Tags in a database: by id, twice as once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.sinks.fake_tagger import TAXONOMY, fake_tags

from reclamo.errors import SinkError
from reclamo.message import Message
from reclamo.sinks import open_sink
from reclamo.sinks.base import flat_row


def put(path: Path, numbers: range, *, p: float = 0.75, with_text: bool = False) -> None:
    sink = open_sink(path, TAXONOMY, with_text=with_text)
    for number in numbers:
        sink.write(fake_tags(Message(id=f"m{number}", text="'; DROP TABLE tags; --"), p))
    sink.close()


def rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM tags ORDER BY rowid")]


def test_rows_are_those_of_every_table(tmp_path: Path) -> None:
    put(tmp_path / "a.sqlite", range(300), with_text=True)
    for number, row in enumerate(rows(tmp_path / "a.sqlite")):
        expected = flat_row(fake_tags(Message(id=f"m{number}", text="'; DROP TABLE tags; --"), 0.75), TAXONOMY, with_text=True)
        assert row == {key: json.dumps(value) if isinstance(value, list) else value for key, value in expected.items()}
    assert number == 299


def test_twice_is_as_once_and_new_tags_replace_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, range(5))
    once = rows(path)
    put(path, range(5))
    assert rows(path) == once
    put(path, range(3, 8), p=0.9)
    assert [row["id"] for row in rows(path)] == [f"m{n}" for n in range(8)]
    assert {row["complaint_p"] for row in rows(path)[3:]} <= {0.9, None}
    assert rows(path)[:3] == once[:3]


def test_other_columns_and_other_files_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.db", range(2))
    with pytest.raises(SinkError, match="other columns"):
        put(tmp_path / "a.db", range(2), with_text=True)
    (tmp_path / "b.db").write_text("not a database, but long enough to be looked at as one" * 20)
    with pytest.raises(SinkError, match="not a database"):
        put(tmp_path / "b.db", range(2))
