"""Build the systems of a comparison: the tagger, and every baseline fitted on the same messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reclamo.artefact.store import MANIFEST
from reclamo.baselines import Array, Predictor
from reclamo.baselines.lexicon import Lexicon
from reclamo.baselines.majority import Majority
from reclamo.corpus import Example, encode_targets
from reclamo.engine import Tagger
from reclamo.errors import MissingExtraError, UsageError
from reclamo.evaluation.compare import System
from reclamo.taxonomy import Taxonomy
from reclamo.training.calibration import fit_calibration

if TYPE_CHECKING:
    from reclamo.baselines.embeddings import Embeddings, Encoder

Progress = Callable[[str], None]

TFIDF_ROWS: Final = 2500  # on which its settings are searched: with 4,000 that alone takes four minutes
EMBEDDED: Final = 12_000  # messages, whole groups, that frozen embeddings are fitted on: of 27,000 the embedding alone takes five minutes
APART: Final = 4000  # messages, from which on a process beside the other fits pays for its start
Fitted = tuple[Predictor, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class TaggerPredictor:
    """A tagger as a predictor: its raw logits, windows pooled."""

    tagger: Tagger
    name: str

    def logits(self, examples: Sequence[Example]) -> Array:
        """Score messages: (messages, n_logits)."""
        return self.tagger.logits([example.text for example in examples])


def load_tagger(path: str | Path | None) -> tuple[Tagger, System]:
    """Load a tagger, timed, with the calibration that it was trained with."""
    from reclamo.engine.tagger import load

    started = time.perf_counter()
    tagger = load(path)
    seconds = time.perf_counter() - started
    artefact, folder, manifest = tagger.artefact, tagger.artefact.path, tagger.artefact.manifest
    system = System(
        predictor=TaggerPredictor(tagger=tagger, name=tagger.name),
        calibration=manifest.calibration,
        description="the fine-tuned transformer" + (" with n-grams beside it" if artefact.ngrams else ""),
        start_seconds=seconds,
        megabytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6,
        settings={"base": Path(manifest.base).name, "precision": manifest.precision, "computed in": tagger.precision},
    )
    return tagger, system


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """What baselines are fitted with.

    Attributes:
        train, validation: messages to train and to calibrate on. partial: messages for training that carry some heads only;
            the embeddings and setfit baselines, which are slow, do without them.
        base: the encoder of those two. vocabulary: the pieces kept where it has to be imported first.
        tagger: folder of the tagger that is evaluated.
    """

    taxonomy: Taxonomy
    train: Sequence[Example]
    partial: Sequence[Example]
    validation: Sequence[Example]
    base: str | None = None
    vocabulary: str | None = None
    tagger: Path | None = None
    progress: Progress | None = None

    @property
    def whole(self) -> list[Example]:
        """Everything that may be trained on."""
        return [*self.train, *self.partial]

    def say(self, line: str) -> None:
        """Report progress."""
        if self.progress:
            self.progress(line)


def _majority(fitting: Fitting) -> Fitted:
    return Majority.fit(fitting.whole, fitting.taxonomy), {}


def _lexicon(fitting: Fitting) -> Fitted:
    return Lexicon.fit(fitting.whole, fitting.taxonomy), {}


def _tfidf(fitting: Fitting) -> Fitted:
    try:
        from reclamo.baselines.linear import Search
        from reclamo.baselines.tfidf import Tfidf
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train") from error
    search = Search(rows=TFIDF_ROWS)
    fitted = Tfidf.fit(fitting.whole, fitting.taxonomy, search=search, progress=lambda line: fitting.say("  tfidf " + line))
    return fitted, {name: f"C={choice.cost:g}, class weight {choice.weight}" for name, choice in fitted.heads.choices.items()}


def _textcat(fitting: Fitting) -> Fitted:
    from reclamo.baselines.textcat import Textcat

    fitted = Textcat.fit(fitting.whole, fitting.taxonomy, progress=lambda line: fitting.say("  textcat " + line))
    return fitted, fitted.settings


def _embeddings(fitting: Fitting) -> Fitted:
    fitted = _on_embeddings(fitting, _encoder(fitting), "embeddings")
    chosen = {name: f"C={choice.cost:g}, class weight {choice.weight}" for name, choice in fitted.heads.choices.items()}
    return fitted, chosen | {"fitted on": f"{min(EMBEDDED, len(fitting.train))} messages"}


def _setfit(fitting: Fitting) -> Fitted:
    encoder = _encoder(fitting)
    from reclamo.baselines.setfit import PairOptions, draw_pairs, tune_on_pairs

    options = PairOptions(bf16=encoder.options.bf16)
    pairs = draw_pairs(fitting.train, fitting.taxonomy, options.pairs, options.seed)
    tune_on_pairs(encoder, pairs, options, lambda line: fitting.say("  setfit " + line))
    fitted = replace(_on_embeddings(fitting, encoder, "setfit"), name="setfit")
    fitted_on = f"{min(EMBEDDED, len(fitting.train))} messages"
    return fitted, {"pairs": str(len(pairs)), "learning rate": f"{options.rate:g}", "fitted on": fitted_on}


def _encoder(fitting: Fitting) -> Encoder:
    if fitting.base is None:
        raise UsageError("the embeddings and setfit baselines need an encoder; give --base with a folder or a hub name")
    try:
        from reclamo.baselines.embeddings import Encoder, EncoderOptions
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train") from error
    import torch

    from reclamo.model.base import load_base
    from reclamo.training.trainer import wants_bf16

    tagger = (Path(fitting.base) / MANIFEST).is_file()
    return Encoder(load_base(fitting.base) if tagger else fitting.base, EncoderOptions(bf16=wants_bf16("auto", torch.device("cpu"))))


def _on_embeddings(fitting: Fitting, encoder: Encoder, name: str) -> Embeddings:
    from reclamo.baselines.embeddings import Embeddings
    from reclamo.training.prepare import draw

    train = draw(list(fitting.train), EMBEDDED)
    return Embeddings.fit(train, fitting.taxonomy, encoder, progress=lambda line: fitting.say(f"  {name} {line}"))


def _network(fitting: Fitting) -> Fitted:
    from reclamo.engine.tagger import load

    if fitting.tagger is None:
        raise UsageError("the network alone is measured where there is a tagger; give --model")
    return TaggerPredictor(tagger=load(fitting.tagger, ngrams=False), name="network"), {}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of baseline: what it is, how it is fitted, and whether on one core alone, so that others can be fitted beside it."""

    description: str
    fit: Callable[[Fitting], Fitted]
    one_core: bool = False


