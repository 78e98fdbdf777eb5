"""SQLite: one table `tags`, one row for each message; a message that is there already is replaced."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from reclamo.errors import SinkError
from reclamo.sinks.base import flat_columns, flat_row
from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy

TABLE: Final = "tags"
ROWS: Final = 256  # a transaction


class SqliteSink:
    """Put rows into the table by their id, so that a run after a stop, or a second one, changes nothing that is there.

    Lists are JSON arrays, yes and no are 1 and 0. Other tables of the database are left alone.

    Raises:
        SinkError: no database, a table with other columns, or a write that fails.
    """

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        if path is None:
            raise SinkError("SQLite cannot go to standard output; give -o FILE.sqlite")
        self.path, self.taxonomy, self.with_text = path, taxonomy, with_text
        self.rows: list[list[Any]] = []
        self.upsert = ""
        try:
            self.database = sqlite3.connect(path)
            self.columns = [row[1] for row in self.database.execute(f"PRAGMA table_info({TABLE})")]
        except sqlite3.Error as error:
            if hasattr(self, "database"):
                self.database.close()
            raise self._failed(error) from error

    def write(self, tags: Tags) -> None:
        """Take one row."""
        row = flat_row(tags, self.taxonomy, with_text=self.with_text)
        if not self.upsert:
            self._prepare(list(row))
        self.rows.append([json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for value in row.values()])
        if len(self.rows) >= ROWS:
            self._flush()

    def flush(self) -> None:
        """Put in the rows that were written so far."""
        self._flush()

    def close(self) -> None:
        """Finish; without a row the table is empty."""
        if not self.upsert:
            self._prepare(flat_columns(self.taxonomy, with_text=self.with_text))
        self._flush()
        self.database.close()

    def abort(self) -> None:
        """Leave the rows that are in; the next run puts in the others."""
        self.database.close()

    def _prepare(self, names: list[str]) -> None:
        if self.columns and self.columns != names:
            self.database.close()
            raise SinkError(f"its table {TABLE!r} has other columns; choose another output", path=self.path)
        quoted = [f'"{name}"' for name in names]
        others = ", ".join(f"{name} = excluded.{name}" for name in quoted[1:])
        marks = ", ".join("?" * len(names))
        self.upsert = f"INSERT INTO {TABLE} ({', '.join(quoted)}) VALUES ({marks}) ON CONFLICT(id) DO UPDATE SET {others}"
        try:
            self.database.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({quoted[0]} TEXT PRIMARY KEY, {', '.join(quoted[1:])})")
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _flush(self) -> None:
        if not self.rows:
            return
        try:
            with self.database:
                self.database.executemany(self.upsert, self.rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.rows = []

    def _failed(self, error: sqlite3.Error) -> SinkError:
        return SinkError(f"cannot be written ({error}); choose another output", path=self.path)
