"""Run a tagger: tokenise, batch by tokens, compute, decode. No torch on this way."""

from reclamo.engine.tagger import Tagger

__all__ = ["Tagger"]
