"""Text: characters, language, sentences, redaction."""

from reclamo.text.unicode import clean_text

__all__ = ["clean_text"]
