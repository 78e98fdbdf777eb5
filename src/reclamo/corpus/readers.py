"""Read labelled messages: JSON lines, CSV, Parquet, a folder of them, or a `datasets` data set."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from reclamo.corpus.example import META_KEYS, Example, parse_labels
from reclamo.errors import CorpusError
from reclamo.taxonomy import Taxonomy, load_taxonomy
from reclamo.text import clean_text

SUFFIXES = (".jsonl", ".csv", ".parquet")
SPLITS = ("train", "validation", "test")
DELIMITERS = (",", ";", "\t")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMULA = re.compile(f"'*[{re.escape(''.join(FORMULA_STARTS))}]")


def read_corpus(paths: str | Path | Iterable[str | Path], taxonomy: Taxonomy | None = None) -> list[Example]:
    """Read every labelled message of files and folders, in order; a folder gives its corpus files by name.

    Raises:
        CorpusError: a file is missing or of an unknown format, or a row breaks a rule: file, line and rule.
    """
    schema = taxonomy or load_taxonomy()
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    examples: list[Example] = []
    seen: dict[str, Path] = {}
    for path in given:
        for file in corpus_files(Path(path)):
            for example in _read_file(file, schema):
                if example.id in seen:
                    where = "" if seen[example.id] == file else f", first in {seen[example.id]}"
                    raise CorpusError(f"the id {example.id!r} stands twice{where}; ids must be unique", path=file)
                seen[example.id] = file
                examples.append(example)
    return examples


def from_dataset(rows: Iterable[Mapping[str, Any]], taxonomy: Taxonomy | None = None, *, name: str = "dataset") -> list[Example]:
    """Read the rows of a `datasets.Dataset` (or any iterable of dicts in the row form).

    Raises:
        CorpusError: a row breaks a rule; the line is its ordinal, from 1.
    """
    schema = taxonomy or load_taxonomy()
    return [example_from_row(row, schema, name, number) for number, row in enumerate(rows, 1)]


def corpus_files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
        if not found:
            raise CorpusError(f"the folder holds no corpus file ({', '.join(SUFFIXES)})", path=path)
        return found
    if not path.exists():
        raise CorpusError("no such file or folder; give the path of a labelled corpus", path=path)
    if path.suffix not in SUFFIXES:
        raise CorpusError(f"unknown format {path.suffix!r}; expected one of {', '.join(SUFFIXES)}", path=path)
    return [path]


def _read_file(path: Path, taxonomy: Taxonomy) -> Iterator[Example]:
    rows = {".jsonl": jsonl_rows, ".csv": whole_csv_rows, ".parquet": parquet_rows}[path.suffix](path)
    for number, row in rows:
        yield example_from_row(row, taxonomy, str(path), number)


@contextmanager
def utf8(path: Path) -> Iterator[None]:
    """Say file and line where reading the file meets bytes that are not UTF-8."""
    try:
        yield
    except UnicodeDecodeError as error:
        with path.open("rb") as lines:
            number = next((number for number, line in enumerate(lines, 1) if not _decodes(line)), None)
        said = f"is not UTF-8 (byte 0x{error.object[error.start]:02x}); save it as {path.suffix[1:]}, text in UTF-8"
        raise CorpusError(said, path=path, line=number) from error


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def jsonl_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with utf8(path), path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CorpusError(f"is not JSON ({error.msg})", path=path, line=number) from error
            if not isinstance(row, dict):
                raise CorpusError(f"is a {type(row).__name__}; expected a JSON object", path=path, line=number)
            yield number, row


def csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Read CSV with commas, semicolons (spreadsheets in Spain, Italy and Greece) or tabs: whichever gives a column `text` or `id`."""
    with utf8(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=_delimiter(path, file.readline()))
        file.seek(0)
        try:
            for row in reader:
                yield reader.line_num, {key: unguarded(value) for key, value in row.items() if value not in (None, "")}
        except csv.Error as error:
            raise CorpusError(f"is not CSV ({error})", path=path, line=reader.line_num) from error


