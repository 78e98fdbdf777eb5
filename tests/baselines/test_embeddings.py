"""Frozen embeddings: the mean of token states, whatever the batch, and a regression on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import SENTENCES

from reclamo.baselines import Array, Predictor
from reclamo.baselines.compiled import CompiledMean, close
from reclamo.baselines.embeddings import Embeddings, Encoder, EncoderOptions
from reclamo.baselines.linear import Search
from reclamo.corpus import Example, encode_targets
from reclamo.errors import BaseModelError
from reclamo.taxonomy import Taxonomy
from reclamo.training.score import macro_average_precision


def test_embedding_is_the_mean_of_the_token_states(tiny_base: Path, sentences: list[str]) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(tiny_base), AutoModel.from_pretrained(tiny_base).eval()
    threads = torch.get_num_threads()
    ours = Encoder(tiny_base, EncoderOptions(max_tokens=64, tokens_per_batch=64)).embed(sentences)
    for text, vector in zip(sentences, ours, strict=True):
        ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)["input_ids"]
        with torch.inference_mode():
            oracle = model(input_ids=ids).last_hidden_state[0].mean(0).numpy()
        assert np.abs(vector - oracle).max() < 1e-5
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("bf16", [False, True])
def test_openvino_embeds_as_torch_does(bf16: bool, tiny_base: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("torch")
    sentences = [sentence for group in SENTENCES.values() for sentence in group]
    texts = [*sentences, "ya", " ".join(sentences)]
    by_torch = Encoder(tiny_base, EncoderOptions(max_tokens=64, compile_from=None)).embed(texts)
    encoder = Encoder(tiny_base, EncoderOptions(max_tokens=64, tokens_per_batch=64, compile_from=1, bf16=bf16))
    found = encoder.embed(texts)
    assert not [record for record in caplog.records if record.name == "reclamo"]  # it would say that torch had computed them
    assert close(found, by_torch)
    assert bf16 or np.abs(found - by_torch).max() < 1e-4


def test_what_openvino_computes_otherwise_is_left_to_torch(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sentences = SENTENCES["el"]
    options = EncoderOptions(max_tokens=64, compile_from=1)
    right = Encoder(tiny_base, EncoderOptions(max_tokens=64, compile_from=None)).embed(sentences)
    plain = CompiledMean.__call__
    monkeypatch.setattr(CompiledMean, "__call__", lambda self, tokens: plain(self, tokens)[:, ::-1])
    assert np.array_equal(Encoder(tiny_base, options).embed(sentences), right)
    assert "not those of torch" in caplog.text

    def refuse(*_: object, **__: object) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        raise RuntimeError("no such operation")

    level = logging.getLogger().level
    monkeypatch.setattr("openvino.convert_model", refuse)
    assert np.array_equal(Encoder(tiny_base, options).embed(sentences), right)
    assert "no such operation" in caplog.text
    assert logging.getLogger().level == level


def test_a_text_is_computed_once(tiny_base: Path, sentences: list[str]) -> None:
    encoder = Encoder(tiny_base, EncoderOptions(max_tokens=64))
    first = encoder.embed([*sentences, sentences[0]])
    assert len(encoder._known) == len(sentences)
    assert np.array_equal(first[0], first[-1])
    assert encoder.embed([]).shape == (0, 32)


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=tmp_path.name):
        Encoder(tmp_path)


WORDS = ("factura", "recibo", "paquete", "envío", "habitación", "hotel", "furioso", "dinero", "ayuda", "estimado", "algo", "gravísimo")


class Bag:
    """An encoder that counts a few words."""

    def embed(self, texts: Sequence[str]) -> Array:
        return np.array([[text.split().count(word) for word in WORDS] for text in texts], dtype=np.float32)


def test_regression_on_embeddings_learns(messages: list[Example], fresh: list[Example], small_taxonomy: Taxonomy) -> None:
    fitted = Embeddings.fit(messages, small_taxonomy, Bag(), search=Search(costs=(0.1, 1.0), folds=2))
    assert isinstance(fitted, Predictor)
    assert macro_average_precision(small_taxonomy, fitted.logits(fresh), encode_targets(fresh, small_taxonomy))["mean"] > 0.95
    assert np.abs(((Bag().embed([m.text for m in messages]) - fitted.mean) / fitted.scale).mean(0)).max() < 1e-4
