"""`reclamo corpus`: labelled messages."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reclamo.corpus import Example
    from reclamo.corpus.audit import Check
    from reclamo.taxonomy import Taxonomy

app = typer.Typer(help="Labelled messages: audit, split, export, import, compare.", no_args_is_help=True, rich_markup_mode=None)

TaxonomyOption = Annotated[Path | None, typer.Option("--taxonomy", help="a taxonomy file; the bundled one by default")]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="file to write; standard output by default")]
JsonOption = Annotated[bool, typer.Option("--json", help="as JSON")]


@app.command("check")
def check_command(path: Annotated[Path, typer.Argument(help="a corpus file or folder")], taxonomy: TaxonomyOption = None) -> int:
    """Read every row, refuse the first that breaks a rule, and count the labels."""
    from reclamo.corpus import read_corpus
    from reclamo.corpus.counts import count_labels
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    print(json.dumps(count_labels(read_corpus(path, schema), schema), ensure_ascii=False, indent=1))
    return 0


@app.command("audit")
def audit_command(
    path: Annotated[Path, typer.Argument(help="a corpus file or folder")],
    taxonomy: TaxonomyOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
    every: Annotated[bool, typer.Option("--all", help="show every finding, not the first ten of each code")] = False,
    phrases: Annotated[Path | None, typer.Option("--phrases", help="fixed phrases, one a line; PATH/fixed_phrases.txt if there")] = None,
    tokenizer: Annotated[Path | None, typer.Option("--tokenizer", help="a tokenizer.json; the bundled tagger's if there")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", min=8, help="that the model reads; 256 by default")] = None,
    severity: Annotated[list[str] | None, typer.Option("--severity", help="CODE=error, warning or info; may be repeated")] = None,
    label_errors: Annotated[bool, typer.Option("--label-errors", help="look for likely label errors (minutes; cleanlab)")] = False,
) -> int:
    """Check a labelled corpus: what each check saw, how bad it is, and what to do.

    Exit code 0: no error; 1: at least one; 2: wrong use, or no such corpus.
    """
    from reclamo.corpus.audit import Limits, audit_path, parse_severities
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    given, longest = _tokenizer(tokenizer)
    report = audit_path(
        path,
        schema,
        phrases=phrases,
        tokenizer=given,
        limits=Limits(max_tokens=max_tokens or longest),
        severities=parse_severities(severity or ()),
        extra=(_label_errors(schema),) if label_errors else (),
    )
    _put(json.dumps(report.to_dict(), ensure_ascii=False, indent=1) if as_json else report.table(each=None if every else 10), output)
    return report.exit_code


def _tokenizer(path: Path | None) -> tuple[Any, int]:
    """Open a tokenizer, or the bundled tagger's where there is one; and say how many tokens are read."""
    from reclamo.artefact import open_artefact
    from reclamo.artefact.store import bundled_artefact
    from reclamo.corpus.audit import Limits
    from reclamo.engine.tokens import UnitMaker
    from reclamo.errors import ArtefactError

    longest = Limits().max_tokens
    if path is None:
        try:
            bundled = open_artefact(bundled_artefact())
        except ArtefactError:
            return None, longest
        path, longest = bundled.tokenizer, bundled.manifest.max_tokens
    return UnitMaker(path, longest).tokenizer, longest


