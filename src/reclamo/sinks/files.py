"""File sinks. Each writes beside its target and renames at the end, so that a half-written file never has the final name."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from reclamo.errors import SinkError
from reclamo.sinks.base import flat_columns, flat_row
from reclamo.sinks.journal import step
from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
PARQUET_ROWS: Final = 2048
PART: Final = ".part"
FIELD_LIMIT: Final = 4 * 1_048_576  # characters of a cell that is read again; a text has 1 Mi at most


class TextFile:
    """A text file under a temporary name; standard output where there is no path. A device or a pipe is written to, not replaced.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.part: Path | None = None
        self.file: TextIO = sys.stdout
        if path is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as files are, whatever the terminal's language
            return
        try:
            if path.is_file() or not path.exists():
                self.part = part_of(path)
            self.file = (self.part or path).open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=path) from error

    def flush(self) -> None:
        """Make the rows visible that were written so far."""
        self.file.flush()

    def close(self) -> None:
        """Finish: only now has a file its final name."""
        self.file.flush()
        if self.part is not None and self.path is not None:
            os.fsync(self.file.fileno())
            self.file.close()
            self.part.replace(self.path)
        elif self.path is not None:
            self.file.close()

    def abort(self) -> None:
        """Give up, after an error."""
        if self.path is not None:
            self.file.close()
        if self.part is not None:
            self.part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """The temporary name of an output. Example: tags.csv -> tags.csv.part."""
    return path.with_name(path.name + PART)


class JsonlSink(TextFile):
    """One JSON object a line, in the row form of the contract."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        super().__init__(path)
        self.rows = JsonlRows(taxonomy, with_text=with_text)

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self.file.write(self.rows.line(tags))


class JsonlRows:
    """Rows as JSON lines."""

    work_ending = PART
    can_grow = True

    def __init__(self, taxonomy: Taxonomy, *, with_text: bool) -> None:
        self.with_text = with_text

    def line(self, tags: Tags) -> str:
        """Give one line."""
        return json.dumps(tags.to_dict(with_text=self.with_text), ensure_ascii=False) + "\n"

    def start(self) -> bytes:
        """Give nothing."""
        return b""

    def encode(self, tags: Tags) -> bytes:
        """Give one line as bytes."""
        return self.line(tags).encode()

    def finish(self, work: Path, part: Path) -> None:
        """Leave the lines as they are: they are the output."""

    def ids(self, work: Path) -> Iterator[str]:
        """Give the ids of the rows."""
        with work.open("rb") as lines:
            yield from (json.loads(line)["id"] for line in lines)


class CsvSink(TextFile):
    """A flat CSV table; lists are joined by `|`, and cells that a spreadsheet would run as a formula are neutralised."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        super().__init__(path)
        self.rows = CsvRows(taxonomy, with_text=with_text)
        self.is_empty = True

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self._begin()
        self.file.write(self.rows.line(tags))

    def close(self) -> None:
        """Finish; without a row the header stands alone."""
        self._begin()
        super().close()

    def _begin(self) -> None:
        if self.is_empty:
            self.file.write(self.rows.header())
        self.is_empty = False


class CsvRows:
    """Rows as CSV, with the header before the first."""

    work_ending = PART
    can_grow = True

    def __init__(self, taxonomy: Taxonomy, *, with_text: bool) -> None:
        self.taxonomy, self.with_text = taxonomy, with_text

    def header(self) -> str:
        """Give the line that names the columns."""
        return csv_line(flat_columns(self.taxonomy, with_text=self.with_text))

    def line(self, tags: Tags) -> str:
        """Give one row, which may span lines."""
        return csv_line(csv_cell(value) for value in flat_row(tags, self.taxonomy, with_text=self.with_text).values())

    def start(self) -> bytes:
        """Give the header as bytes."""
        return self.header().encode()

    def encode(self, tags: Tags) -> bytes:
        """Give one row as bytes."""
        return self.line(tags).encode()

    def finish(self, work: Path, part: Path) -> None:
        """Leave the rows as they are: they are the output."""

    def ids(self, work: Path) -> Iterator[str]:
        """Give the ids of the rows, without what `csv_cell` put before a formula."""
        csv.field_size_limit(FIELD_LIMIT)
        with work.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                id = row["id"]
                yield id[1:] if id.startswith("'") and id[1:].startswith(FORMULA_STARTS) else id


