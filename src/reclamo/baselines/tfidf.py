"""The strong baseline: TF-IDF of word and character n-grams with logistic regression, stored without pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from reclamo.baselines.linear import Choice, LinearHeads, Progress, Search, fit_linear_heads
from reclamo.baselines.predictor import Array
from reclamo.corpus import Example, encode_targets
from reclamo.errors import ArtefactError
from reclamo.taxonomy import Taxonomy

FORMAT_VERSION: Final = 1
# What the file may hold beside numpy arrays and plain values; everything else is refused before anything is built.
TRUSTED: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, kw_only=True)
class NGrams:
    """Which n-grams are counted.

    Attributes:
        words, characters: shortest and longest. min_messages: in how many messages an n-gram must stand.
        most: of each kind are kept, the commonest.
    """

    words: tuple[int, int] = (1, 2)
    characters: tuple[int, int] = (2, 5)
    min_messages: int = 2
    most: int = 150_000


def build_vectorizer(ngrams: NGrams) -> Any:
    """Build the feature extractor: words as written, words without accents, characters as written; sublinear TF-IDF of each."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    common: dict[str, Any] = {"sublinear_tf": True, "min_df": ngrams.min_messages, "max_features": ngrams.most, "dtype": np.float32}
    words = {"ngram_range": ngrams.words, "token_pattern": r"\w+|[^\w\s]"}
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(**words, **common)),
            ("plain_words", TfidfVectorizer(**words, **common, strip_accents="unicode")),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=ngrams.characters, **common)),
        ]
    )


@dataclass(frozen=True, kw_only=True)
class Tfidf:
    """N-grams with logistic regression. Build it with `Tfidf.fit` or `Tfidf.load`."""

    vectorizer: Any
    heads: LinearHeads
    taxonomy_sha256: str
    name: str = "tfidf"

    @classmethod
    def fit(
        cls,
        examples: Sequence[Example],
        taxonomy: Taxonomy,
        *,
        ngrams: NGrams = NGrams(),
        search: Search = Search(),
        progress: Progress | None = None,
    ) -> Tfidf:
        """Fit on labelled messages; messages of one group never straddle the folds of the search."""
        vectorizer = build_vectorizer(ngrams)
        features = vectorizer.fit_transform([example.text for example in examples]).tocsr()
        for _, part in vectorizer.transformer_list:  # plain integers: skops gives every numpy scalar a file of its own
            part.vocabulary_ = {term: int(column) for term, column in part.vocabulary_.items()}
        groups = [example.group for example in examples]
        heads = fit_linear_heads(features, encode_targets(examples, taxonomy), groups, taxonomy, search, progress)
        return cls(vectorizer=vectorizer, heads=heads, taxonomy_sha256=taxonomy.sha256)

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages: (messages, n_logits)."""
        return self.heads.logits(self.vectorizer.transform([example.text for example in examples]))

    def save(self, path: str | Path) -> None:
        """Write one .skops file."""
        import zipfile

        import skops.io

        state = {
            "format": FORMAT_VERSION,
            "taxonomy_sha256": self.taxonomy_sha256,
            "vectorizer": self.vectorizer,
            "coefficients": self.heads.coefficients,
            "intercepts": self.heads.intercepts,
            "choices": json.dumps({name: asdict(choice) for name, choice in self.heads.choices.items()}),
        }
        skops.io.dump(state, path, compression=zipfile.ZIP_DEFLATED)

    @classmethod
    def load(cls, path: str | Path, taxonomy: Taxonomy) -> Tfidf:
        """Read what `save` wrote: audited first, built after.

        Raises:
            ArtefactError: the file is missing, holds a type that is not trusted, or belongs to another taxonomy or format.
        """
        state = _audited(Path(path))
        if state.get("format") != FORMAT_VERSION:
            raise ArtefactError(f"has format {state.get('format')!r}; this version reads {FORMAT_VERSION}; fit it again", path=path)
        if state["taxonomy_sha256"] != taxonomy.sha256:
            raise ArtefactError("was fitted with another taxonomy; fit it again", path=path)
        choices = {name: Choice(**choice) for name, choice in json.loads(state["choices"]).items()}
        heads = LinearHeads(coefficients=state["coefficients"], intercepts=state["intercepts"], choices=choices)
        return cls(vectorizer=state["vectorizer"], heads=heads, taxonomy_sha256=state["taxonomy_sha256"])


def _audited(path: Path) -> dict[str, Any]:
    import zipfile

    import skops.io

    if not path.is_file():
        raise ArtefactError("no such file; fit the baseline again", path=path)
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if unknown:
            raise ArtefactError(f"holds types that are not trusted: {', '.join(sorted(unknown))}; fit it again", path=path)
        state = skops.io.load(path, trusted=list(TRUSTED))
    except (ValueError, KeyError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"is no saved baseline ({error}); fit it again", path=path) from error
    if not isinstance(state, dict):
        raise ArtefactError("is no saved baseline; fit it again", path=path)
    return state
