"""Tables: CSV, Parquet and XLSX, one message a row."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypedDict

from reclamo.errors import MissingExtraError, SourceError, UsageError
from reclamo.mail.cells import plain_message
from reclamo.message import Message, Problem, without_surrogates
from reclamo.sources.encodings import find_encoding
from reclamo.sources.notices import Say, to_log

# As `fold_name` gives them, the surest first: what a table holds beside a description is often an agent's comment.
TEXT_NAMES: Final = (
    "text", "texto", "testo", "κειμενο", "fulltext", "messagetext", "messagebody", "emailbody", "bodytext", "reviewtext", "commenttext",
    "message", "mensaje", "messaggio", "μηνυμα", "body", "cuerpo", "corpo", "content", "contenido", "contenuto", "περιεχομενο",
    "description", "descripcion", "descrizione", "περιγραφη", "ticketdescription", "casedescription", "issuedescription",
    "comment", "comentario", "commento", "σχολιο", "comments", "comentarios", "commenti", "σχολια",
    "answer", "respuesta", "risposta", "απαντηση", "review", "resena", "recensione", "κριτικη", "feedback",
)  # fmt: skip
ID_NAMES: Final = (
    "id", "messageid", "commentid", "reviewid", "ticketid", "idticket", "iddelticket", "ticketnumber", "ticketno", "ticketkey",
    "numerodeticket", "numeroticket", "numerodelticket", "ticket", "αριθμοσαιτηματοσ", "κωδικοσαιτηματοσ", "caseid", "casenumber",
    "caseno", "idcaso", "numerodecaso", "numerocaso", "αριθμοσυποθεσησ", "issueid", "issuekey", "issuenumber",
    "requestid", "requestnumber", "conversationid",
)  # fmt: skip
SNIFF_CHARACTERS: Final = 65_536
DELIMITERS: Final = ",;\t|"
NO_DELIMITER: Final = "\uffff"  # in no text: a header of one column, whose rows are one cell each
FIELD_LIMIT: Final = 4 * 1_048_576
ROW_NAMES: Final = ("role", "lang", "subject", "date", "thread", "sender")
_SEP_LINE: Final = re.compile(r'"?sep=([^\r\n"])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
_QUOTED: Final = re.compile(rf'(^|[{DELIMITERS}]) *"(?:[^"]|"")*"')
_NAME_SIGNS: Final = re.compile(r"[\s_#.-]+")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
UNCLOSED: Final = "unexpected end of data"  # what csv says at the end of a file inside a quote


class _Dialect(TypedDict):
    """How a file is cut into cells; quotes are always `"`, doubled inside a cell."""

    delimiter: str
    skipinitialspace: bool


def read_csv(path: Path, text_column: str | None = None, id_column: str | None = None, say: Say = to_log) -> Iterator[Message]:
    """Read a CSV or TSV file: the delimiter is found, or told by a first line `sep=;`; the encoding is UTF-8 or else guessed by its script.

    A row with more cells than the header, or with a quote that is not closed, becomes a message with a problem.

    Raises:
        SourceError: the file cannot be read or has no header. UsageError: no column holds the text.
    """
    csv.field_size_limit(FIELD_LIMIT)
    with path.open(encoding=find_encoding(path), errors="replace", newline="") as file:
        sample = file.read(SNIFF_CHARACTERS)
        file.seek(0)
        lines = _Lines(file)
        told = _SEP_LINE.match(sample)
        if told is not None:
            next(lines)
        records = _records(lines, _dialect(sample, text_column) if told is None else _dialect_of(told[1], sample[told.end() :]))
        header = next(records, None)
        if header is None:
            raise SourceError("is empty; expected a header line with column names", path=path)
        if header.error:
            raise SourceError(f"has no header line that can be read ({header.error})", path=path, line=header.line)
        names = [name.strip().lstrip("\ufeff") for name in header.cells]
        columns = _Columns(names, text_column, id_column, path, say)
        for number, record in enumerate(records, 1):
            yield _csv_message(record, names, columns, number)


@dataclass(slots=True)
class _Record:
    """A row of CSV and the line where it begins.

    `error` says why it could not be read as it stands; `cells` are then what a lax reader sees, and `is_whole` whether that is all.
    """

    line: int
    cells: list[str]
    error: str = ""
    is_whole: bool = True


class _Lines:
    """The lines of a file, with the number and the text of the last one given."""

    def __init__(self, file: Iterable[str]) -> None:
        self._lines = iter(file)
        self.number, self.last = 0, ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        self.number += 1
        return self.last


def _records(lines: _Lines, dialect: _Dialect) -> Iterator[_Record]:
    """Give the rows that are not blank. A row that breaks the rules of quoting is given with its error, and reading goes on behind it."""
    reader = csv.reader(lines, **dialect, strict=True)
    while True:
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken_record(lines, line, str(error), dialect)
            continue
        if any(cell.strip() for cell in cells):
            yield _Record(line, cells)


def _broken_record(lines: _Lines, line: int, error: str, dialect: _Dialect) -> _Record:
    """Say what is wrong; quotes that are not doubled within one line are told apart, since a lax reader can often see what is meant."""
    if lines.number > line or error == UNCLOSED:
        found = "is never closed" if error == UNCLOSED else f"is not closed before line {lines.number} ({error})"
        detail = f"a quote that opens in line {line} {found}, so lines {line} to {lines.number} cannot be told apart"
        return _Record(line, [], f"{detail}; close it, and double the quotes inside texts", is_whole=False)
    detail = f"line {line}: {error}; double the quotes inside texts"
    if lines.last.count('"') % 2:
        return _Record(line, [], detail, is_whole=False)
    try:
        return _Record(line, next(csv.reader([lines.last], **dialect)), detail)
    except csv.Error:
        return _Record(line, [], detail, is_whole=False)


def _csv_message(record: _Record, header: Sequence[str], columns: _Columns, number: int) -> Message:
    cells, error = record.cells, record.error
    seen = len(cells)
    while seen > len(header) and not cells[seen - 1].strip():
        seen -= 1
    if seen > len(header):
        what = f"{seen} cells, the header has {len(header)}"
        error = f"line {record.line}: {what}; put texts that hold the delimiter in quotes, and double the quotes inside them"
    elif record.is_whole and (not error or seen == len(header)):
        return columns.message(dict(zip(header, cells, strict=False)), number)
    return columns.broken(header, cells, number, error)


def read_parquet(path: Path, text_column: str | None = None, id_column: str | None = None, say: Say = to_log) -> Iterator[Message]:
    """Read the columns that messages need of a Parquet file, in batches.

    Raises:
        SourceError: it is not Parquet, or a column cannot be read. UsageError: no column holds the text.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            columns = _Columns(file.schema_arrow.names, text_column, id_column, path, say)
            for batch in file.iter_batches(batch_size=1024, columns=columns.needed):
                for row in _in_microseconds(batch).to_pylist():
                    number += 1
                    yield columns.message(row, number)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise SourceError(f"cannot be read as Parquet ({why}){f', after {number} rows' if number else ''}", path=path) from error