def _label_errors(taxonomy: Taxonomy) -> Check:
    """The check for likely label errors, scored by the TF-IDF baseline.

    Raises:
        MissingExtraError: cleanlab or scikit-learn is not installed.
    """
    from importlib.util import find_spec

    from reclamo.corpus.audit import label_error_check
    from reclamo.errors import MissingExtraError

    for package in ("cleanlab", "sklearn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "audit")
    return label_error_check(_out_of_fold(taxonomy))


def _out_of_fold(taxonomy: Taxonomy, folds: int = 3) -> Callable[[Sequence[Example]], Any]:
    """A scorer: the logits of each message by a baseline fitted on the folds without its scenario."""

    def score(examples: Sequence[Example]) -> Any:
        import numpy as np

        from reclamo.baselines.linear import Search, grouped_folds
        from reclamo.baselines.tfidf import Tfidf

        plain = Search(costs=(16.0,), weights=(None,))
        logits = np.zeros((len(examples), taxonomy.n_logits), dtype=np.float32)
        for fitted, held in grouped_folds(np.asarray([example.group for example in examples]), folds):
            model = Tfidf.fit([examples[k] for k in fitted], taxonomy, search=plain)
            logits[held] = model.logits([examples[k] for k in held])
        return logits

    return score


@app.command("export")
def export_command(
    path: Annotated[Path, typer.Argument(help="a corpus file or folder")],
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write: .jsonl, .csv, .parquet, or .json for Label Studio")],
    format: Annotated[str | None, typer.Option("-f", "--format", help="jsonl, csv, parquet or label-studio; by the ending")] = None,
    taxonomy: TaxonomyOption = None,
) -> int:
    """Write labelled messages as CSV, Parquet, JSON lines or Label Studio tasks."""
    from reclamo.corpus import read_corpus
    from reclamo.corpus.export import export_corpus
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    examples = read_corpus(path, schema)
    name = export_corpus(examples, output, schema, format=format)
    print(f"{len(examples)} messages in {output} ({name})")
    return 0


@app.command("import")
def import_command(
    path: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON lines, or a JSON export of Label Studio")],
    output: Annotated[Path, typer.Option("-o", "--output", help="corpus file to write, .jsonl by custom")],
    format: Annotated[str | None, typer.Option("-f", "--format", help="as in export, or messages: unlabelled mail or tables")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="language of rows that give none, or auto")] = None,
    annotator: Annotated[str | None, typer.Option("--annotator", help="whose Label Studio annotations, by number or e-mail")] = None,
    text_column: Annotated[str | None, typer.Option("--text-column", help="of a table of unlabelled messages")] = None,
    id_column: Annotated[str | None, typer.Option("--id-column", help="of a table of unlabelled messages")] = None,
    taxonomy: TaxonomyOption = None,
) -> int:
    """Read labelled messages from elsewhere, or unlabelled ones to be labelled, into a corpus file."""
    from reclamo.corpus.export import export_corpus, import_corpus, import_messages
    from reclamo.errors import CorpusError
    from reclamo.sources import SourceOptions
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    if format == "messages":
        imported = import_messages(path, SourceOptions(text_column=text_column, id_column=id_column))
    else:
        imported = import_corpus(path, schema, format=format, annotator=annotator)
    examples = [_with_language(example, lang) for example in imported.examples]
    labels = {head: sum(head in example.labels for example in examples) for head in schema.by_name}
    if examples and format != "messages" and not any(labels.values()):
        said = f"no row has a label: expected columns named {', '.join(labels)}, or an object `labels`; -f messages reads unlabelled mail"
        raise CorpusError(said, path=path)
    name = export_corpus(examples, output, schema)
    left_out = "".join(f"; left out: {count} {reason}" for reason, count in sorted(imported.left_out.items()))
    print(f"{len(examples)} messages in {output} ({name}){left_out}")
    if format != "messages":
        print("labelled: " + ", ".join(f"{head} {count}" for head, count in labels.items()))
    return 0


def _with_language(example: Example, lang: str | None) -> Example:
    from reclamo.text.language import detect_language

    if example.lang or not lang:
        return example
    return replace(example, lang=detect_language(example.text) if lang == "auto" else lang)


@app.command("labelling-config")
def labelling_config_command(
    taxonomy: TaxonomyOption = None,
    output: OutputOption = None,
    lang: Annotated[str, typer.Option("--lang", help="language of the hints: en, es, el or it")] = "en",
) -> int:
    """Write the taxonomy as a labelling configuration (XML) for Label Studio."""
    from reclamo.corpus.labelstudio import labelling_config
    from reclamo.errors import UsageError
    from reclamo.taxonomy import load_taxonomy
    from reclamo.taxonomy.schema import DESCRIPTION_LANGUAGES

    if lang not in DESCRIPTION_LANGUAGES:
        raise UsageError(f"--lang is {lang!r}; expected one of {', '.join(DESCRIPTION_LANGUAGES)}")
    _put(labelling_config(load_taxonomy(taxonomy), lang=lang), output)
    return 0


@app.command("features")
def features_command(
    taxonomy: TaxonomyOption = None,
    class_labels: Annotated[bool, typer.Option("--class-labels", help="one-of and ordered heads as ClassLabel")] = False,
) -> int:
    """Show the features of the corpus files for the `datasets` library, as JSON."""
    from reclamo.corpus.features import hf_features
    from reclamo.taxonomy import load_taxonomy

    features = hf_features(load_taxonomy(taxonomy), class_labels=class_labels)
    print(json.dumps(features.to_dict(), ensure_ascii=False, indent=1))
    return 0


