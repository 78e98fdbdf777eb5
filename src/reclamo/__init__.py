"""Reclamo tags support messages in Spanish, Greek and Italian.

Complaints with grounds, severity and churn risk, sentiment, contact reason, and the rubric traits of agents' replies.

Example:
    >>> import reclamo
    >>> tagger = reclamo.load()
    >>> tagger.tag("Llevo tres semanas esperando el reembolso").complaint.value
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reclamo.errors import ReclamoError
from reclamo.message import Message
from reclamo.tags import Evidence, HeadTag, Tags
from reclamo.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from reclamo.engine.tagger import Tagger, load

__version__ = "0.1.0"
__all__ = ["Evidence", "HeadTag", "Message", "ReclamoError", "Tagger", "Tags", "Taxonomy", "load", "load_taxonomy"]


def __getattr__(name: str) -> Any:
    if name in ("Tagger", "load"):
        from reclamo.engine import tagger

        return getattr(tagger, name)
    raise AttributeError(f"module 'reclamo' has no attribute {name!r}")
