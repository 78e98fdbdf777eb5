"""Where tags go: JSON lines, CSV, Parquet, a table on the terminal; files so that a batch can be stopped and go on."""

from reclamo.sinks.base import Sink
from reclamo.sinks.open import FORMATS, open_sink
from reclamo.sinks.resumable import Batch, ResumableSink

__all__ = ["FORMATS", "Batch", "ResumableSink", "Sink", "open_sink"]
