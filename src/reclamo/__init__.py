"""Reclamo tags support messages in Spanish, Greek and Italian.

Complaints with grounds, severity and churn risk, sentiment, contact reason, and the rubric traits of agents' replies.

Example:
    >>> import reclamo
    >>> tagger = reclamo.load()
    >>> tagger.tag("Llevo tres semanas esperando el reembolso").complaint.value
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reclamo.engine.tagger import Tagger, load
    from reclamo.errors import (
        ArtefactError,
        CorpusError,
        MissingExtraError,
        ReclamoError,
        SinkError,
        SourceError,
        TaxonomyError,
        UsageError,
    )
    from reclamo.message import Message
    from reclamo.tags import Evidence, HeadTag, Tags
    from reclamo.taxonomy import Taxonomy, load_taxonomy

__version__ = "0.1.0"
__all__ = [
    "ArtefactError", "CorpusError", "Evidence", "HeadTag", "Message", "MissingExtraError", "ReclamoError", "SinkError", "SourceError",
    "Tagger", "Tags", "Taxonomy", "TaxonomyError", "UsageError", "load", "load_taxonomy",
]  # fmt: skip

# Imported when first asked for, so that the command starts fast.
_HOMES: Final = {name: "reclamo.errors" for name in __all__ if name.endswith("Error")} | {
    "Evidence": "reclamo.tags", "HeadTag": "reclamo.tags", "Message": "reclamo.message", "Tagger": "reclamo.engine.tagger",
    "Tags": "reclamo.tags", "Taxonomy": "reclamo.taxonomy", "load": "reclamo.engine.tagger", "load_taxonomy": "reclamo.taxonomy",
}  # fmt: skip

if not TYPE_CHECKING:  # a type checker would take any name for one of this module

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module 'reclamo' has no attribute {name!r}")
