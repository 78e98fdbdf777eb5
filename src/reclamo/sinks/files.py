"""File sinks. Each writes beside its target and renames at the end, so that a half-written file never has the final name."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any, Final, TextIO

from reclamo.errors import SinkError
from reclamo.sinks.base import flat_row
from reclamo.tags import Tags
from reclamo.taxonomy import Taxonomy

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
PARQUET_ROWS: Final = 2048


class _File:
    """A text file under a temporary name; standard output where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: TextIO = sys.stdout
        if path is not None:
            try:
                self.file = part_of(path).open("w", encoding="utf-8", newline="")
            except OSError as error:
                raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=path) from error

    def close(self) -> None:
        self.file.flush()
        if self.path is not None:
            os.fsync(self.file.fileno())
            self.file.close()
            part_of(self.path).replace(self.path)

    def abort(self) -> None:
        if self.path is not None:
            self.file.close()
            part_of(self.path).unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """The temporary name of an output. Example: tags.csv -> tags.csv.part."""
    return path.with_name(path.name + ".part")


class JsonlSink(_File):
    """One JSON object a line, in the row form of the contract."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        super().__init__(path)
        self.with_text = with_text

    def write(self, tags: Tags) -> None:
        """Take one row."""
        self.file.write(json.dumps(tags.to_dict(with_text=self.with_text), ensure_ascii=False) + "\n")


class CsvSink(_File):
    """A flat CSV table; lists are joined by `|`, and cells that a spreadsheet would run as a formula are neutralised."""

    def __init__(self, path: Path | None, taxonomy: Taxonomy, *, with_text: bool = False) -> None:
        super().__init__(path)
        self.taxonomy = taxonomy
        self.with_text = with_text
        self.writer: Any = None

    def write(self, tags: Tags) -> None:
        """Take one row."""
        row = {key: csv_cell(value) for key, value in flat_row(tags, self.taxonomy, with_text=self.with_text).items()}
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, list(row), lineterminator="\n")
            self.writer.writeheader()
        self.writer.writerow(row)


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
        self.rows.append(flat_row(tags, self.taxonomy, with_text=self.with_text))
        if len(self.rows) >= PARQUET_ROWS:
            self._flush()

    def close(self) -> None:
        """Finish."""
        self._flush()
        self.writer.close()
        part_of(self.path).replace(self.path)

    def abort(self) -> None:
        """Give up, after an error."""
        self.writer.close()
        part_of(self.path).unlink(missing_ok=True)

    def _flush(self) -> None:
        if self.rows:
            self.writer.write_table(self.table.from_pylist(self.rows, schema=self.schema))
            self.rows = []


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
    fields += [("unscored_reason", pa.string()), ("model", pa.string())]
    return pa.schema(fields + ([("text", pa.string())] if with_text else []))
