"""The training configuration: one TOML file, every field typed and explained, unknown keys refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, field_validator, model_validator

from reclamo.errors import UsageError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartialConfig(_Strict):
    """A file of JSON lines whose rows carry one head in one column, such as stars turned into sentiment."""

    path: str
    head: str
    column: str = "label"
    values: Annotated[dict[str, str | bool], Field(description="column value to label; other rows are left out, and counted")]
    lang: str | None = None


class LabelsConfig(_Strict):
    """Labels kept apart from texts that may not be published: joined by the SHA-256 of the text."""

    labels: Annotated[str, Field(description="JSON lines with sha256, lang, role and labels")]
    texts: Annotated[list[str], Field(description="JSON lines with a text; a missing file is left out and said")]
    validation_share: Annotated[float, Field(ge=0, lt=1, description="share of them held out for validation")] = 0.0


class UnlabelledConfig(_Strict):
    """A file of JSON lines whose texts carry no label: learnt from through the teacher of `[distil]` alone."""

    path: str
    column: Annotated[str, Field(description="column of the text")] = "text"
    share: Annotated[float, Field(gt=0, le=1, description="of the texts to use, drawn by a hash")] = 1.0


class DataConfig(_Strict):
    """Where the labelled messages are."""

    corpus: Annotated[list[str], Field(description="files or folders in the corpus form; rows carry their split")]
    limit: Annotated[int | None, Field(ge=8, description="train on this many messages only, drawn by the seed; for trials")] = None
    fraction: Annotated[float, Field(gt=0, le=1, description="share of the training messages to use, for learning curves")] = 1.0
    extra_train: Annotated[list[str], Field(description="more labelled messages; a missing file is left out and said")] = []
    exclude: Annotated[list[str], Field(description="files whose texts are never trained on, such as sets kept for measuring")] = []
    extra_labels: Annotated[list[LabelsConfig], Field(description="labels without texts, with the files that hold the texts")] = []
    extra_partial: Annotated[list[PartialConfig], Field(description="messages that carry one head only, for training alone")] = []
    extra_unlabelled: Annotated[list[UnlabelledConfig], Field(description="messages without labels; needs [distil]")] = []
    partial_weight: Annotated[float, Field(ge=0, le=1, description="share of both kinds of them drawn anew in each epoch")] = 0.25
    extra_validation_share: Annotated[float, Field(ge=0, lt=1, description="share of extra_train held out for validation")] = 0.15


class ModelConfig(_Strict):
    """The network and its input."""

    name: Annotated[str, Field(description="name of the tagger; written into every row")] = "tagger"
    base: Annotated[
        str, Field(description="folder or hub name of the encoder, or folder of a finished tagger whose encoder to go on from")
    ] = "base/e5-small"
    vocabulary: Annotated[str | None, Field(description="pieces kept when the base is imported")] = "data/vocabulary.txt"
    taxonomy: Annotated[str | None, Field(description="taxonomy file; the bundled one by default")] = None
    max_tokens: Annotated[int, Field(ge=16, le=8192, description="longest training input; longer texts are cut at random ends")] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    encoder_dropout: Annotated[float, Field(ge=0, lt=1, description="inside the encoder; 0 is 1.6 times faster")] = 0.0
    freeze_embeddings: bool = True
    compress: Annotated[bool, Field(description="export the weights in 8 bits, where that keeps the answers; in 16 otherwise")] = True
    int8_samples: Annotated[int, Field(ge=0, description="texts to fit 8-bit ranges on, to compute in 8 bits; 0 computes in 16 or 32")] = 0
    layers: Annotated[int | None, Field(ge=1, description="keep only the first layers of the encoder; all by default")] = None


class NGramsConfig(_Strict):
    """The linear part: n-grams beside the network, with logistic regressions on them."""

    enabled: bool = True
    characters: Annotated[int, Field(ge=0, description="most character n-grams to keep, the commonest")] = 70_000
    words: Annotated[int, Field(ge=0, description="most words and pairs of words to keep")] = 50_000
    costs: Annotated[list[float], Field(min_length=1, description="values of C to choose from, head by head")] = [
        4.0,
        16.0,
        64.0,
    ]
    share: Annotated[float | None, Field(ge=0, le=1, description="of the n-grams in the logits; chosen on validation by default")] = None


class OptimConfig(_Strict):
    """How the weights move."""

    epochs: Annotated[int, Field(ge=1)] = 8
    patience: Annotated[int, Field(ge=1, description="epochs without a better validation score before stopping")] = 3
    tokens_per_batch: Annotated[int, Field(ge=64, description="padded tokens of a batch")] = 4096
    encoder_lr: Annotated[float, Field(gt=0)] = 8e-5
    head_lr: Annotated[float, Field(gt=0)] = 2e-3
    layer_decay: Annotated[float, Field(gt=0, le=1, description="factor on the rate from one layer to the one below")] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup: Annotated[float, Field(ge=0, lt=1, description="share of the steps")] = 0.08
    clip: Annotated[float, Field(gt=0, description="largest gradient norm")] = 1.0
    weight_cap: Annotated[float, Field(ge=1, description="largest weight of a rare label")] = 4.0
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.02
    average: Annotated[float, Field(ge=0, lt=1, description="decay of the running weight average per step; 0 switches it off")] = 0.0
    warm_start: Annotated[bool, Field(description="start the heads from a logistic regression on frozen embeddings")] = True
    augment: Annotated[float, Field(ge=0, le=1, description="share of training texts that are altered on the fly")] = 0.3
    marks: Annotated[float, Field(ge=0, le=1, description="share of short texts that get or lose handles, links and hashtags")] = 0.2
    token_dropout: Annotated[float, Field(ge=0, lt=1, description="share of training tokens replaced by the unknown token")] = 0.05
    precision: Annotated[str, Field(pattern="^(auto|bf16|fp32)$")] = "auto"
    seed: int = 17
    threads: Annotated[int | None, Field(description="torch threads; all cores by default")] = None


class DistilConfig(_Strict):
    """Learn from a trained teacher of the same base and taxonomy; the student starts from its layers and heads, without a warm start.

    Or from an earlier student, which so goes on: `start`.
    """

    teacher: Annotated[str, Field(description="the teacher's training configuration (.toml), its run folder, or a finished tagger's")]
    layers: Annotated[list[NonNegativeInt], Field(min_length=1, description="layers of the teacher, from 0, that the student is made of")]
    start: Annotated[str | None, Field(description="an earlier student of the same layers to start from, named as a teacher is")] = None
    labels: Annotated[float, Field(ge=0, description="weight of the labels' loss")] = 1.0
    logits: Annotated[float, Field(ge=0, description="weight of the distance to the teacher's logits")] = 1.0
    hidden: Annotated[float, Field(ge=0, description="weight of the states' distance to the teacher's; 0: it reads unaltered texts")] = 5.0
    kind: Annotated[Literal["soft", "mse"], Field(description="distance of logits: of the probabilities, or squared")] = "soft"
    temperature: Annotated[float, Field(gt=0, description="divides the logits before `soft` compares probabilities")] = 1.0
    blend: Annotated[float, Field(ge=0, le=1, description="share of the weights it started from in the finished student's")] = 0.0

    @field_validator("layers")
    @classmethod
    def _rises(cls, layers: list[int]) -> list[int]:
        if layers != sorted(set(layers)):
            raise ValueError("name each layer once, from the lowest to the highest")
        return layers


class TrainConfig(_Strict):
    """Everything that `train.py` reads."""

    data: DataConfig
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    ngrams: NGramsConfig = NGramsConfig()
    distil: DistilConfig | None = None
    run: Annotated[str, Field(description="folder for checkpoints and logs; runs/ and the tagger's name by default")]
    output: Annotated[str, Field(description="folder of the finished tagger; `tagger` in the run folder by default")]

    @model_validator(mode="before")
    @classmethod
    def _own_folders(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        model = data.get("model")
        name = model.get("name") if isinstance(model, dict) else None
        run = data.get("run", f"runs/{name or ModelConfig.model_fields['name'].default}")
        return {"run": run, "output": f"{run}/tagger", **data}

    @model_validator(mode="after")
    def _fits_together(self) -> TrainConfig:
        if self.distil is None and self.data.extra_unlabelled:
            raise ValueError("data.extra_unlabelled has texts that only a teacher can label; add a [distil] table or leave it out")
        if self.distil is not None and self.model.layers is not None:
            raise ValueError("model.layers and distil.layers both choose layers; leave out model.layers")
        return self

    @property
    def optim_used(self) -> OptimConfig:
        """The optimiser's settings as they are used: a student has its heads from its teacher, and no warm start."""
        return self.optim if self.distil is None else self.optim.model_copy(update={"warm_start": False})

    @property
    def fingerprint(self) -> dict[str, Any]:
        """The plain form, saved beside the model and in the checkpoint."""
        return self.model_dump(mode="json")


def load_config(path: str | Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Read a TOML file; `overrides` holds dotted keys such as {"model.base": "xlm-roberta-base"}.

    Raises:
        UsageError: missing file, TOML error, unknown key or a value out of range; the key is named.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror}); give a training configuration", path=path) from error
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8; save it as text in UTF-8", path=path) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"is not valid TOML: {error}", path=path) from error
    for dotted, value in (overrides or {}).items():
        table = data
        *parents, last = dotted.split(".")
        for key in parents:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise UsageError(f"--set {dotted}: {key!r} is no table; see which keys there are in docs/retrain.md", path=path)
        table[last] = value
    try:
        return TrainConfig.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(": ".join(part for part in (".".join(map(str, e["loc"])), e["msg"]) if part) for e in error.errors())
        raise UsageError(problems, path=path) from error


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """Read `key=value` pairs; a value is TOML, or a plain string. Example: ["optim.epochs=3"] -> {"optim.epochs": 3}.

    Raises:
        UsageError: a pair without `=`.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"--set {pair!r} has no '='; write KEY=VALUE")
        try:
            found[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found
