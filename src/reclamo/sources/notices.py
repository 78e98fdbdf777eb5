"""What a source has to tell the person who reads it, beside its messages."""

from __future__ import annotations

import logging
from collections.abc import Callable

Say = Callable[[str], None]
_LOG = logging.getLogger("reclamo")


def to_log(what: str) -> None:
    """Note it in the log, where nobody is there to be told."""
    _LOG.info("%s", what)
