"""Where tags go: JSON lines, CSV, Parquet, a table on the terminal."""

from reclamo.sinks.base import Sink
from reclamo.sinks.open import FORMATS, open_sink

__all__ = ["FORMATS", "Sink", "open_sink"]
