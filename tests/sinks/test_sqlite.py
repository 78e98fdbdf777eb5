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
from reclamo.sinks import Batch, open_sink
from reclamo.sinks.base import flat_row


def put(path: Path, numbers: range, *, p: float = 0.75, with_text: bool = False, source: str | None = None) -> None:
    batch = Batch(source=source, options={}, model="m", every=8) if source else None
    sink = open_sink(path, TAXONOMY, with_text=with_text, batch=batch)
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
        expected["source"] = ""
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


def probabilities(path: Path) -> dict[str, list[float]]:
    """Give the probabilities of the scored rows by the name of their source."""
    found: dict[str, list[float]] = {}
    for row in rows(path):
        if row["complaint_p"] is not None:
            found.setdefault(Path(row["source"] or "").name, []).append(row["complaint_p"])
    return found


def test_sources_with_the_same_ids_live_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.sqlite"
    put(path, range(6), p=0.75, source=str(tmp_path / "ana.mbox"))
    put(path, range(6), p=0.25, source=str(tmp_path / "eva.mbox"))
    assert [row["id"] for row in rows(path)] == [f"m{n}" for n in range(6)] * 2
    scored = len(probabilities(path)["ana.mbox"])
    monkeypatch.chdir(tmp_path)
    for source in ("eva.mbox", "./eva.mbox"):  # the same one, however it is named
        put(path, range(6), p=0.5, source=source)
        assert probabilities(path) == {"ana.mbox": [0.75] * scored, "eva.mbox": [0.5] * scored}
    put(path, range(3), source="-")
    assert {row["source"] for row in rows(path)} == {str(tmp_path / "ana.mbox"), str(tmp_path / "eva.mbox"), "-"}


def test_a_database_of_an_earlier_version_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    flat = [flat_row(fake_tags(Message(id=f"m{number}", text="x"), 0.75), TAXONOMY, with_text=False) for number in range(5)]
    names = [f'"{name}"' for name in flat[0]]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE tags ({names[0]} TEXT PRIMARY KEY, {', '.join(names[1:])})")
        values = [[json.dumps(value) if isinstance(value, list) else value for value in row.values()] for row in flat]
        database.executemany(f"INSERT INTO tags VALUES ({', '.join('?' * len(names))})", values)
        database.executescript("CREATE TABLE mine (a); CREATE INDEX by_lang ON tags (lang); CREATE VIEW ids AS SELECT id FROM tags")
    before = rows(path)
    put(path, range(2, 4), p=0.5, source=str(tmp_path / "ana.mbox"))
    after = rows(path)
    assert [row["id"] for row in after] == [f"m{n}" for n in range(5)]
    assert [row["source"] for row in after] == [None, None, *[str(tmp_path / "ana.mbox")] * 2, None]
    assert [{**row, "source": None} for row in after[:2] + after[4:]] == [{**row, "source": None} for row in before[:2] + before[4:]]
    put(path, range(5), p=0.25, source=str(tmp_path / "eva.mbox"))
    put(path, range(5), p=0.5, source=str(tmp_path / "ana.mbox"))
    assert len(rows(path)) == 10  # eva's took the three that were nobody's, and ana's came in anew
    with closing(sqlite3.connect(path)) as database:
        made = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE sql <> ''")}
        assert made == {"tags", "mine", "by_lang", "ids"}
        assert len(database.execute("SELECT id FROM ids").fetchall()) == 10
    with pytest.raises(SinkError, match="other columns"):
        put(path, range(2), with_text=True)