BASELINES: Final[dict[str, Kind]] = {
    "network": Kind(description="the fine-tuned transformer alone, without n-grams", fit=_network),
    "majority": Kind(description="the prior of the training messages", fit=_majority),
    "lexicon": Kind(description="word lists and patterns over blank spaCy pipelines, negation handled", fit=_lexicon),
    "tfidf": Kind(description="TF-IDF of word and character n-grams, logistic regression (scikit-learn)", fit=_tfidf),
    "textcat": Kind(description="spaCy textcat_multilabel over word n-grams", fit=_textcat, one_core=True),
    "embeddings": Kind(description="frozen embeddings of the base encoder, logistic regression", fit=_embeddings),
    "setfit": Kind(description="the base encoder tuned on pairs of messages, then logistic regression (SetFit)", fit=_setfit),
}


def fit_baselines(names: Sequence[str], fitting: Fitting) -> Iterator[System]:
    """Fit the named baselines and calibrate each on the validation messages, by the procedure that the tagger had.

    Raises:
        UsageError: a name that is no baseline.
    """
    unknown = [name for name in names if name not in BASELINES]
    if unknown:
        raise UsageError(f"unknown baseline {unknown[0]!r}; expected one of {', '.join(BASELINES)}")
    if fitting.base is not None and {"embeddings", "setfit"} & {*names}:  # now, and not after the other fits
        from reclamo.training.run import import_missing_base

        import_missing_base(fitting.base, fitting.vocabulary)
    targets = encode_targets(fitting.validation, fitting.taxonomy)
    with ExitStack() as stack:
        begun = {name: _begin(name, fitting, stack) for name in names if BASELINES[name].one_core and _worth_a_process(names, fitting)}
        for name in names:
            fitting.say(f"fitting {name} on {len(fitting.whole)} messages")
            predictor, settings = _end(name, fitting, begun[name]) if name in begun else _fit(name, fitting)
            calibration = fit_calibration(fitting.taxonomy, predictor.logits(fitting.validation), targets)
            yield System(predictor=predictor, calibration=calibration, description=BASELINES[name].description, settings=settings)


def _fit(name: str, fitting: Fitting) -> Fitted:
    started = time.perf_counter()
    predictor, settings = BASELINES[name].fit(fitting)
    return predictor, settings | {"fitted in": f"{time.perf_counter() - started:.0f} s"}


def _worth_a_process(names: Sequence[str], fitting: Fitting) -> bool:
    return len(names) > 1 and len(fitting.whole) >= APART


def _begin(name: str, fitting: Fitting, stack: ExitStack) -> Future[tuple[Fitted, list[str]]]:
    """Start to fit a baseline in a process of its own, which ends with the stack."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    stack.callback(pool.shutdown, wait=False, cancel_futures=True)
    return pool.submit(_fit_apart, name, replace(fitting, progress=None))


def _fit_apart(name: str, fitting: Fitting) -> tuple[Fitted, list[str]]:
    said: list[str] = []
    return _fit(name, replace(fitting, progress=said.append)), said


def _end(name: str, fitting: Fitting, begun: Future[tuple[Fitted, list[str]]]) -> Fitted:
    """Take what the other process fitted and said; where it could not be started, or was killed, fit it here."""
    try:
        fitted, said = begun.result()
    except BrokenProcessPool:
        fitting.say(f"  {name}: its process ended, it is fitted in this one")
        return _fit(name, fitting)
    for line in said:
        fitting.say(line)
    return fitted