def csv_line(cells: Iterable[Any]) -> str:
    """Give a row with its end; a cell that holds an end of any kind is quoted, as it is not where only `\\n` ends the rows."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"


def csv_cell(value: Any) -> Any:
    """Make a cell safe and plain. Examples: ["delay", "billing"] -> "delay|billing", True -> "true", "=1+1" -> "'=1+1"."""
    if isinstance(value, list):
        return "|".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


class ParquetSink:
    """A flat Parquet table with typed columns, written in groups of rows."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        if path is None:
            raise SinkError("Parquet cannot go to standard output; give -o FILE.parquet")
        import pyarrow
        import pyarrow.parquet

        self.path, self.taxonomy, self.with_text = path, taxonomy, with_text
        self.schema = parquet_schema(taxonomy, with_text=with_text)
        self.rows: list[dict[str, Any]] = []
        self.table = pyarrow.Table
        try:
            self.writer = pyarrow.parquet.ParquetWriter(part_of(path), self.schema)
        except OSError as error:
            raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=path) from error

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self.write_row(flat_row(tags, self.taxonomy, with_text=self.with_text))

    def write_row(self, row: dict[str, Any]) -> None:
        """Take one row in the form of `flat_row`."""
        self.rows.append(row)
        if len(self.rows) >= PARQUET_ROWS:
            self._flush()

    def close(self) -> None:
        """Finish."""
        self.finish()
        part_of(self.path).replace(self.path)

    def finish(self) -> None:
        """Finish under the temporary name."""
        self._flush()
        self.writer.close()

    def abort(self) -> None:
        """Give up, after an error."""
        self.writer.close()
        part_of(self.path).unlink(missing_ok=True)

    def _flush(self) -> None:
        if self.rows:
            self.writer.write_table(self.table.from_pylist(self.rows, schema=self.schema))
            self.rows = []


class ParquetRows:
    """Rows for Parquet: kept as JSON lines, since a Parquet file cannot be carried on, and turned into the table at the end."""

    work_ending = ".rows"
    can_grow = False

    def __init__(self, taxonomy: Taxonomy, *, with_text: bool) -> None:
        self.taxonomy, self.with_text = taxonomy, with_text

    def start(self) -> bytes:
        """Give nothing; the columns come with the table."""
        return b""

    def encode(self, tags: Tags) -> bytes:
        """Give one flat row as a line."""
        return (json.dumps(flat_row(tags, self.taxonomy, with_text=self.with_text)) + "\n").encode()

    def finish(self, work: Path, part: Path) -> None:
        """Write the table, in the groups that an undisturbed run writes, and make it durable."""
        sink = ParquetSink(part.with_name(part.name.removesuffix(PART)), self.taxonomy, with_text=self.with_text)
        with step("write table"), work.open("rb") as lines:
            for line in lines:
                sink.write_row(json.loads(line))
            sink.finish()
        with step("sync table"), part.open("rb") as file:
            os.fsync(file.fileno())

    def ids(self, work: Path) -> Iterator[str]:
        """Give none: a finished table cannot grow."""
        return iter(())


def parquet_schema(taxonomy: Taxonomy, *, with_text: bool) -> Any:
    """The columns of `flat_row` with their types."""
    import pyarrow as pa

    value_types = {"one_of": pa.string(), "ordered": pa.string(), "yes_no": pa.bool_(), "any_of": pa.list_(pa.string())}
    fields = [(name, pa.string()) for name in ("id", "lang", "role", "status")]
    for name, head in taxonomy.by_name.items():
        if name != "role":
            fields.append((name, value_types[head.kind]))
            if head.kind != "any_of":
                fields.append((f"{name}_p", pa.float32()))
    fields += [("rubric_score", pa.float32()), ("service_level", pa.string()), ("needs_review", pa.bool_())]
    fields += [("unscored_reason", pa.string()), ("detail", pa.string()), ("model", pa.string())]
    return pa.schema(fields + ([("text", pa.string())] if with_text else []))
