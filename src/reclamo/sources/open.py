"""Open any source by its path: the ending, or what a folder holds, says which reader takes it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reclamo.errors import SourceError, UsageError
from reclamo.mail import Limits
from reclamo.message import Message
from reclamo.sources.ids import with_unique_ids
from reclamo.sources.notices import Say, to_log

if TYPE_CHECKING:
    from reclamo.sources.imap import ImapOptions


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How sources are read.

    Attributes:
        text_column, id_column: of tables and JSON lines; found by their names where not given.
        include_automatic: whether bounces, newsletters and out-of-office notes are given to be scored.
        limits: of mail.
        imap: which messages of an IMAP folder, and over what connection.
        say: takes what the reader should know, such as what was passed over; the log by default.
    """

    text_column: str | None = None
    id_column: str | None = None
    include_automatic: bool = False
    limits: Limits = field(default_factory=Limits)
    imap: ImapOptions | None = None
    say: Say = to_log


Reader = Callable[[Path, SourceOptions], Iterator[Message]]


def _mbox(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.mbox import read_mbox

    return read_mbox(path, options.limits, options.include_automatic)


def _eml(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.eml import read_eml

    return read_eml(path, options.limits, options.include_automatic)


def _jsonl(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.jsonl import read_jsonl

    return with_unique_ids(read_jsonl(path, options.text_column, options.id_column))


def _csv(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_csv

    return with_unique_ids(read_csv(path, options.text_column, options.id_column, options.say))


def _parquet(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_parquet

    return with_unique_ids(read_parquet(path, options.text_column, options.id_column, options.say))


def _xlsx(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_xlsx

    return with_unique_ids(read_xlsx(path, options.text_column, options.id_column, options.say))


def _archive(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.archive import read_archive

    return read_archive(path, options.limits, options.include_automatic, say=options.say)


READERS: Final[dict[str, Reader]] = {
    ".mbox": _mbox,
    ".mbx": _mbox,
    ".eml": _eml,
    ".msg": _eml,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".xlsx": _xlsx,
    ".zip": _archive,
    ".tar": _archive,
    ".tgz": _archive,
    ".tbz2": _archive,
    ".txz": _archive,
}
WITH_COLUMNS: Final = frozenset({_jsonl, _csv, _parquet, _xlsx})
DOUBLE_ENDINGS: Final[dict[str, Reader]] = {
    ".tar.gz": _archive,
    ".tar.bz2": _archive,
    ".tar.xz": _archive,
}


def open_source(source: str | Path, options: SourceOptions = SourceOptions()) -> Iterator[Message]:
    """Read the messages of a file, a folder (Maildir, or .eml and .mbox files), an IMAP folder or `-` (JSON lines on standard input).

    Raises:
        SourceError: there is no such file or folder, or it cannot be read.
        UsageError: the ending or the scheme is not known, or columns are named of a source that has none.
    """
    if str(source) == "-":
        from reclamo.sources.jsonl import parse_jsonl

        return with_unique_ids(parse_jsonl(sys.stdin.buffer, "stdin", options.text_column, options.id_column))
    if "://" in str(source):
        refuse_columns(options)
        return _url(str(source), options)
    path = Path(source)
    if path.is_dir():
        refuse_columns(options, path)
        return _folder(path, options)
    if not path.exists():
        raise SourceError("no such file or folder; give a mailbox, a folder of mail, a table, or - for JSON lines on stdin", path=path)
    double = "".join(path.suffixes[-2:]).lower()
    reader = DOUBLE_ENDINGS.get(double) or READERS.get(path.suffix.lower()) or (_mbox if _looks_like_mbox(path) else None)
    if reader is None:
        raise UsageError(f"unknown format {path.suffix!r}; expected one of {', '.join(READERS)}, or a folder", path=path)
    if reader not in WITH_COLUMNS:
        refuse_columns(options, path)
    return reader(path, options)


def refuse_columns(options: SourceOptions, path: Path | None = None) -> None:
    """Raise UsageError where columns are named of mail."""
    given = [name for name, value in (("--text-column", options.text_column), ("--id-column", options.id_column)) if value is not None]
    if given:
        raise UsageError(f"{' and '.join(given)}: only for tables and JSON lines; leave that out, mail has no columns", path=path)


def _url(source: str, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.imap_url import is_imap, parse_imap_url

    if not is_imap(source):
        raise UsageError(f"{source.split('://')[0]}:// sources are not read by this version; give imaps://, a file or a folder")
    from reclamo.sources.imap import ImapMessages, ImapOptions

    imap = options.imap or ImapOptions()
    return ImapMessages(parse_imap_url(source), replace(imap, limits=options.limits, include_automatic=options.include_automatic))


def _folder(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.eml import read_mail_folder
    from reclamo.sources.maildir import read_maildir

    if (path / "cur").is_dir() and (path / "new").is_dir():
        return read_maildir(path, options.limits, options.include_automatic, options.say)
    return read_mail_folder(path, options.limits, options.include_automatic, options.say)


def _looks_like_mbox(path: Path) -> bool:
    """A file without a known ending that starts with an mbox separator, as in /var/mail."""
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error
