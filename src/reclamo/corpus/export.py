"""Labelled messages out and in again: JSON lines, CSV, Parquet, Label Studio."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reclamo.corpus.example import META_KEYS, Example
from reclamo.corpus.labelstudio import from_tasks, read_tasks, to_tasks
from reclamo.corpus.readers import FORMULA, example_from_row, jsonl_rows, parquet_rows, whole_csv_rows
from reclamo.errors import CorpusError, SinkError, UsageError
from reclamo.sinks.files import part_of
from reclamo.sources import SourceOptions, open_source
from reclamo.taxonomy import Taxonomy
from reclamo.text import clean_text

EMPTY_LIST: Final = "|"  # a cell that says: annotated, and none of the labels; an empty cell says: not annotated


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Messages that were read, and how many were left out for which reason."""

    examples: tuple[Example, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def export_corpus(examples: Sequence[Example], path: str | Path, taxonomy: Taxonomy, *, format: str | None = None) -> str:
    """Write labelled messages; give the format, by the file's ending where `format` is None.

    Raises:
        UsageError: the format is unknown. SinkError: the file cannot be written.
    """
    target = Path(path)
    name = format_of(target, format)
    try:
        WRITERS[name](examples, part_of(target), taxonomy)
        part_of(target).replace(target)
    except OSError as error:
        raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=target) from error
    return name


def import_corpus(path: str | Path, taxonomy: Taxonomy, *, format: str | None = None, annotator: str | None = None) -> Imported:
    """Read labelled messages that were exported, or labelled elsewhere in one of the formats.

    Args:
        annotator: whose annotations of Label Studio tasks to take, by number or e-mail; the last finished ones by default.

    Raises:
        UsageError: the format is unknown. CorpusError: the file is missing, or a row breaks a rule.
    """
    source = Path(path)
    name = format_of(source, format)
    left_out: Counter[str] = Counter()
    rows = read_rows(source, name)
    if name == "label-studio":
        rows = from_tasks(rows, taxonomy, left_out, annotator=annotator, path=source)
    examples = tuple(example_from_row(row, taxonomy, str(source), number) for number, row in rows)
    return Imported(examples=examples, left_out=dict(left_out))


def import_messages(path: str | Path, options: SourceOptions = SourceOptions()) -> Imported:
    """Read messages without labels from any source that can be tagged (mail, tables), so that they can be labelled.

    Raises:
        SourceError: the source cannot be read.
    """
    left_out: Counter[str] = Counter()
    examples: list[Example] = []
    for message in open_source(str(path), options):
        if message.problem is not None or not message.text.strip():
            left_out[message.problem.reason if message.problem else "empty"] += 1
            continue
        meta = {"subject": message.subject} if message.subject else {}
        labels = {"role": message.role} if message.role else {}
        examples.append(Example(id=message.id, text=clean_text(message.text), lang=message.lang, labels=labels, meta=meta))
    return Imported(examples=tuple(examples), left_out=dict(left_out))


def read_rows(path: Path, format: str | None = None) -> Iterator[tuple[int, Any]]:
    """Give the rows (or tasks) of a file with their numbers, as they are stored.

    Raises:
        UsageError: the format is unknown. CorpusError: the file is missing, or is not of its format.
    """
    name = format_of(path, format)
    if not path.is_file():
        raise CorpusError("no such file; give the path of labelled messages", path=path)
    try:
        yield from READERS[name](path)
    except (ValueError, OSError, csv.Error) as error:  # pyarrow's and the codecs' errors are ValueErrors
        raise CorpusError(f"cannot be read as {name} ({error}); save it as {name}, text in UTF-8", path=path) from error


def format_of(path: Path, format: str | None) -> str:
    """Name the format of a file: `format`, or what its ending says. Example: tasks.json -> label-studio."""
    name = format or {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".json": "label-studio"}.get(path.suffix)
    if name not in WRITERS:
        raise UsageError(f"the format of {path.name} is {name or 'unknown'}; expected one of {', '.join(WRITERS)}")
    return str(name)


def _write_jsonl(examples: Sequence[Example], path: Path, taxonomy: Taxonomy) -> None:
    path.write_text("".join(json.dumps(example.to_dict(), ensure_ascii=False) + "\n" for example in examples), encoding="utf-8")


def _write_tasks(examples: Sequence[Example], path: Path, taxonomy: Taxonomy) -> None:
    path.write_text(json.dumps(to_tasks(examples, taxonomy), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_csv(examples: Sequence[Example], path: Path, taxonomy: Taxonomy) -> None:
    heads = [name for name in taxonomy.by_name if name != "role"]
    columns = ["id", "lang", "role", "text", *heads, *META_KEYS, "hard"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for example in examples:
        row = {"id": example.id, "lang": example.lang, "text": example.text, "hard": "|".join(example.hard), **example.meta}
        row |= {name: _cell(value) for name, value in example.labels.items()}
        writer.writerow({key: _neutral(value) for key, value in row.items() if value})
    path.write_text(out.getvalue(), encoding="utf-8", newline="")


def _cell(value: str | bool | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return "|".join(value) or EMPTY_LIST
    return str(value).lower() if isinstance(value, bool) else value


def _neutral(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula, and before what looks like one so marked."""
    return "'" + cell if FORMULA.match(cell) else cell


def _write_parquet(examples: Sequence[Example], path: Path, taxonomy: Taxonomy) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    heads = {head.name: _arrow_type(head.kind) for head in taxonomy.heads if head.name != "role"}
    text_columns = [(name, pa.string()) for name in ("id", "lang", "role", "text")]
    meta = [(name, pa.string()) for name in META_KEYS]
    schema = pa.schema([*text_columns, ("labels", pa.struct(list(heads.items()))), *meta, ("hard", pa.list_(pa.string()))])
    rows = [example.to_dict() for example in examples]
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    return {"yes_no": pa.bool_(), "any_of": pa.list_(pa.string())}.get(kind, pa.string())


Reader = Callable[[Path], Iterator[tuple[int, Any]]]
READERS: Final[dict[str, Reader]] = {
    "jsonl": jsonl_rows,
    "csv": whole_csv_rows,
    "parquet": parquet_rows,
    "label-studio": read_tasks,
}
Writer = Callable[[Sequence[Example], Path, Taxonomy], None]
WRITERS: Final[dict[str, Writer]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "label-studio": _write_tasks,
}
