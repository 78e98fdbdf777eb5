"""What a source has to tell the person who reads it, beside its messages."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

Say = Callable[[str], None]
SHOWN: Final = 8  # endings, or names of folders
_LOG = logging.getLogger("reclamo")


def to_log(what: str) -> None:
    """Note it in the log, where nobody is there to be told."""
    _LOG.info("%s", what)


def passed_over(path: Path, passed: Counter[str]) -> str:
    """Say which files beside the mail were passed over, by their endings."""
    what = "1 file is no mail and was" if passed.total() == 1 else f"{passed.total()} files are no mail and were"
    return f"{path.name}: {what} passed over ({by_ending(passed)})"


def by_ending(passed: Counter[str]) -> str:
    """Give counts by ending, the most common first. Example: "3 with .txt, 1 with no ending"."""
    others = passed.total() - sum(count for _, count in passed.most_common(SHOWN))
    shown = [f"{count} with {ending}" for ending, count in passed.most_common(SHOWN)]
    return ", ".join([*shown, f"{others} with others"] if others else shown)


def not_entered(path: Path, folders: list[str]) -> str:
    """Say which subfolders of a Maildir are not read."""
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    what = "its subfolder is" if len(folders) == 1 else f"its {len(folders)} subfolders are"
    return f"{path.name}: {what} not read ({', '.join(folders[:SHOWN])}{more}); give each by its own path, such as {path / folders[0]}"
