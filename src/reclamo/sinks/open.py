"""Open a sink by its format, or by the ending of the output."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reclamo.errors import UsageError
from reclamo.sinks.base import Sink
from reclamo.sinks.copies import MBOX_ENDINGS, open_copy
from reclamo.sinks.files import CsvRows, CsvSink, JsonlRows, JsonlSink, ParquetRows, ParquetSink
from reclamo.sinks.resumable import STDIN, Batch, ResumableSink
from reclamo.sinks.sqlite import SqliteSink
from reclamo.sinks.table import TableSink
from reclamo.taxonomy import Taxonomy

FORMATS: Final[dict[str, Any]] = {"jsonl": JsonlSink, "csv": CsvSink, "parquet": ParquetSink, "sqlite": SqliteSink, "table": TableSink}
RESUMABLE: Final[dict[str, Any]] = {"jsonl": JsonlRows, "csv": CsvRows, "parquet": ParquetRows}
ENDINGS: Final[dict[str, str]] = {
    **{".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".sqlite": "sqlite", ".db": "sqlite"},
    **dict.fromkeys(MBOX_ENDINGS, "mbox"),
}
COPIES: Final = ("mbox", "maildir")
STANDARD_OUTPUT: Final = ("-", "/dev/stdout")
STREAMS: Final = ("jsonl", "csv", "table")


def open_sink(
    output: Path | None, taxonomy: Taxonomy, *, format: str | None = None, with_text: bool = False, batch: Batch | None = None
) -> Sink | ResumableSink:
    """Open the sink that `format` names, else the output's ending, else JSON lines on standard output.

    With a `batch`, an output that is a file is resumable. A link is followed; a device or a pipe is written to as it is.

    Raises:
        UsageError: an unknown format or ending, an output that is a folder or the source itself, or one of another batch.
        SinkError: the output cannot be written.
    """
    if output is not None and str(output) in STANDARD_OUTPUT:
        output = None
    name = format or (ENDINGS.get(output.suffix.lower()) if output else "jsonl")
    if name in COPIES and batch is not None:
        return _open_copy(name, output, taxonomy, batch)
    if name not in FORMATS:
        seen = f"format {format!r}" if format else f"ending {output.suffix if output else ''!r}"
        raise UsageError(f"unknown {seen}; expected one of {', '.join((*FORMATS, *COPIES))}, or an output ending in {', '.join(ENDINGS)}")
    if output is not None:
        output = _checked(output, name, batch)
    if output is not None and batch is not None and name in RESUMABLE and (output.is_file() or not output.exists()):
        return ResumableSink(output, RESUMABLE[name](taxonomy, with_text=with_text), batch)
    if name == "sqlite" and batch is not None:
        return SqliteSink(output, taxonomy, with_text=with_text, source=_source_name(batch))
    sink: Sink = FORMATS[name](output, taxonomy, with_text=with_text)
    return sink


def _checked(output: Path, name: str, batch: Batch | None) -> Path:
    """Give the path to write to, once it is known that nothing else stands there."""
    if output.is_dir():
        raise UsageError("is a folder; give the name of a file in it", path=output)
    if output.exists() and not output.is_file() and name not in STREAMS:
        raise UsageError(f"is no regular file, which {name} needs; choose another output", path=output)
    if batch is not None and output.is_file() and Path(batch.source).exists() and output.samefile(batch.source):
        raise UsageError("is the source, which is never written to; choose another output", path=output)
    if output.is_symlink() and (output.is_file() or not output.exists()):
        output = output.resolve()
    if not output.parent.is_dir():
        raise UsageError("its folder does not exist; create it first", path=output)
    return output


def _source_name(batch: Batch) -> str:
    """Name a source so that another folder to start from gives it the same name."""
    if batch.fingerprint is not None:
        return str(batch.fingerprint["path"])
    return batch.source if batch.source == STDIN else str(Path(batch.source).resolve())


def _open_copy(name: str, output: Path | None, taxonomy: Taxonomy, batch: Batch) -> ResumableSink:
    if output is None:
        raise UsageError(f"a copy cannot go to standard output; give -o and a name for the {name}")
    if batch.options.get("--redact"):
        raise UsageError("a copy holds every message as it came, so --redact cannot be kept; choose another output", path=output)
    copy = open_copy(name, output, batch.source, taxonomy, again=batch.again)
    if not output.parent.is_dir():
        raise UsageError("its folder does not exist; create it first", path=output)
    return ResumableSink(output, copy, batch)
