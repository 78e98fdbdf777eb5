"""A whole evaluation: read, fit the baselines, measure, check, write the result, the reports and the card."""

from __future__ import annotations

import platform
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

import reclamo
from reclamo.artefact.store import CARD
from reclamo.corpus import Example, read_corpus
from reclamo.corpus.readers import corpus_files
from reclamo.engine import Tagger
from reclamo.errors import CorpusError, UsageError
from reclamo.evaluation.behaviour import behaviour_scores, load_cases
from reclamo.evaluation.card import write_card
from reclamo.evaluation.checks import Evidence, run_checks
from reclamo.evaluation.compare import Comparison, EvaluationSet, System, compare, describe_set, describe_system
from reclamo.evaluation.faithfulness import TaggerExplainer, draw, faithfulness_scores
from reclamo.evaluation.greeklish import greeklish_score
from reclamo.evaluation.mistakes import worst_mistakes
from reclamo.evaluation.report import write_reports
from reclamo.evaluation.schema import Epoch, FaithfulnessScore, GreeklishScore, Provenance, Result, write_result
from reclamo.evaluation.slices import slice_scores
from reclamo.evaluation.systems import Fitting, fit_baselines, load_tagger
from reclamo.taxonomy import Taxonomy
from reclamo.training.config import DataConfig
from reclamo.training.prepare import Prepared, file_hashes, prepare