def whole_csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Read CSV as `csv_rows` does.

    Raises:
        CorpusError: a row has more cells than the header: a text that was not quoted, and would be cut.
    """
    for number, row in csv_rows(path):
        over = cast(Any, row).get(None)
        if over:
            said = f"{len(over)} cells more than the header has; put cells that hold the delimiter in double quotes"
            raise CorpusError(said, path=path, line=number)
        yield number, row


def _delimiter(path: Path, header: str) -> str:
    """Find what separates the columns of a first line.

    Raises:
        CorpusError: no column is `text` or `id` (labels alone are told apart by `id`); the columns are named.
    """
    for wanted in ("text", "id"):
        for delimiter in DELIMITERS:
            if wanted in next(csv.reader([header], delimiter=delimiter), ()):
                return delimiter
    if header.strip():
        seen = next(csv.reader([header], delimiter=max(DELIMITERS, key=header.count)))
        raise CorpusError(f"no column is called 'text'; the columns are {', '.join(seen)}", path=path, line=1)
    return ","


def unguarded(cell: Any) -> Any:
    """Take off the apostrophe that keeps a spreadsheet from running a cell as a formula. Example: "'=1+1" -> "=1+1"."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and FORMULA.match(cell) else cell


def parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pyarrow.ArrowException as error:
        raise CorpusError(f"cannot be read as Parquet ({error})", path=path) from error


def example_from_row(row: Mapping[str, Any], taxonomy: Taxonomy, path: str, number: int) -> Example:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        given = ", ".join(str(key) for key, value in row.items() if value is not None)
        raise CorpusError(f"the row has no text; it has {given or 'nothing'}", path=path, line=number)
    try:
        labels = parse_labels(raw_labels(row, taxonomy), taxonomy)
    except ValueError as error:
        raise CorpusError(str(error), path=path, line=number) from error
    if row.get("split") and row["split"] not in SPLITS:
        said = f"the split {row['split']!r} is not known; expected {', '.join(SPLITS)}, or none"
        raise CorpusError(said, path=path, line=number)
    hard = row.get("hard") or ()
    return Example(
        id=str(row.get("id") or f"{Path(path).stem}-{number}"),
        text=clean_text(text),
        lang=row.get("lang"),
        labels=labels,
        hard=tuple(hard.split("|")) if isinstance(hard, str) else tuple(hard),
        meta={key: str(row[key]) for key in META_KEYS if row.get(key)},
    )


def raw_labels(row: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, Any]:
    """Take the labels of a row: nested under `labels`, or one column a head (lists as `a|b`, yes/no as true/false).

    Raises:
        ValueError: `labels` is there and is no object.
    """
    nested = row.get("labels")
    if nested is None:
        columns = {str(column).strip().casefold(): column for column in row}  # a spreadsheet's columns may be written Topic, or URGENT
        found = {name: row.get(columns.get(name.casefold(), name)) for name in taxonomy.by_name}
        raw = {name: _from_cell(value, taxonomy.by_name[name].kind) for name, value in found.items() if value is not None}
    else:
        try:
            given = json.loads(nested) if isinstance(nested, str) else nested
        except json.JSONDecodeError as error:
            raise ValueError(f"labels is {nested!r}, which is not JSON ({error.msg}); expected an object of heads") from error
        if not isinstance(given, Mapping):
            first = next(iter(taxonomy.by_name))
            raise ValueError(f'labels is {nested!r}; expected an object of heads, such as {{"{first}": …}}')
        raw = dict(given)
    if "role" in taxonomy.by_name and row.get("role") is not None:
        raw["role"] = row["role"]
    return raw


def _from_cell(value: Any, kind: str) -> Any:
    if not isinstance(value, str):
        return value
    if kind == "yes_no":
        return {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(value.strip().lower(), value)
    if kind == "any_of":
        return [part.strip() for part in value.split("|") if part.strip()]
    return value.strip()
