"""Where messages come from: mailboxes, folders, tables, standard input."""

from reclamo.sources.open import SourceOptions, open_source

__all__ = ["SourceOptions", "open_source"]
