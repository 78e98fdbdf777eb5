"""SQLite: one table `tags`, one row for each message of each source; a message that is there already is replaced."""

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
SOURCE: Final = "source"  # the last column; empty in rows of earlier versions
ROWS: Final = 256  # a transaction


class SqliteSink:
    """Put rows into the table by their source and id, so that a run after a stop, or a second one, changes nothing that is there.

    Ids are unique within a source only, so rows of other sources are left alone; the last column, `source`, says whose a row is. Earlier
    versions knew the id alone. Their table gets that column, empty, and such a row becomes that of the first source that has its id.

    Lists are JSON arrays, yes and no are 1 and 0. Other tables of the database are left alone.

    Args:
        source: what the messages are of: the absolute path of a file or folder, an IMAP folder without its password, or `-`.

    Raises:
        SinkError: no database, a table with other columns, or a write that fails.
    """

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False, source: str = "") -> None:
        if path is None:
            raise SinkError("SQLite cannot go to standard output; give -o FILE.sqlite")
        self.path, self.taxonomy, self.with_text = path, taxonomy, with_text
        self.source = source.encode("utf-8", "replace").decode()  # a path may hold bytes that are no UTF-8
        self.rows: list[list[Any]] = []
        self.upsert = self.adopt = ""
        try:
            self.database = sqlite3.connect(path)
            self.columns = [row[1] for row in self.database.execute(f"PRAGMA table_info({TABLE})")]
        except sqlite3.Error as error:
            if hasattr(self, "database"):
                self.database.close()
            raise self._failed(error) from error

    def write(self, tags: Tags) -> None:
        """Take one row."""
        row = flat_row(tags, self.taxonomy, with_text=self.with_text) | {SOURCE: self.source}
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
            self._prepare([*flat_columns(self.taxonomy, with_text=self.with_text), SOURCE])
        self._flush()
        self.database.close()

    def abort(self) -> None:
        """Leave the rows that are in; the next run puts in the others."""
        self.database.close()

    def _prepare(self, names: list[str]) -> None:
        is_earlier = self.columns == names[:-1]
        if self.columns and self.columns != names and not is_earlier:
            self.database.close()
            raise SinkError(f"its table {TABLE!r} has other columns; choose another output", path=self.path)
        quoted = [f'"{name}"' for name in names]
        others = ", ".join(f"{name} = excluded.{name}" for name in quoted[1:-1])
        marks = ", ".join("?" * len(names))
        try:
            if is_earlier:
                self._add_source(quoted)
            else:
                self.database.execute(_create(TABLE, quoted))
            if self.database.execute(f"SELECT 1 FROM {TABLE} WHERE {SOURCE} IS NULL LIMIT 1").fetchone():
                self.adopt = f"UPDATE OR REPLACE {TABLE} SET {SOURCE} = ? WHERE {SOURCE} IS NULL AND id = ?"
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.upsert = f"INSERT INTO {TABLE} ({', '.join(quoted)}) VALUES ({marks}) ON CONFLICT({SOURCE}, id) DO UPDATE SET {others}"

    def _add_source(self, quoted: list[str]) -> None:
        """Make the table anew with its rows, since SQLite cannot change a key; indexes and triggers that somebody added are kept."""
        fresh, old = f"{TABLE}_with_{SOURCE}", ", ".join(quoted[:-1])
        self.database.execute("PRAGMA legacy_alter_table = ON")  # views of the table are left as they are
        with self.database:
            self.database.execute("BEGIN IMMEDIATE")
            added = self.database.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type <> 'table' AND sql <> ''", (TABLE,))
            again = [sql for (sql,) in added]
            self.database.execute(_create(fresh, quoted))
            self.database.execute(f"INSERT INTO {fresh} ({old}) SELECT {old} FROM {TABLE} ORDER BY rowid")
            self.database.execute(f"DROP TABLE {TABLE}")
            self.database.execute(f"ALTER TABLE {fresh} RENAME TO {TABLE}")
            for sql in again:
                self.database.execute(sql)

    def _flush(self) -> None:
        if not self.rows:
            return
        try:
            with self.database:
                if self.adopt:
                    self.database.executemany(self.adopt, [(self.source, row[0]) for row in self.rows])
                self.database.executemany(self.upsert, self.rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.rows = []

    def _failed(self, error: sqlite3.Error) -> SinkError:
        return SinkError(f"cannot be written ({error}); choose another output", path=self.path)


def _create(table: str, quoted: list[str]) -> str:
    """Give what makes a table of these columns, the id first and the source last."""
    columns = ", ".join([f"{quoted[0]} TEXT", *quoted[1:-1], f"{quoted[-1]} TEXT"])
    return f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({SOURCE}, {quoted[0]}))"
