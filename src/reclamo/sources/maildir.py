"""Maildir folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reclamo.errors import SourceError
from reclamo.mail import Limits
from reclamo.mail.maildir import is_maildir, maildir_files, subfolders, without_flags
from reclamo.message import Message, without_surrogates
from reclamo.sources.ids import UniqueIds
from reclamo.sources.mailfile import file_message
from reclamo.sources.notices import Say, not_entered, to_log


def read_maildir(path: Path, limits: Limits = Limits(), include_automatic: bool = False, say: Say = to_log) -> Iterator[Message]:
    """Give the messages of `cur` and `new`, sorted by name without flags; no file is touched or moved. Subfolders are not read but named.

    Ids are the Message-ID, else `<file>#1` without flags. Raises SourceError where the folder is no Maildir.
    """
    path = Path(path)
    if not is_maildir(path):
        raise SourceError("no Maildir here; expected the folders cur and new", path=path)
    return _read(path, limits, say, include_automatic=include_automatic)


def _read(path: Path, limits: Limits, say: Say, *, include_automatic: bool) -> Iterator[Message]:
    yield from maildir_messages(path, "", path, UniqueIds(), limits, include_automatic=include_automatic)
    say_subfolders(path, say)


def say_subfolders(path: Path, say: Say) -> None:
    """Say which subfolders a Maildir has, where it has any."""
    try:
        folders = [without_surrogates(name) for name in subfolders(path)]
    except OSError:
        return
    if folders:
        say(not_entered(path, folders))


def maildir_messages(path: Path, prefix: str, root: Path, ids: UniqueIds, limits: Limits, *, include_automatic: bool) -> Iterator[Message]:
    """Give the messages of one Maildir; `prefix` comes before the file's name in an id."""
    try:
        files = maildir_files(path, root)
    except OSError as error:
        raise SourceError(f"the Maildir could not be read ({error.strerror})", path=path) from error
    for file in files:
        name = prefix + without_flags(file.name)
        yield file_message(file, name, ids, limits, include_automatic=include_automatic)
