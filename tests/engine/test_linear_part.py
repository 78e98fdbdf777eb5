"""The linear part: features as scikit-learn weighs them, contributions that add up, a file that is checked."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import SENTENCES

from reclamo.artefact import open_artefact
from reclamo.artefact.store import NGRAMS, hash_files
from reclamo.engine.ngrams import SMALL_PRODUCT, LinearPart, Vocabulary, multiply, quantised, share_out
from reclamo.engine.tagger import load
from reclamo.errors import ArtefactError
from reclamo.text.ngrams import find_ngrams

ALL = [sentence for group in SENTENCES.values() for sentence in group]


def part_of(texts: list[str], n_logits: int, scale: float = 0.5) -> LinearPart:
    keys = np.unique(np.concatenate([find_ngrams(text).keys for text in texts]))
    rng = np.random.default_rng(5)
    weights, unit = quantised(rng.normal(size=(len(keys), n_logits)).astype(np.float32), n_logits)
    return LinearPart(
        vocabulary=Vocabulary(keys=keys, idf=rng.uniform(1, 4, len(keys)).astype(np.float32)),
        weights=weights,
        weight_scale=unit,
        bias=rng.normal(size=n_logits).astype(np.float32),
        network_scale=np.full(n_logits, scale, dtype=np.float32),
    )


def test_features_are_those_of_scikit_learn() -> None:
    """Hashing renames the columns alone, so the inner products of messages stay what TfidfVectorizer gives."""
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    from reclamo.training.config import NGramsConfig
    from reclamo.training.ngrams import choose_vocabulary, feature_rows

    texts = [text.lower() for group in (SENTENCES["es"], SENTENCES["it"]) for text in group]
    plain = {"sublinear_tf": True, "min_df": 2, "strip_accents": "unicode"}
    union = make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **plain),
        TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), **plain),
    )
    want = union.fit_transform(texts)
    counted = [find_ngrams(text) for text in texts]
    vocabulary = choose_vocabulary(counted, NGramsConfig())
    got = feature_rows(vocabulary, counted)
    assert got.shape == want.shape
    assert np.allclose((got @ got.T).toarray(), (want @ want.T).toarray(), atol=1e-5)


def test_texts_together_have_the_features_that_they_have_alone() -> None:
    part = part_of(ALL, 3)
    texts = [*ALL[:5], "", "zzz", *ALL[5:], " ", "a"]
    together = part.features(texts)
    for place, text in enumerate(texts):
        alone = part.features([text])
        begin, end = together.bounds[place : place + 2]
        first, last = together.occurrences[place : place + 2]
        assert together.columns[begin:end].tolist() == alone.columns.tolist()
        assert np.allclose(together.values[begin:end], alone.values)
        assert (together.places[first:last] - begin).tolist() == alone.places.tolist()
        theirs = together.starts[first:last].tolist(), together.ends[first:last].tolist()
        assert sorted(zip(*theirs, strict=True)) == sorted(zip(alone.starts.tolist(), alone.ends.tolist(), strict=True))
    assert np.allclose(part.logits(together), np.concatenate([part.logits(part.features([text])) for text in texts]), atol=1e-5)


def test_keys_are_found_as_a_search_finds_them() -> None:
    rng = np.random.default_rng(3)
    for count in (0, 1, 2, 1000):
        keys = np.unique(rng.integers(0, 1 << 32, count, dtype=np.uint32))
        keys = np.unique(np.concatenate([keys, np.array([0, (1 << 32) - 1][:count], dtype=np.uint32)]))
        vocabulary = Vocabulary(keys=keys, idf=np.ones(len(keys), np.float32))
        asked = np.concatenate(
            [rng.permutation(keys), rng.integers(0, 1 << 32, 500, dtype=np.uint32), np.array([0, 1, (1 << 32) - 1], np.uint32)]
        )
        where = {key: place for place, key in enumerate(keys.tolist())}
        assert vocabulary._find(asked).tolist() == [where.get(key, -1) for key in asked.tolist()]


def test_contributions_add_up_to_the_logits() -> None:
    part = part_of(ALL, 7)
    wanted = np.random.default_rng(2).normal(size=(7, 3)).astype(np.float32)
    texts = [*ALL, "a", "zzz qqq"]
    features = part.features(texts)
    for place, (text, logits) in enumerate(zip(texts, part.logits(features), strict=True)):
        spans = np.array([[0, 0], *((i, min(i + 3, len(text))) for i in range(0, len(text), 4)), [0, 0]])
        shares = part.contributions(features, place, spans, len(text), np.eye(7, dtype=np.float32))
        assert shares.shape == (len(spans), 7)
        assert np.allclose(shares.sum(0), logits - part.bias, atol=1e-4)
        assert not shares[[0, -1]].any()
        assert np.allclose(part.contributions(features, place, spans, len(text), wanted), shares @ wanted, atol=1e-4)


def test_an_n_gram_over_two_stretches_is_split_by_characters() -> None:
    """By hand: one of 4 characters, 3 before the edge; one within the second stretch; two directions."""
    starts, ends = np.array([0, 4]), np.array([4, 6])
    parts = np.array([[4.0, 8.0], [1.0, 0.0]], dtype=np.float32)
    assert share_out(starts, ends, parts, np.array([0, 3, 6])).tolist() == [[3.0, 6.0], [2.0, 2.0]]


def test_in_a_very_long_text_the_shares_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """By places instead of characters: the same sums, and memory by n-grams instead of characters."""
    rng = np.random.default_rng(6)
    starts = rng.integers(0, 900, 40)
    ends, edges = starts + rng.integers(1, 60, 40), np.unique([0, 1000, *rng.integers(1, 1000, 12)])
    parts = rng.normal(size=(40, 3)).astype(np.float32)
    want = share_out(starts, ends, parts, edges)
    monkeypatch.setattr("reclamo.engine.ngrams.LONG", 10)
    assert np.allclose(share_out(starts, ends, parts, edges), want, atol=1e-5)
    tracemalloc.start()
    share_out(np.array([3]), np.array([1 << 20]), np.ones((1, 15), np.float32), np.array([0, 7, 1 << 20]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_product_in_pieces_is_the_product() -> None:
    rng = np.random.default_rng(4)
    rows, weights = rng.integers(-127, 128, (2 * SMALL_PRODUCT // 30, 10), dtype=np.int8), rng.normal(size=(10, 6)).astype(np.float32)
    assert np.allclose(multiply(rows, weights), rows.astype(np.float64) @ weights, rtol=1e-3, atol=1e-3)


def test_the_word_with_the_weight_gets_the_contribution() -> None:
    text = "todo bien menos el reembolso"
    found = find_ngrams(text)
    word = int(found.keys[[text[s:e] for s, e in zip(found.starts, found.ends, strict=True)].index("reembolso")])
    part = LinearPart(
        vocabulary=Vocabulary(keys=np.array([word], dtype=np.uint32), idf=np.ones(1, np.float32)),
        weights=np.array([[127]], dtype=np.int8),
        weight_scale=np.array([2 / 127], dtype=np.float32),
        bias=np.zeros(1, np.float32),
        network_scale=np.ones(1, np.float32),
    )
    spans = np.array([(0, 4), (5, 9), (10, 15), (16, 18), (19, 28)])
    features = part.features(["nada", text, "REEMBOLSÓ"])
    assert part.contributions(features, 1, spans, len(text), np.ones((1, 1), np.float32)).round(5).T.tolist() == [[0, 0, 0, 0, 2]]
    assert part.logits(features)[:, 0] == pytest.approx([0.0, 2.0, 2.0])


def test_rounding_to_8_bits_stays_within_half_a_unit() -> None:
    weights = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    rounded, unit = quantised(weights, 3)
    assert np.abs(rounded * unit - weights).max() <= unit.max() / 2 + 1e-6


def test_what_is_saved_is_loaded_and_the_bytes_repeat(tmp_path: Path) -> None:
    part = part_of(ALL, 4)
    part.save(tmp_path / "a.npz")
    part.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = LinearPart.load(tmp_path / "a.npz", 4)
    assert again.logits(again.features(ALL)).tolist() == part.logits(part.features(ALL)).tolist()
    with pytest.raises(ArtefactError, match="do not fit the taxonomy"):
        LinearPart.load(tmp_path / "a.npz", 5)
    (tmp_path / "c.npz").write_bytes(b"PK nothing")
    with pytest.raises(ArtefactError, match="holds no n-grams"):
        LinearPart.load(tmp_path / "c.npz", 4)


@pytest.fixture
def with_ngrams(tiny_tagger: Path, tmp_path: Path) -> Path:
    """The tiny tagger with n-grams beside its network."""
    folder = tmp_path / "tagger"
    shutil.copytree(tiny_tagger, folder)
    (folder / NGRAMS).unlink(missing_ok=True)
    part_of(ALL, open_artefact(tiny_tagger).taxonomy.n_logits).save(folder / NGRAMS)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "files": hash_files(folder)}))
    return folder


def test_a_tagger_adds_both_and_a_logit_stays_the_sum_of_its_tokens(with_ngrams: Path) -> None:
    both, network = load(with_ngrams, precision="fp32"), load(with_ngrams, precision="fp32", ngrams=False)
    part = LinearPart.load(with_ngrams / NGRAMS, both.taxonomy.n_logits)
    texts = [text for text in ALL if not text.startswith("den ")]
    want = network.logits(texts) * part.network_scale + part.logits(part.features(texts))
    assert np.allclose(both.logits(texts), want, atol=1e-4)
    every = np.eye(both.taxonomy.n_logits, dtype=np.float32)
    units = both.units(texts)
    lone = [network.run([unit], want_contributions=True)[0] for unit in units]
    bias = np.stack([one.logits - one.contributions(every).sum(0) for one in lone]).mean(0) * part.network_scale + part.bias
    for scored in both.run(units, want_contributions=True):
        assert np.allclose(scored.contributions(every).sum(0) + bias, scored.logits, atol=2e-3)


def test_greeklish_is_counted_as_greek(with_ngrams: Path) -> None:
    tagger = load(with_ngrams, precision="fp32")
    (unit,) = tagger.units(["den exo lavei akoma tipota kai kaneis den apantaei"], ["el"])
    assert "δεν" in unit.text


def test_an_altered_n_gram_file_is_refused(with_ngrams: Path) -> None:
    with (with_ngrams / NGRAMS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError, match=r"ngrams\.npz is not the file"):
        open_artefact(with_ngrams)
    (with_ngrams / NGRAMS).unlink()
    with pytest.raises(ArtefactError, match=r"ngrams\.npz is missing"):
        open_artefact(with_ngrams)