Progress = Callable[[str], None]
AGREEMENT: Final = Path(__file__).with_name("agreement.toml")
PACKAGES: Final = ("numpy", "scikit-learn", "spacy", "openvino", "tokenizers", "torch", "transformers")


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What `evaluate.py` is asked for.

    Attributes:
        model: folder of the tagger; the bundled one by default. data: corpus whose rows carry their split.
        real: further labelled files or folders, each measured apart. output: folder of the reports.
        extra_train: what else to fit the baselines on; by default all that the tagger's manifest names.
        baselines: names; the one called `reference` is the one that the model is held against.
        base: encoder of the embeddings baseline; by default the one that the manifest names.
        card: whether to write the tagger's README.md.
        faithfulness: on how many messages of each set to test the evidence by deletion; 0 leaves it out.
    """

    model: str | None
    data: tuple[str, ...]
    output: str
    real: tuple[str, ...] = ()
    extra_train: tuple[str, ...] | None = None
    baselines: tuple[str, ...] = ("tfidf", "majority", "lexicon")
    reference: str = "tfidf"
    base: str | None = None
    resamples: int = 2000
    seed: int = 17
    card: bool = True
    faithfulness: int = 75


def evaluate(config: EvaluateConfig, progress: Progress | None = None) -> Result:
    """Run the evaluation that a configuration describes and write everything to its output folder.

    Raises:
        ReclamoError: the tagger or the data cannot be read, or no row is of the test split.
    """
    started = time.time()
    tagger, model = load_tagger(config.model)
    prepared = prepare(_data_config(config, tagger), tagger.taxonomy)
    sets = read_sets(config, tagger.taxonomy)
    names = [config.reference, *(name for name in config.baselines if name != config.reference)]
    if tagger.artefact.ngrams is None:
        names = [name for name in names if name != "network"]
    base = config.base or tagger.artefact.manifest.base
    fitting = Fitting(
        taxonomy=tagger.taxonomy,
        train=prepared.train,
        partial=prepared.partial,
        validation=prepared.validation,
        base=base,
        vocabulary=tagger.artefact.manifest.training.get("config", {}).get("model", {}).get("vocabulary"),
        tagger=tagger.artefact.path,
        progress=progress,
    )
    systems = [model, *fit_baselines(names, fitting)]
    found = compare(systems, sets, tagger.taxonomy, resamples=config.resamples, seed=config.seed, progress=progress)
    own = read_own(config, tagger, progress)
    result = build_result(config, tagger, systems, sets, prepared, found, started, progress, own)
    folder = Path(config.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_result(result, folder / "metrics.json")
    write_reports(result, folder, tagger.taxonomy, worst_mistakes(tagger, found))
    if config.card:
        write_card(result, tagger.artefact.path / CARD, tagger.taxonomy)
    return result


def read_sets(config: EvaluateConfig, taxonomy: Taxonomy) -> list[EvaluationSet]:
    """Read the test split of the corpus, and each further set.

    Raises:
        CorpusError: a file breaks a rule, or the corpus has no row of the test split and there is no further set.
    """
    test = [example for example in read_corpus(config.data, taxonomy) if example.split == "test"]
    if not test and not config.real:
        raise CorpusError('no row has the split "test"; give a corpus whose rows name their split, or --real files', path=config.data[0])
    sets = [EvaluationSet.of("test", test, taxonomy)] if test else []
    if config.real:
        real = read_corpus(config.real, taxonomy)
        if not real:
            raise CorpusError("no row to measure; give --real files with labelled rows, or leave it out", path=config.real[0])
        sets.append(EvaluationSet.of("real", real, taxonomy, private=True))
    return sets


def build_result(
    config: EvaluateConfig,
    tagger: Tagger,
    systems: Sequence[System],
    sets: Sequence[EvaluationSet],
    prepared: Prepared,
    found: Comparison,
    started: float,
    progress: Progress | None = None,
    own: Sequence[Example] | None = (),
) -> Result:
    """Put all figures together.

    Args:
        own: messages that the tagger was trained on, where they are not those that the baselines were; None where they are not at hand.
    """
    model = systems[0]
    cases = load_cases(tagger.taxonomy)
    evidence = Evidence(
        taxonomy=tagger.taxonomy,
        model=model.name,
        baseline=config.reference,
        calibration=model.calibration,
        scores=found.scores,
        means=found.means,
        differences=found.differences,
        train=prepared.train,
        read=[*prepared.partial, *prepared.unlabelled, *(own or ())],
        changed=changed_since(config.data, tagger),
        unread=own is None,
        test={one.name: one.examples for one in sets},
    )
    return Result(
        model=model.name,
        baseline=config.reference,
        agreement=_agreement(tagger.taxonomy),
        systems=[describe_system(system, found.measured) for system in systems],
        sets=[describe_set(one, tagger.taxonomy) for one in sets],
        scores=found.scores,
        means=found.means,
        differences=found.differences,
        end_to_end=found.end_to_end,
        slices=[score for one in sets for score in slice_scores([mine for mine in found.measured if mine.set.name == one.name])],
        greeklish=list(_greeklish(config, tagger.taxonomy, found)),
        faithfulness=list(_faithfulness(config, tagger, sets, progress)),
        behaviour=[score for system in systems for score in behaviour_scores(system, cases, tagger.taxonomy)],
        risk=found.risk,
        learning=_learning(tagger.artefact.manifest.training),
        checks=run_checks(evidence),
        provenance=_provenance(config, tagger, prepared, started),
    )


def _greeklish(config: EvaluateConfig, taxonomy: Taxonomy, found: Comparison) -> Iterator[GreeklishScore]:
    for one in found.measured:
        score = greeklish_score(one, taxonomy, resamples=config.resamples, seed=config.seed)
        if score is not None:
            yield score


def _faithfulness(
    config: EvaluateConfig, tagger: Tagger, sets: Sequence[EvaluationSet], progress: Progress | None
) -> Iterator[FaithfulnessScore]:
    explainer, calibration = TaggerExplainer(tagger=tagger), tagger.artefact.manifest.calibration
    for one in sets:
        drawn = draw(one.examples, config.faithfulness, config.seed)
        if progress and drawn:
            progress(f"deleting the evidence of {tagger.name} on {one.name} ({len(drawn)} messages)")
        if drawn:
            yield from faithfulness_scores(explainer, tagger.name, one.name, drawn, tagger.taxonomy, calibration, config.seed)


def _data_config(config: EvaluateConfig, tagger: Tagger) -> DataConfig:
    """Train the baselines on what the tagger was trained on, unless told otherwise."""
    trained = dict(tagger.artefact.manifest.training.get("config", {}).get("data", {}))
    trained["corpus"] = list(config.data)
    if config.extra_train is not None:
        trained |= {"extra_train": list(config.extra_train), "extra_labels": [], "extra_partial": [], "extra_unlabelled": []}
    try:
        return DataConfig.model_validate(trained)
    except ValidationError as error:
        raise UsageError("the tagger names its training data in a form that is not known; give --extra-train, empty for none") from error


def _agreement(taxonomy: Taxonomy) -> dict[str, float]:
    known = tomllib.loads(AGREEMENT.read_text(encoding="utf-8")) if taxonomy.name == "reclamo" else {}
    return {name: float(value) for name, value in known.items() if name in taxonomy.by_name}


def read_own(config: EvaluateConfig, tagger: Tagger, progress: Progress | None = None) -> list[Example] | None:
    """Read the messages that the tagger's manifest says it was trained on, where the baselines are fitted on others.

    None where they are not at hand, which is said: the overlap check then knows the baselines' messages alone.
    """
    named = tagger.artefact.manifest.training.get("config", {}).get("data", {})
    try:
        own = DataConfig.model_validate(named)
        if own == _data_config(config, tagger):
            return []
        prepared = prepare(own, tagger.taxonomy)
    except (ValidationError, CorpusError) as error:
        if progress:
            progress(f"what {tagger.name} was trained on is not at hand, so no overlap with it can be found ({str(error).splitlines()[0]})")
        return None
    return [*prepared.train, *prepared.partial, *prepared.unlabelled]


def changed_since(data: Sequence[str], tagger: Tagger) -> list[str]:
    """Name the files that hold test messages and had the same name but other content when the tagger was trained."""
    known = tagger.artefact.manifest.training.get("data", {})
    files = dict.fromkeys(file for path in map(Path, data) for file in (corpus_files(path) if path.is_dir() else [path]))
    other = [file for file in files if file.name in known and file_hashes([str(file)])[file.name] != known[file.name]]
    return [file.name for file in other if any(row.split == "test" for row in read_corpus(str(file), tagger.taxonomy))]


def _learning(training: Mapping[str, Any]) -> list[Epoch]:
    records = [one for one in training.get("history", ()) if "average_precision" in one]
    return [Epoch(epoch=one["epoch"], loss=round(one["loss"], 4), score=round(one["average_precision"]["mean"], 4)) for one in records]


def _provenance(config: EvaluateConfig, tagger: Tagger, prepared: Prepared, started: float) -> Provenance:
    return Provenance(
        reclamo=reclamo.__version__,
        python=platform.python_version(),
        versions=_versions(),
        git=_git_hash(),
        seed=config.seed,
        resamples=config.resamples,
        taxonomy=tagger.taxonomy.name,
        taxonomy_sha256=tagger.taxonomy.sha256,
        model=tagger.name,
        model_files=dict(tagger.artefact.manifest.files),
        data_sha256=prepared.files | _real_hashes(config.real, prepared.files),
        trained_on={"train": len(prepared.train), "validation": len(prepared.validation), "partial": len(prepared.partial)},
        tagger_trained_on=_own_counts(tagger.artefact.manifest.training),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.time() - started, 1),
    )


def _own_counts(training: Mapping[str, Any]) -> dict[str, int] | None:
    counts = training.get("examples")
    return {str(name): int(n) for name, n in counts.items()} if isinstance(counts, Mapping) and "train" in counts else None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git_hash() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, cwd=Path(__file__).parent, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _real_hashes(paths: Sequence[str], others: Mapping[str, str]) -> dict[str, str]:
    """Hash the real files; one whose name another file of the run has is marked."""
    return {f"real: {name}" if others.get(name, digest) != digest else name: digest for name, digest in file_hashes(paths).items()}
