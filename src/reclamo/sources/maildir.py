"""Maildir folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reclamo.errors import SourceError
from reclamo.mail import Limits
from reclamo.message import Message
from reclamo.sources.ids import UniqueIds
from reclamo.sources.mailfile import file_message

_FLAGS: Final = re.compile(r"[:;!]2,[A-Za-z]*$")  # ";" and "!" stand for ":" on file systems that refuse it


def read_maildir(path: Path, limits: Limits = Limits(), include_automatic: bool = False) -> Iterator[Message]:
    """Give the messages of `cur` and `new`, sorted by name without flags; no file is touched or moved.

    Ids are the Message-ID, else `<file>#1` without flags. Raises SourceError where the folder is no Maildir.
    """
    path = Path(path)
    if not is_maildir(path):
        raise SourceError("no Maildir here; expected the folders cur and new", path=path)
    return maildir_messages(path, "", path, UniqueIds(), limits, include_automatic=include_automatic)


def is_maildir(path: Path) -> bool:
    """Say whether a folder has the two folders that hold a Maildir's messages."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


def maildir_messages(path: Path, prefix: str, root: Path, ids: UniqueIds, limits: Limits, *, include_automatic: bool) -> Iterator[Message]:
    """Give the messages of one Maildir; `prefix` comes before the file's name in an id."""
    try:
        files = [file for folder in ("cur", "new") for file in (path / folder).iterdir()]
    except OSError as error:
        raise SourceError(f"the Maildir could not be read ({error.strerror})", path=path) from error
    for file in sorted(files, key=lambda file: (_FLAGS.sub("", file.name), file.parent.name)):
        if not file.name.startswith(".") and is_inside(file, root) and file.is_file():
            name = prefix + _FLAGS.sub("", file.name)
            yield file_message(file, name, ids, limits, include_automatic=include_automatic)


def is_inside(path: Path, root: Path) -> bool:
    """Say whether a path stays below `root` once symbolic links are followed."""
    try:
        return not path.is_symlink() or path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False
