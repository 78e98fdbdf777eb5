"""The Maildir format: which files are messages, and in which order they are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

# What may stand before the first header of a file: a byte order mark, blank lines, a postmark.
LEADING: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:>?From [^\r\n]*\r?\n)?")
_FLAGS: Final = re.compile(r"[:;!]2,[A-Za-z]*$")  # ";" and "!" stand for ":" on file systems that refuse it


def is_maildir(path: Path) -> bool:
    """Say whether a folder has the two folders that hold a Maildir's messages."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


def subfolders(path: Path) -> list[str]:
    """Name the Maildirs right below a Maildir, in order, as Maildir++ puts them. Example: [".Sent", ".Trash"].

    Raises OSError where the folder cannot be read.
    """
    return sorted(entry.name for entry in path.iterdir() if not entry.is_symlink() and is_maildir(entry))


def without_flags(name: str) -> str:
    """Give the name of a message's file without its flags. Example: "17.a:2,S" -> "17.a"."""
    return _FLAGS.sub("", name)


def maildir_files(path: Path, root: Path) -> list[Path]:
    """Give the files of `cur` and `new` that are messages, sorted by name without flags; none that a link leads out of `root`.

    Raises OSError where a folder cannot be read.
    """
    files = [file for folder in ("cur", "new") for file in (path / folder).iterdir()]
    files.sort(key=lambda file: (without_flags(file.name), file.parent.name))
    return [file for file in files if not file.name.startswith(".") and is_inside(file, root) and file.is_file()]


def is_inside(path: Path, root: Path) -> bool:
    """Say whether a path stays below `root` once symbolic links are followed."""
    try:
        return not path.is_symlink() or path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False