def _in_microseconds(batch: Any) -> Any:
    """Round times below a microsecond down, which Python's times cannot hold."""
    import pyarrow

    for place, field in enumerate(batch.schema):
        if pyarrow.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = batch.column(place).cast(pyarrow.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, column)
    return batch


def read_xlsx(path: Path, text_column: str | None = None, id_column: str | None = None, say: Say = to_log) -> Iterator[Message]:
    """Read the first sheet of an Excel file; its first row that is not blank names the columns. A number in place of a text is its digits.

    Raises:
        SourceError: it is not an Excel file, or the sheet is empty. UsageError: no column holds the text.
        MissingExtraError: openpyxl is missing.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError("openpyxl", "xlsx") from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise SourceError(f"cannot be read as XLSX ({error})", path=path) from error
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what a file says of its own size is not always true
    rows = _sheet_rows(sheet, path)
    names = ([str("" if cell is None else cell).strip() for cell in cells] for cells in rows)
    header = next((cells for cells in names if any(cells)), None)
    further = ", ".join(repr(other.title) for other in book.worksheets[1:] if not _is_blank(other, path))
    if header is None:
        left = f"; move {further} to the front to read it" if further else ""
        raise SourceError(f"its first sheet, {sheet.title!r}, is empty; expected a row with column names{left}", path=path)
    columns = _Columns(header, text_column, id_column, path, say)
    if further:
        say(f"{path.name}: only the first sheet, {sheet.title!r}, is read, not {further} (save each sheet as a file of its own to read it)")
    for number, cells in enumerate(rows, 1):
        if any(cell is not None for cell in cells):
            row = dict(zip(header, cells, strict=False))
            yield columns.message({**row, columns.text: _digits(row.get(columns.text))}, number)
    book.close()


def _is_blank(sheet: Any, path: Path) -> bool:
    """Say whether a sheet has nothing in it; one that cannot be read has something."""
    sheet.reset_dimensions()
    try:
        return not any(cell is not None for cells in _sheet_rows(sheet, path) for cell in cells)
    except SourceError:
        return False


def _digits(cell: Any) -> Any:
    """Give a number as a text, and anything else as it is. Examples: 12345 -> "12345", 2.0 -> "2", 2.5 -> "2.5"."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return cell
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _sheet_rows(sheet: Any, path: Path) -> Iterator[list[Any]]:
    from openpyxl.utils.escape import unescape

    try:
        for cells in sheet.iter_rows(values_only=True):
            yield [unescape(cell) if isinstance(cell, str) else cell for cell in cells]
    except Exception as error:  # of the parsers below openpyxl, whatever they raise
        raise SourceError(f"cannot be read to its end as XLSX ({error}); open it and save it anew", path=path) from error


