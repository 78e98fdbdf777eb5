"""Hashed n-grams: what scikit-learn counts, whatever the capitals and accents, each at its place in the text."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import SENTENCES

from reclamo.text.ngrams import find_ngrams

ALL = [sentence for group in SENTENCES.values() for sentence in group]
ALPHABET = "aábñ ςσΩώ1_.!¡€\n\tx"


def counts(text: str, family: int) -> list[int]:
    return sorted(Counter(key for key in find_ngrams(text).keys.tolist() if key % 2 == family).values())


def folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFD", ch.lower())[0] for ch in text).replace("ς", "σ")


@given(st.text(alphabet=ALPHABET, max_size=60))
def test_as_many_of_each_as_scikit_learn_counts(text: str) -> None:
    vectorizers = pytest.importorskip("sklearn.feature_extraction.text")
    characters = vectorizers.CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)).build_analyzer()
    words = vectorizers.CountVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), lowercase=False).build_analyzer()
    # scikit-learn counts a word shorter than n once for each n up to its own length: the same set as ours
    assert counts(text, 0) == sorted(Counter(characters(folded(text))).values())
    assert counts(text, 1) == sorted(Counter(words(folded(text))).values())


@given(st.lists(st.text(alphabet=ALPHABET, max_size=20), max_size=6))
def test_texts_together_have_the_n_grams_that_they_have_alone(texts: list[str]) -> None:
    together = find_ngrams(*texts)
    assert together.texts == len(texts)
    for owner, text in enumerate(texts):
        alone, mine = find_ngrams(text), together.owners == owner
        for field in ("keys", "starts", "ends"):
            assert getattr(together, field)[mine].tolist() == getattr(alone, field).tolist()


def test_the_same_keys_whatever_the_capitals_accents_and_blanks() -> None:
    for text in ALL:
        plain = unicodedata.normalize(
            "NFC", "".join(ch for ch in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(ch))
        )
        assert find_ngrams(text).keys.tolist() == find_ngrams(plain.replace(" ", "  ")).keys.tolist()


def test_different_words_have_different_keys() -> None:
    words = sorted({word for text in ALL for word in folded(text).split()})
    keys = [tuple(sorted(find_ngrams(word).keys.tolist())) for word in words]
    assert len(set(keys)) == len(words)


def test_spans_are_those_of_the_n_grams_in_the_text() -> None:
    text = "  Tres\n\nsemanas, ¡TRES!"
    found = find_ngrams(text)
    words = [(text[s:e], k) for k, s, e in zip(found.keys.tolist(), found.starts, found.ends, strict=True) if k % 2 == 1]
    assert [word for word, _ in words[:6]] == ["Tres", "semanas", ",", "¡", "TRES", "!"]
    assert words[0][1] == words[4][1]
    assert "Tres\n\nsemanas" in [word for word, _ in words]
    for s, e in zip(found.starts, found.ends, strict=True):
        assert 0 <= s <= e <= len(text)
        assert len(text[s:e].strip()) <= max(5, len("Tres\n\nsemanas"))


@pytest.mark.parametrize("text", ["", " ", "\n", "a", "👏", "\ud800", "é" * 5000])
def test_odd_texts(text: str) -> None:
    found = find_ngrams(text)
    assert len(found.keys) == len(found.starts) == len(found.ends)
    assert (len(found.keys) > 0) == bool(text.strip())


def test_keys_never_change() -> None:
    """A tagger's vocabulary holds keys: another hash would make every one of them void."""
    assert find_ngrams("Σας οφείλω 3€").keys[:4].tolist() == [KEYS[0], KEYS[1], KEYS[2], KEYS[3]]
    assert int(np.bitwise_xor.reduce(find_ngrams("Σας οφείλω 3€").keys)) == KEYS[4]


KEYS = (4218036150, 2984978544, 1666038980, 761199866, 2333104449)


MARKS = ["@user", ".@Firma_1:", "http", "https://t.co/aB3", "www.firma.example/x"]


@given(st.lists(st.sampled_from(MARKS), max_size=4), st.sampled_from(ALL))
def test_handles_and_links_are_blanks_and_move_nothing(marks: list[str], text: str) -> None:
    plain, marked = find_ngrams(text), find_ngrams(" ".join([*marks, text, *marks]))
    assert marked.keys.tolist() == plain.keys.tolist()
    before = len(" ".join([*marks, ""]))
    words = [(k, s - before, e - before) for k, s, e in zip(marked.keys, marked.starts, marked.ends, strict=True) if k % 2]
    assert words == [(k, s, e) for k, s, e in zip(plain.keys, plain.starts, plain.ends, strict=True) if k % 2]


def test_an_address_is_no_handle_and_a_hashtag_is_its_word() -> None:
    address = find_ngrams("ana@correo.example")
    words = [(s, e) for k, s, e in zip(address.keys, address.starts, address.ends, strict=True) if k % 2]
    assert words[:5] == [(0, 3), (3, 4), (4, 10), (10, 11), (11, 18)]
    assert find_ngrams("#nunca más").keys.tolist() == find_ngrams("nunca más").keys.tolist()
