"""Single messages in files of their own, and folders of mail: .eml files, mboxes and Maildirs, at any depth."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reclamo.errors import SourceError
from reclamo.mail import Limits
from reclamo.mail.maildir import is_inside, is_maildir
from reclamo.mail.mbox import is_postmark
from reclamo.mail.outlook import need_olefile
from reclamo.message import Message, without_surrogates
from reclamo.sources.ids import UniqueIds
from reclamo.sources.maildir import maildir_messages
from reclamo.sources.mailfile import file_message
from reclamo.sources.mbox import mbox_messages
from reclamo.sources.notices import Say, by_ending, passed_over, to_log

MESSAGE_ENDINGS: Final = frozenset({".eml", ".msg"})
MBOX_ENDINGS: Final = frozenset({".mbox", ".mbx"})
UNFINISHED: Final = frozenset({".part", ".tmp", ".bak"})  # of what is written at the moment, or stands there a second time
_MAILDIR_FOLDERS: Final = frozenset({"cur", "new", "tmp"})
_LOG = logging.getLogger("reclamo")


def read_eml(path: Path, limits: Limits = Limits(), include_automatic: bool = False) -> Iterator[Message]:
    """Give the one message of an .eml file, or of an Outlook .msg file.

    Its id is the Message-ID, else `<file>#1`. Raises SourceError where the file cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError("no such file; expected one message (.eml or .msg)", path=path)
    if path.suffix.lower() == ".msg":
        need_olefile()
    return iter((file_message(path, path.name, UniqueIds(), limits, include_automatic=include_automatic),))


def read_mail_folder(path: Path, limits: Limits = Limits(), include_automatic: bool = False, say: Say = to_log) -> Iterator[Message]:
    """Give the messages of every .eml and .msg file, mbox and Maildir below a folder, sorted by path.

    An mbox is a file that ends in .mbox or .mbx, or begins with a postmark and does not end in .part, .tmp or .bak. Links that lead
    out of the folder are not followed; files of other kinds are passed over, which is said at the end. Ids are the Message-ID, else
    `<path>#<ordinal>`. Raises SourceError where the folder cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        raise SourceError("no such folder", path=path)
    return _walk(path, limits, say, include_automatic=include_automatic)


def _walk(root: Path, limits: Limits, say: Say, *, include_automatic: bool) -> Iterator[Message]:
    ids, pending = UniqueIds(), [root]
    passed, seen = Counter[str](), False
    while pending:
        place = pending.pop()
        name = "" if place == root else place.relative_to(root).as_posix()
        if place.is_dir():
            below = _entries(place, root)
            if is_maildir(place):
                seen = True
                yield from maildir_messages(place, name and f"{name}/", root, ids, limits, include_automatic=include_automatic)
                below = [entry for entry in below if entry.name not in _MAILDIR_FOLDERS and entry.is_dir()]
            pending.extend(reversed(below))
        elif place.suffix.lower() in MESSAGE_ENDINGS:
            seen = True
            yield file_message(place, name, ids, limits, include_automatic=include_automatic)
        elif _is_mbox(place):
            seen = True
            yield from mbox_messages(place, name, ids, limits, include_automatic=include_automatic)
        else:
            passed[without_surrogates(place.suffix.lower()) or "no ending"] += 1
            _LOG.debug("passed over %s: no mail by its ending", name)
    if passed and not seen:
        raise SourceError(nothing_but(passed), path=root)
    if passed:
        say(passed_over(root, passed))


def nothing_but(passed: Counter[str]) -> str:
    """Say that there is no mail, and what there is, by its endings."""
    return f"holds no mail, only other files ({by_ending(passed)}); give a table or JSON lines by its own name"


def _entries(folder: Path, root: Path) -> list[Path]:
    """Give what lies in a folder, sorted by name; a linked folder is not entered, so that no loop can arise."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(f"the folder could not be read ({error.strerror})", path=folder) from error
    return [entry for entry in entries if is_inside(entry, root) and (entry.is_file() or (entry.is_dir() and not entry.is_symlink()))]


def _is_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = file.readline(1024)
    except OSError:
        return False
    return begins_as_mbox(path.suffix, first)


def begins_as_mbox(ending: str, first: bytes) -> bool:
    """Say whether a file with this ending and first line is an mbox; one that is called so may be empty."""
    if ending.lower() in MBOX_ENDINGS:
        return not first or first.startswith(b"From ")
    return ending.lower() not in UNFINISHED and is_postmark(first)
