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

if TYPE_CHECKING:
    from reclamo.sources.imap import ImapOptions


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How sources are read.

    Attributes:
        text_column, id_column: of tables; found by their names where not given.
        include_automatic: whether bounces, newsletters and out-of-office notes are given to be scored.
        limits: of mail.
        imap: which messages of an IMAP folder, and over what connection.
    """

    text_column: str | None = None
    id_column: str | None = None
    include_automatic: bool = False
    limits: Limits = field(default_factory=Limits)
    imap: ImapOptions | None = None


Reader = Callable[[Path, SourceOptions], Iterator[Message]]


def _mbox(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.mbox import read_mbox

    return read_mbox(path, options.limits, options.include_automatic)


def _eml(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.eml import read_eml

    return read_eml(path, options.limits, options.include_automatic)


def _jsonl(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.jsonl import read_jsonl

    return read_jsonl(path)


def _csv(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_csv

    return read_csv(path, options.text_column, options.id_column)


def _parquet(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_parquet

    return read_parquet(path, options.text_column, options.id_column)


def _xlsx(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.table import read_xlsx

    return read_xlsx(path, options.text_column, options.id_column)


def _archive(path: Path, options: SourceOptions) -> Iterator[Message]:
    from reclamo.sources.archive import read_archive

    return read_archive(path, options.limits, options.include_automatic)


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
DOUBLE_ENDINGS: Final[dict[str, Reader]] = {
    ".tar.gz": _archive,
    ".tar.bz2": _archive,
    ".tar.xz": _archive,
}


def open_source(source: str | Path, options: SourceOptions = SourceOptions()) -> Iterator[Message]:
    """Read the messages of a file, a folder (Maildir, or .eml and .mbox files), an IMAP folder or `-` (JSON lines on standard input).

    Raises:
        SourceError: there is no such file or folder, or it cannot be read.
        UsageError: the ending or the scheme is not known.
    """
    if str(source) == "-":
        from reclamo.sources.jsonl import parse_jsonl

        return parse_jsonl(sys.stdin.buffer, "stdin")
    if "://" in str(source):
        return _url(str(source), options)
    path = Path(source)
    if path.is_dir():
        return _folder(path, options)
    if not path.exists():
        raise SourceError("no such file or folder; give a mailbox, a folder of mail, a table, or - for JSON lines on stdin", path=path)
    double = "".join(path.suffixes[-2:]).lower()
    reader = DOUBLE_ENDINGS.get(double) or READERS.get(path.suffix.lower()) or (_mbox if _looks_like_mbox(path) else None)
    if reader is None:
        raise UsageError(f"unknown format {path.suffix!r}; expected one of {', '.join(READERS)}, or a folder", path=path)
    return reader(path, options)


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
        return read_maildir(path, options.limits, options.include_automatic)
    return read_mail_folder(path, options.limits, options.include_automatic)


def _looks_like_mbox(path: Path) -> bool:
    """A file without a known ending that starts with an mbox separator, as in /var/mail."""
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", path=path) from error
