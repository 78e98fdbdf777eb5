"""Tables: CSV, Parquet and XLSX, one message a row."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from reclamo.errors import MissingExtraError, SourceError, UsageError
from reclamo.message import Message, Problem

TEXT_NAMES: Final = (
    "text", "message", "body", "comment", "answer", "review", "texto", "mensaje", "comentario", "respuesta",
    "testo", "messaggio", "commento", "risposta", "recensione", "κείμενο", "μήνυμα", "σχόλιο", "απάντηση",
)  # fmt: skip
ID_NAMES: Final = ("id", "message_id", "ticket", "ticket_id")
SNIFF_CHARACTERS: Final = 65_536
SNIFF_BYTES: Final = 65_536
DELIMITERS: Final = ",;\t|"
FIELD_LIMIT: Final = 4 * 1_048_576


def read_csv(path: Path, text_column: str | None = None, id_column: str | None = None) -> Iterator[Message]:
    """Read a CSV or TSV file: the delimiter is found, the encoding is UTF-8 or else guessed by its script.

    Raises:
        SourceError: the file cannot be read or has no header. UsageError: no column holds the text.
    """
    csv.field_size_limit(FIELD_LIMIT)
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SNIFF_CHARACTERS)
        file.seek(0)
        reader = csv.reader(file, _dialect(sample))
        header = next(reader, None)
        if not header:
            raise SourceError("is empty; expected a header line with column names", path=path)
        header = [name.strip().lstrip("\ufeff") for name in header]
        columns = _Columns(header, text_column, id_column, path)
        number = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield Message(id=str(number), text="", problem=Problem(reason="broken", detail=f"line {reader.line_num}: {error}"))
                continue
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            yield columns.message(dict(zip(header, cells, strict=False)), number)


def read_parquet(path: Path, text_column: str | None = None, id_column: str | None = None) -> Iterator[Message]:
    """Read a Parquet file in batches.

    Raises:
        SourceError: it is not Parquet. UsageError: no column holds the text.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            columns = _Columns(file.schema_arrow.names, text_column, id_column, path)
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield columns.message(row, number)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise SourceError(f"cannot be read as Parquet ({str(error).splitlines()[0]})", path=path) from error


def read_xlsx(path: Path, text_column: str | None = None, id_column: str | None = None) -> Iterator[Message]:
    """Read the first sheet of an Excel file; its first row names the columns.

    Raises:
        SourceError: it is not an Excel file. UsageError: no column holds the text. MissingExtraError: openpyxl is missing.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError("openpyxl", "xlsx") from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise SourceError(f"cannot be read as XLSX ({error})", path=path) from error
    rows = book.worksheets[0].iter_rows(values_only=True)
    header = [str(cell or "").strip() for cell in next(rows, ())]
    columns = _Columns(header, text_column, id_column, path)
    for number, cells in enumerate(rows, 1):
        if any(cell is not None for cell in cells):
            yield columns.message(dict(zip(header, cells, strict=False)), number)
    book.close()


class _Columns:
    """Which column holds what, and rows as messages."""

    def __init__(self, header: Sequence[str], text_column: str | None, id_column: str | None, path: Path) -> None:
        self.text = _find(header, text_column, TEXT_NAMES)
        if self.text is None:
            wanted = f"no column {text_column!r}" if text_column else "no column with a known name for the text"
            raise UsageError(f"{wanted}; it has {', '.join(header)}; name it with --text-column", path=path)
        self.id = _find(header, id_column, ID_NAMES)
        if id_column and self.id is None:
            raise UsageError(f"no column {id_column!r}; it has {', '.join(header)}", path=path)

    def message(self, row: Mapping[str, Any], number: int) -> Message:
        assert self.text is not None
        values = {str(key).lower(): value for key, value in row.items() if key is not None}
        values["text"] = row.get(self.text)
        values["id"] = row.get(self.id) if self.id else None
        return Message.from_dict(values, id=str(number))


def _find(header: Sequence[str], given: str | None, names: Sequence[str]) -> str | None:
    if given is not None:
        return given if given in header else None
    lowered = {name.lower(): name for name in header}
    return next((lowered[name] for name in names if name in lowered), None)


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is; otherwise what mail's charset fall-backs say of its head."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _open(path) as file:
        head = file.read(SNIFF_BYTES)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        block = head
        try:
            while block:
                decoder.decode(block)
                block = file.read(SNIFF_BYTES)
            decoder.decode(b"", final=True)
            return "utf-8-sig"
        except UnicodeDecodeError:
            from reclamo.mail.charsets import decode_bytes

            return decode_bytes(head)[1]


def _dialect(sample: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(sample.split("\n", 1)[0] or ",", delimiters=DELIMITERS)
    except csv.Error:
        return csv.excel