@app.command("split")
def split_command(
    path: Annotated[Path, typer.Argument(help="a corpus file or folder")],
    output: Annotated[Path, typer.Option("-o", "--output", help="folder to write: LANG.SPLIT.jsonl and the lock")],
    shares: Annotated[str, typer.Option("--shares", help="of the splits")] = "train=0.7,validation=0.1,test=0.2",
    seed: Annotated[int, typer.Option("--seed", help="of the order in which equal choices are made")] = 0,
    again: Annotated[bool, typer.Option("--again", help="split anew what has splits, and replace the splits of a folder")] = False,
    taxonomy: TaxonomyOption = None,
) -> int:
    """Split a corpus by scenario, stratified over labels and languages, and lock the splits."""
    from reclamo.corpus import read_corpus
    from reclamo.corpus.split import LOCK, split_by_group, write_lock
    from reclamo.errors import UsageError
    from reclamo.taxonomy import load_taxonomy

    wanted = _shares(shares)
    examples = read_corpus(path, load_taxonomy(taxonomy))
    if not again and any(example.split for example in examples):
        raise UsageError("some messages have a split already; give --again to split all of them anew", path=path)
    if not again and output.is_dir() and (any(output.glob("*.jsonl")) or (output / LOCK).exists()):
        raise UsageError("the folder holds a corpus already; choose another, or give --again to replace its splits", path=output)
    split = split_by_group(examples, wanted, seed=seed)
    _write_splits(split, output)
    write_lock(output / LOCK, split)
    sizes = ", ".join(f"{sum(example.split == name for example in split)} {name}" for name in wanted)
    print(f"{len(split)} messages in {output}: {sizes}")
    return 0


def _shares(text: str) -> dict[str, float]:
    """Read the shares of the splits. Example: "train=0.8,test=0.2" -> {"train": 0.8, "test": 0.2}."""
    from reclamo.corpus.split import SPLITS
    from reclamo.errors import UsageError

    try:
        shares = {name.strip(): float(share) for name, share in (part.split("=") for part in text.split(","))}
    except ValueError:
        shares = {}
    if not shares or any(name not in SPLITS or not share > 0 for name, share in shares.items()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"--shares is {text!r}; expected shares of {', '.join(SPLITS)} that add up to 1, such as train=0.8,test=0.2")
    return shares


def _write_splits(examples: Iterable[Example], folder: Path) -> None:
    files: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        files[f"{example.lang or 'xx'}.{example.split}.jsonl"].append(example)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.*.jsonl"):
        if old.name not in files and old.stem.split(".")[-1] in ("train", "validation", "test"):
            old.unlink()
    for name, held in files.items():
        rows = (json.dumps(example.to_dict(), ensure_ascii=False) + "\n" for example in sorted(held, key=lambda example: example.id))
        (folder / name).write_text("".join(rows), encoding="utf-8")


@app.command("agreement")
def agreement_command(
    first: Annotated[Path, typer.Argument(help="labels of the first reader: a corpus file or folder")],
    second: Annotated[Path, typer.Argument(help="labels of the second reader, of the same ids; no text needed")],
    taxonomy: TaxonomyOption = None,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, with every label that differs")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="as a Markdown table for the dataset card")] = False,
) -> int:
    """Show how far two readers of the same messages agree: F1 and Cohen's kappa, by head and language."""
    from reclamo.corpus.agreement import agreement, read_labels
    from reclamo.taxonomy import load_taxonomy

    schema = load_taxonomy(taxonomy)
    found = agreement(read_labels(first, schema), read_labels(second, schema), schema)
    text = json.dumps(found.to_dict(), ensure_ascii=False, indent=1) if as_json else found.markdown() if markdown else found.table()
    _put(text, output)
    return 0


def _put(text: str, output: Path | None) -> None:
    from reclamo.errors import SinkError

    if output is None:
        sys.stdout.write(text.rstrip("\n") + "\n")
        return
    try:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot be written ({error.strerror}); choose another output", path=output) from error


@app.command("curve")
def curve_command(
    config: Annotated[Path, typer.Option("--config", help="training configuration")] = Path("configs/teacher.toml"),
    output: Annotated[Path, typer.Option("-o", "--output", help="folder of learning_curve.json, .md and .svg")] = Path("data/curve"),
    shares: Annotated[list[float], typer.Option("--share", help="share of the training messages; repeat it")] = [0.1, 0.25, 0.5, 1.0],  # noqa: B006
    model: Annotated[Path | None, typer.Option("--model", help="a tagger that was trained on everything, for the share 1.0")] = None,
) -> int:
    """Train the tagger and the TF-IDF baseline on shares of the corpus and measure both on its test split."""
    from reclamo.cli.extras import need_train

    need_train()
    import sys

    from reclamo.corpus import read_corpus
    from reclamo.evaluation.compare import EvaluationSet
    from reclamo.evaluation.curve import curve_table, learning_curve, write_curve
    from reclamo.taxonomy import load_taxonomy
    from reclamo.training.config import load_config

    settings = load_config(config)
    schema = load_taxonomy(settings.model.taxonomy)
    test = [example for example in read_corpus(settings.data.corpus, schema) if example.split == "test"]
    measured = EvaluationSet.of("test", test, schema)
    points = learning_curve(
        settings,
        shares,
        measured,
        Path(settings.run) / "curve",
        whole=str(model) if model else None,
        progress=lambda line: print(line, file=sys.stderr),
    )
    write_curve(points, output, schema)
    print(curve_table(points, schema))
    return 0