class _Columns:
    """Which column holds what, and rows as messages."""

    def __init__(self, header: Sequence[str], text_column: str | None, id_column: str | None, path: Path, say: Say) -> None:
        text = find_column(header, text_column, TEXT_NAMES)
        if text is None:
            wanted = f"no column {text_column!r}" if text_column else "no column with a known name for the text"
            raise UsageError(f"{wanted}; it has {', '.join(filter(None, header))}; name it with --text-column", path=path)
        self.text = text
        self.id = find_column(header, id_column, ID_NAMES)
        if id_column and self.id is None:
            raise UsageError(f"no column {id_column!r}; it has {', '.join(filter(None, header))}", path=path)
        twice = next((name for name in (self.text, self.id) if name is not None and list(header).count(name) > 1), None)
        if twice is not None:
            raise UsageError(
                f"two columns are called {twice!r}, and which is meant cannot be known; "
                "rename one, or name another with --text-column or --id-column",
                path=path,
            )
        if self.id is None:
            named = f"the text is column {self.text!r}; no column has a known name for the id"
            say(f"{path.name}: {named}, so ids are row numbers (name one with --id-column)")
        self.needed = [name for name in header if name in (self.text, self.id) or name.lower() in ROW_NAMES]

    def message(self, row: Mapping[str, Any], number: int) -> Message:
        values = {str(key).lower(): value for key, value in row.items() if key is not None}
        values["text"] = row.get(self.text)
        values["id"] = row.get(self.id) if self.id else None
        return plain_message(Message.from_dict(values, id=str(number)))

    def broken(self, header: Sequence[str], cells: Sequence[str], number: int, why: str) -> Message:
        """Give the message of a row that is cut wrongly; its id is sure only where that column stands before the text."""
        place = header.index(self.id) if self.id is not None else len(cells)
        is_sure = place < len(cells) and place < header.index(self.text)
        id = without_surrogates(cells[place]) if is_sure and cells[place] else str(number)
        return Message(id=id, text="", problem=Problem(reason="broken", detail=why))


def find_column(header: Iterable[str], given: str | None, names: Sequence[str]) -> str | None:
    """Give the column that is `given`, to the letter, or else the first of `names` that is there, however it is written.

    Examples: "Ticket ID", "ticket-id" and "TICKET_ID" are "ticketid"; of two that are written so, the one in plain small letters.
    """
    if given is not None:
        return given if given in header else None
    found: dict[str, str] = {}
    for name in header:
        key = fold_name(name)
        if key not in found or name == key:
            found[key] = name
    return next((found[name] for name in names if name in found), None)


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """Give the name of a column without case, accents, spaces and `_-#.`. Example: "Descripción #1" -> "descripcion1"."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", name) if not unicodedata.combining(ch))
    return _NAME_SIGNS.sub("", plain.casefold())


def _dialect(sample: str, text_column: str | None) -> _Dialect:
    """Choose the delimiter by the header: one that cuts out a column for the text, then the one that stands there most often."""
    header = _LINE_END.split(_QUOTED.sub(r"\1", sample.lstrip("\r\n")), maxsplit=1)[0]
    found = [_dialect_of(delimiter, sample) for delimiter in DELIMITERS if delimiter in header]
    if not found:
        return _dialect_of(NO_DELIMITER, sample)
    return max(found, key=lambda dialect: (_has_text(sample, dialect, text_column), header.count(dialect["delimiter"])))


def _dialect_of(delimiter: str, sample: str) -> _Dialect:
    """Take spaces before quotes as no part of the cell where the header has them."""
    header = _LINE_END.split(sample.lstrip("\r\n"), maxsplit=1)[0]
    return {"delimiter": delimiter, "skipinitialspace": f'{delimiter} "' in header}


def _has_text(sample: str, dialect: _Dialect, text_column: str | None) -> bool:
    record = next(_records(_Lines(io.StringIO(sample, newline="")), dialect), None)
    return record is not None and find_column((name.strip() for name in record.cells), text_column, TEXT_NAMES) is not None
