"""Frozen sentence embeddings of the base encoder with logistic regression: what the base knows before it is trained."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from reclamo.baselines.linear import LinearHeads, Progress, Search, fit_linear_heads
from reclamo.baselines.predictor import Array
from reclamo.corpus import Example, encode_targets
from reclamo.errors import BaseModelError, MissingExtraError
from reclamo.taxonomy import Taxonomy

log = logging.getLogger("reclamo")


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """How texts are embedded.

    Attributes:
        max_tokens: the longest input. tokens_per_batch: with padding; small batches stay in the processor's caches. prefix: put
            before each text.
        bf16: compute in bf16, for processors that have units for it. workers: batches at once, one thread each; on few
            cores that is faster than one batch with many threads, and far faster on a busy machine.
        compile_from: texts at once, from which on OpenVINO computes them instead of torch; None leaves all to torch.
    """

    max_tokens: int = 256
    tokens_per_batch: int = 1024
    prefix: str = ""
    bf16: bool = False
    workers: int = 2
    compile_from: int | None = 2000


class Encoder:
    """An encoder; `embed` gives the mean of its token states.

    Args:
        base: folder or hub name, or a loaded model with its tokenizer.

    Raises:
        BaseModelError: it cannot be read. MissingExtraError: torch or transformers is not installed.
    """

    def __init__(self, base: str | Path | tuple[Any, Any], options: EncoderOptions = EncoderOptions()) -> None:
        try:
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            raise MissingExtraError("transformers", "train") from error
        self.options = options
        self.model: Any
        if isinstance(base, tuple):
            self.model, self._tokenizer = base
        else:
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(str(base))
                self.model = AutoModel.from_pretrained(str(base))
            except (OSError, ValueError) as error:
                raise BaseModelError(f"the encoder cannot be read ({error}); give a folder or a hub name", path=base) from error
        self.model.eval()
        self._lock = Lock()
        self._known: dict[str, Array] = {}

    def embed(self, texts: Sequence[str]) -> Array:
        """Embed texts: float32 (texts, width). A text that was seen before is not computed again."""
        fresh = sorted({text for text in texts if text not in self._known}, key=len)
        batches = self._batches(fresh)
        with _one_thread_each():
            wanted = self.options.compile_from is not None and len(fresh) >= max(1, self.options.compile_from)
            compute = (self._compiled([batches[0], batches[-1]]) if wanted else None) or self._mean_states
            with ThreadPoolExecutor(self.options.workers) as pool:
                for batch, vectors in zip(batches, pool.map(compute, batches), strict=True):
                    self._known.update(zip(batch, vectors, strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, self.model.config.hidden_size), np.float32)

    def _batches(self, texts: list[str]) -> list[list[str]]:
        # Three characters a token is a cautious guess for all three languages; it only sets the size of a batch.
        room = 3 * self.options.tokens_per_batch
        batches: list[list[str]] = []
        for text in texts:
            if batches and (len(batches[-1]) + 1) * max(len(text), 24) <= room:
                batches[-1].append(text)
            else:
                batches.append([text])
        return batches

    def _compiled(self, probes: list[list[str]]) -> Callable[[list[str]], Array] | None:
        """The encoder in OpenVINO, if it can be written so and answers as torch does on batches of short and of long texts."""
        from reclamo.baselines.compiled import CompiledMean, close

        try:
            mean = CompiledMean(self.model, bf16=self.options.bf16, streams=self.options.workers)
            if all(close(mean(self._tokens(batch, self.options.max_tokens)), self._mean_states(batch)) for batch in probes):
                return lambda texts: mean(self._tokens(texts, self.options.max_tokens))
            log.warning("OpenVINO's answers are not those of torch for this encoder: it is computed by torch, which takes longer")
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            log.warning("this encoder cannot be written for OpenVINO (%s): it is computed by torch, which takes longer", error)
        return None

    def _mean_states(self, texts: list[str]) -> Array:
        import torch

        with torch.inference_mode():
            found = self.mean_states(texts, max_tokens=self.options.max_tokens, bf16=self.options.bf16)
        return np.asarray(found.numpy(), dtype=np.float32)

    def mean_states(self, texts: Sequence[str], *, max_tokens: int, bf16: bool) -> Any:
        """The mean of the token states, as a float32 torch tensor (texts, width) that gradients can flow through."""
        import torch

        tokens = self._tokens(texts, max_tokens)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            states = self.model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        return ((states * mask).sum(1) / mask.sum(1)).float()

    def _tokens(self, texts: Sequence[str], max_tokens: int) -> Any:
        given = [self.options.prefix + text for text in texts]
        longest = min(max_tokens, getattr(self.model.config, "max_position_embeddings", max_tokens))
        with self._lock:  # a tokenizer serves one thread at a time
            return self._tokenizer(given, padding=True, truncation=True, max_length=longest, return_tensors="pt")

    def forget(self) -> None:
        """Drop the embeddings that were kept; to be called when the model has changed."""
        self._known.clear()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Standardised embeddings with logistic regression. Build it with `Embeddings.fit`."""

    encoder: Any
    mean: Array
    scale: Array
    heads: LinearHeads
    name: str = "embeddings"

    @classmethod
    def fit(
        cls,
        examples: Sequence[Example],
        taxonomy: Taxonomy,
        encoder: Any,
        *,
        search: Search = Search(costs=(0.001, 0.01, 0.1, 1.0)),
        progress: Progress | None = None,
    ) -> Embeddings:
        """Fit on labelled messages; `encoder` is anything with `embed(texts) -> (texts, width)`."""
        vectors = encoder.embed([example.text for example in examples])
        mean, scale = vectors.mean(0), np.maximum(vectors.std(0), 1e-6)
        groups = [example.group for example in examples]
        heads = fit_linear_heads((vectors - mean) / scale, encode_targets(examples, taxonomy), groups, taxonomy, search, progress)
        return cls(encoder=encoder, mean=mean, scale=scale, heads=heads)

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages: (messages, n_logits)."""
        return self.heads.logits((self.encoder.embed([example.text for example in examples]) - self.mean) / self.scale)
