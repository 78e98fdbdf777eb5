"""spaCy's own text classifier, `textcat_multilabel` over n-grams, with every logit of the taxonomy as one of its labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.baselines.linear import grouped_folds, label_average_precision, sample_groups
from reclamo.baselines.predictor import Array
from reclamo.corpus import Example, Targets, encode_targets
from reclamo.taxonomy import Taxonomy

Progress = Callable[[str], None]
EDGE: Final = 1e-6  # probabilities are kept this far from 0 and 1, so that their logits are finite


@dataclass(frozen=True, kw_only=True)
class TextcatOptions:
    """How it is trained.

    Attributes:
        ngrams: longest n-grams to try; the best on held-out messages is kept. rate: of Adam. batch: messages a step.
        epochs: at most. patience: epochs without a better held-out score before stopping. seed: of the order and the weights.
        rows: on how many messages the length of n-grams is chosen.
    """

    ngrams: tuple[int, ...] = (1, 2)
    rate: float = 0.003
    batch: int = 128
    epochs: int = 20
    patience: int = 2
    seed: int = 17
    rows: int = 4000


@dataclass(frozen=True, kw_only=True)
class Textcat:
    """A trained pipeline. Build it with `Textcat.fit`.

    Attributes:
        settings: what was chosen on the held-out messages.
    """

    pipeline: Any
    settings: dict[str, str]
    name: str = "textcat"

    @classmethod
    def fit(
        cls,
        examples: Sequence[Example],
        taxonomy: Taxonomy,
        *,
        options: TextcatOptions = TextcatOptions(),
        progress: Progress | None = None,
    ) -> Textcat:
        """Fit on labelled messages; a head that a message was not annotated for takes no part in the loss.

        n-gram length and number of epochs are those of the best average precision on a tenth of the messages, held out by
        groups; the pipeline that was trained on the other nine tenths is kept. The length is chosen on `options.rows` messages.
        """
        targets = encode_targets(examples, taxonomy)
        groups = np.asarray([example.group for example in examples])

        def train(rows: NDArray[np.int64], ngram: int) -> tuple[Any, float, int]:
            folds = list(grouped_folds(groups[rows], 10))
            learnt, held = folds[0] if folds else (np.arange(len(rows)),) * 2
            found = _train(examples, targets, taxonomy, rows[learnt], rows[held], ngram, options)
            if progress:
                progress(f"n-grams to {ngram}: {found[2]} epochs, held-out average precision {found[1]:.4f}")
            return found

        some = sample_groups(groups, options.rows, options.seed)
        tried = {ngram: train(some, ngram) for ngram in options.ngrams}
        best = max(tried, key=lambda ngram: tried[ngram][1])
        pipeline, _, epochs = tried[best] if len(some) == len(groups) else train(np.arange(len(groups)), best)
        return cls(pipeline=pipeline, settings={"n-grams": f"to {best}", "epochs": str(epochs)})

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages: (messages, n_logits)."""
        return _logits(self.pipeline, [self.pipeline.make_doc(example.text) for example in examples])


def _train(
    examples: Sequence[Example],
    targets: Targets,
    taxonomy: Taxonomy,
    train: NDArray[np.int64],
    held: NDArray[np.int64],
    ngram: int,
    options: TextcatOptions,
) -> tuple[Any, float, int]:
    """Train one pipeline and give it as it was at its best, with that held-out score and the number of epochs."""
    import spacy
    from spacy.util import minibatch
    from thinc.api import fix_random_seed

    fix_random_seed(options.seed)
    pipeline = spacy.blank("xx")
    architecture = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False, "ngram_size": ngram, "no_output_layer": False}
    component = pipeline.add_pipe("textcat_multilabel", config={"model": architecture})
    asked = _asked(taxonomy, targets)
    rows = [_example(pipeline, examples[i].text, targets.values[i], asked[i]) for i in train]
    held_docs = [pipeline.make_doc(examples[i].text) for i in held]
    for index in range(taxonomy.n_logits):
        component.add_label(str(index))  # type: ignore[attr-defined]
    optimiser = pipeline.initialize(lambda: rows[:1])
    optimiser.learn_rate = options.rate
    order = random.Random(options.seed)
    best, state, chosen = -1.0, b"", 0
    for epoch in range(1, options.epochs + 1):
        order.shuffle(rows)
        for group in minibatch(rows, options.batch):  # type: ignore[no-untyped-call]
            pipeline.update(group, sgd=optimiser)
        score = _score(taxonomy, _logits(pipeline, held_docs), targets, held)
        if score > best:
            best, state, chosen = score, component.model.to_bytes(), epoch  # type: ignore[attr-defined]
        elif epoch - chosen >= options.patience:
            break
    component.model.from_bytes(state)  # type: ignore[attr-defined]
    return pipeline, best, chosen


def _asked(taxonomy: Taxonomy, targets: Targets) -> NDArray[np.bool_]:
    """Which logits a message was annotated for: (messages, n_logits)."""
    asked = np.zeros(targets.values.shape, dtype=bool)
    for index, head in enumerate(taxonomy.heads):
        asked[:, taxonomy.slices[head.name]] = targets.mask[:, index, None]
    return asked


def _example(pipeline: Any, text: str, values: Array, asked: NDArray[np.bool_]) -> Any:
    from spacy.training import Example as Annotated

    categories = {str(k): float(values[k]) for k in np.flatnonzero(asked)}
    return Annotated.from_dict(pipeline.make_doc(text), {"cats": categories})


def _logits(pipeline: Any, docs: Sequence[Any]) -> Array:
    component = pipeline.get_pipe("textcat_multilabel")
    p = np.clip(np.asarray(component.predict(docs), dtype=np.float64), EDGE, 1 - EDGE)
    return np.asarray(np.log(p / (1 - p)), dtype=np.float32)


def _score(taxonomy: Taxonomy, logits: Array, targets: Targets, rows: NDArray[np.int64]) -> float:
    """Mean over the heads of the macro average precision on some rows of the targets."""
    found = []
    for index, head in enumerate(taxonomy.heads):
        asked = targets.mask[rows, index]
        where = taxonomy.slices[head.name]
        found.append(label_average_precision(head, logits[asked][:, where], targets.values[rows][asked][:, where]))
    known = [value for value in found if value == value]
    return float(np.mean(known)) if known else 0.0
