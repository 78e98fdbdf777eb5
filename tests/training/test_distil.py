"""A student is made of its teacher's layers, comes closer to it on texts without labels, and goes on after a kill."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from tests.training.test_learns import SCHEMA  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

from reclamo.artefact import Artefact, Calibration, HeadCalibration, open_artefact  # noqa: E402
from reclamo.corpus import Example  # noqa: E402
from reclamo.errors import ArtefactError, CorpusError, UsageError  # noqa: E402
from reclamo.model.base import load_base  # noqa: E402
from reclamo.model.network import TaggerNetwork  # noqa: E402
from reclamo.taxonomy import load_taxonomy, parse_taxonomy  # noqa: E402
from reclamo.training.checkpoint import FINISHED, read_best, read_finished, read_state, write_finished  # noqa: E402
from reclamo.training.config import DataConfig, DistilConfig, OptimConfig, TrainConfig, UnlabelledConfig, load_config  # noqa: E402
from reclamo.training.data import Batch, Tokens, TrainingSet  # noqa: E402
from reclamo.training.distil import (  # noqa: E402
    Distiller,
    Teacher,
    finished,
    hash_weights,
    hidden_gap,
    read_teacher,
    require_own_folders,
    select_layers,
    soft_gap,
)
from reclamo.training.export import write_artefact  # noqa: E402
from reclamo.training.prepare import prepare  # noqa: E402
from reclamo.training.run import run  # noqa: E402
from reclamo.training.trainer import Trainer  # noqa: E402

TOY = parse_taxonomy(SCHEMA)
WORDS = ["nadie", "amable", "reembolso", "semanas", "sábado", "calle", "técnico", "DOS", "puntual", "tres", "app", "veces"]
ROOT = Path(__file__).parents[2]


def network(layers: int = 4, seed: int = 3) -> TaggerNetwork:
    """A random BERT with heads that say something."""
    torch.manual_seed(seed)
    shape = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.2}
    encoder = BertModel(BertConfig(vocab_size=400, num_hidden_layers=layers, pad_token_id=1, **shape, **still), add_pooling_layer=False)
    made = TaggerNetwork(encoder, TOY.n_logits, 0.0)
    for values in (made.attention.weight, made.attention.query):
        torch.nn.init.normal_(values, std=0.5)
    return made


def distiller(layers: list[int], **config: Any) -> Distiller:
    teacher = network()
    teacher.eval().requires_grad_(False)
    described = Teacher(name="teacher", fingerprint="f", network=teacher)
    return Distiller(DistilConfig(teacher="runs/teacher", layers=layers, **config), described, TOY)


def student(made: Distiller) -> TaggerNetwork:
    return made.student({name for name, _ in network().named_parameters() if "word_embeddings" not in name})


def texts(n: int, seed: int) -> list[Example]:
    """Messages without a label."""
    rng = random.Random(seed)
    return [Example(id=str(k), text=" ".join(rng.sample(WORDS, rng.randint(2, 8))), lang=None, labels={}) for k in range(n)]


def training_set(base: Path, examples: list[Example]) -> TrainingSet:
    return TrainingSet(examples, TOY, Tokens(load_base(base)[1], 32), 256)


def trainer_for(base: Path, made: Distiller, examples: list[Example], **more: Any) -> Trainer:
    settings = {"encoder_lr": 3e-3, "head_lr": 1e-3, "augment": 0.5, "average": 0.5, "warm_start": False, "precision": "fp32", "threads": 1}
    optim = OptimConfig(**{**settings, **{key: more.pop(key) for key in ("epochs", "seed") if key in more}})
    return Trainer(student(made), TOY, training_set(base, examples), None, optim, objective=made, **more)


def test_a_student_holds_exactly_the_chosen_layers_the_embeddings_and_the_heads() -> None:
    made = distiller([1, 3])
    teacher, small = made.teacher.network.state_dict(), student(made).state_dict()
    renamed = {name.replace("layer.0.", "layer.1.") if "layer.0." in name else name.replace("layer.1.", "layer.3."): name for name in small}
    assert len(small) == len(teacher) - 2 * sum(".layer.0." in name for name in teacher)
    assert all(torch.equal(teacher[theirs], small[mine]) for theirs, mine in renamed.items())


def test_what_is_trained_in_the_student_is_its_own() -> None:
    made = distiller([0, 2])
    before = {name: value.clone() for name, value in made.teacher.network.state_dict().items()}
    small = student(made)
    frozen = [name for name, value in small.named_parameters() if not value.requires_grad]
    assert frozen == ["encoder.embeddings.word_embeddings.weight"]
    with torch.no_grad():
        for value in small.parameters():
            value.add_(1.0)
    assert all(torch.equal(before[name], value) for name, value in made.teacher.network.state_dict().items())


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_blend_lies_between_the_student_and_the_layers_it_came_from(share: float) -> None:
    made = distiller([1, 3], blend=share)
    small = student(made)
    with torch.no_grad():
        for value in small.parameters():
            value.add_(2.0)
    trained = {name: value.clone() for name, value in small.named_parameters()}
    made.blend(small)
    teacher = made.teacher.network.state_dict()
    for name, value in small.named_parameters():
        theirs = teacher[name.replace("layer.1.", "layer.3.").replace("layer.0.", "layer.1.")]
        assert torch.allclose(value, trained[name] + share * (theirs - trained[name]), atol=1e-6), name
    assert made.fingerprint == distiller([1, 3]).fingerprint  # the same training


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_student_that_goes_on_starts_from_the_earlier_one_and_is_blended_with_it(share: float) -> None:
    fresh, config = distiller([1, 3]), DistilConfig(teacher="runs/teacher", layers=[1, 3], blend=share)
    earlier = network(layers=2, seed=8).eval().requires_grad_(False)
    made = Distiller(config, fresh.teacher, TOY, Teacher(name="earlier", fingerprint="e", network=earlier))
    small = student(made)
    assert all(torch.equal(value, earlier.state_dict()[name]) for name, value in small.state_dict().items())
    assert next(iter(small.encoder.encoder.parameters())).requires_grad
    with torch.no_grad():
        for value in small.parameters():
            value.add_(2.0)
    made.blend(small)
    for name, value in small.named_parameters():
        assert torch.allclose(value, earlier.state_dict()[name] + 2.0 * (1 - share), atol=1e-5), name
    assert made.fingerprint == fresh.fingerprint | {"start": "e"}  # another training than from the teacher's layers
    assert made.origin == fresh.origin | {"start_sha256": "e"}
    with pytest.raises(UsageError, match=r"distil\.start has 2 layers and distil\.layers names 3"):
        Distiller(config.model_copy(update={"layers": [0, 1, 3]}), fresh.teacher, TOY, made.start)


@pytest.mark.parametrize("kind", ["mse", "soft"])
def test_a_student_of_all_layers_starts_at_no_loss_and_one_of_some_does_not(kind: str, tiny_base: Path) -> None:
    for layers, least in (([0, 1, 2, 3], 0.0), ([0, 3], 1e-4)):
        made = distiller(layers, kind=kind, temperature=2.0)
        small = student(made)
        (batch, *_) = training_set(tiny_base, texts(20, seed=1)).in_order()
        labels = trainer_for(tiny_base, made, texts(4, seed=1)).loss
        loss = float(made(small, batch, labels, lambda: torch.autocast("cpu", enabled=False)).detach())
        assert loss == pytest.approx(0.0, abs=1e-6) if not least else loss > least


def test_without_hidden_states_the_teacher_reads_every_text_as_it_is_and_once(tiny_base: Path) -> None:
    made = distiller([0, 1, 2, 3], hidden=0.0, kind="mse", labels=0.0)
    short = [replace(example, text=" ".join(example.text.split()[:2])) for example in texts(30, seed=4)]
    small, data = student(made).eval(), training_set(tiny_base, short)
    labels = trainer_for(tiny_base, made, texts(4, seed=1)).loss

    def loss(batch: Batch) -> float:
        return float(made(small, batch, labels, lambda: torch.autocast("cpu", enabled=False)).detach())

    plain, altered = (data.epoch(7, share) for share in (0.0, 1.0))
    answers = Trainer(made.teacher.network, TOY, data, None, OptimConfig(precision="fp32", threads=1)).logits(data)
    assert all(loss(batch) == pytest.approx(0.0, abs=1e-6) for batch in plain)
    read: list[int] = []
    made.teacher.network.register_forward_hook(lambda *_: read.append(1))
    for batch in altered:
        mine, _ = small(batch.ids, batch.mask)
        assert loss(batch) == pytest.approx(float(made.logit_gap(mine.detach(), torch.from_numpy(answers[batch.rows]))), rel=1e-3)
    assert any(loss(batch) > 1e-3 for batch in altered)
    assert not read


def test_a_batch_holds_its_texts_altered_and_as_they_are(tiny_base: Path) -> None:
    examples = [*texts(20, seed=4), Example(id="long", text=" ".join(WORDS * 8), lang=None, labels={})]
    data = TrainingSet(examples, TOY, Tokens(load_base(tiny_base)[1], 32), 256, token_dropout=0.3)
    whole = data.tokens.encode([example.text for example in examples])
    tails = set()
    for batch in [batch for seed in range(8) for batch in data.epoch(seed, 0.0)]:
        for row, ids, mask, tail in zip(batch.rows, batch.plain, batch.plain_mask, batch.tails, strict=True):
            inner = ids[mask.bool()].tolist()[1:-1]
            assert inner == (whole[row][-30:] if tail else whole[row][:30])
            tails.add((len(whole[row]) > 30, bool(tail)))
        masked = (batch.ids == data.tokens.unknown) & (batch.plain != data.tokens.unknown)
        assert torch.equal(torch.where(masked, batch.plain, batch.ids), batch.plain)
    assert tails == {(False, False), (True, False), (True, True)}


def test_soft_distances_are_the_divergences_of_torch_distributions() -> None:
    torch.manual_seed(0)
    mine, theirs = torch.randn(9, 2), torch.randn(9, 2)
    law = torch.distributions
    classes = law.kl_divergence(law.Categorical(logits=theirs), law.Categorical(logits=mine)).mean()
    labels = law.kl_divergence(law.Bernoulli(logits=theirs), law.Bernoulli(logits=mine)).sum(-1).mean() / 2**0.5
    mood, topics = TOY.heads
    assert float(soft_gap(mood, mine, theirs)) == pytest.approx(float(classes), abs=1e-6)
    assert float(soft_gap(topics, mine, theirs)) == pytest.approx(float(labels), abs=1e-6)


@pytest.mark.parametrize("kind", ["mse", "soft"])
def test_a_student_comes_closer_to_its_teacher_on_texts_without_labels(kind: str, tiny_base: Path) -> None:
    made = distiller([0, 3], kind=kind)
    trainer = trainer_for(tiny_base, made, texts(80, seed=1), epochs=8)
    unseen = training_set(tiny_base, texts(40, seed=2))
    assert not unseen.targets.mask.any()
    teacher = Trainer(made.teacher.network, TOY, unseen, None, trainer.config).logits(unseen)
    before = abs(trainer.logits(unseen) - teacher).mean()
    trainer.fit()
    after = abs(trainer.logits(unseen) - teacher).mean()
    assert after < 0.7 * before


def test_padding_does_not_change_the_distance_of_hidden_states() -> None:
    torch.manual_seed(1)
    short, long = (torch.randn(1, n, 8) for n in (3, 7))
    theirs_short, theirs_long = (torch.randn(1, n, 8) for n in (3, 7))
    padding = torch.full((1, 4, 8), 9.0)
    both = hidden_gap(
        torch.cat([torch.cat([short, padding], 1), long]),
        torch.cat([torch.cat([theirs_short, -padding], 1), theirs_long]),
        torch.tensor([[1, 1, 1, 0, 0, 0, 0], [1] * 7]),
    )
    alone = [hidden_gap(a, b, torch.ones(1, a.shape[1])) for a, b in ((short, theirs_short), (long, theirs_long))]
    assert float(both) == pytest.approx(float(sum(alone)) / 2, abs=1e-6)
    assert float(hidden_gap(short, 3 * short, torch.ones(1, 3))) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("at", [2, 6])
def test_a_killed_distillation_goes_on_to_the_same_weights(
    tiny_base: Path, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = texts(40, seed=3)
    whole = trainer_for(tiny_base, distiller([0, 3]), examples, epochs=2)
    whole.fit()

    class Killed(Exception):
        pass

    def kill(record: dict[str, Any]) -> None:
        if record["kind"] == "checkpoint" and record["step"] >= at:
            raise Killed

    monkeypatch.setattr("reclamo.training.trainer.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Killed):
        trainer_for(tiny_base, distiller([0, 3]), examples, epochs=2, run=tmp_path, progress=kill).fit()
    records: list[dict[str, Any]] = []
    again = trainer_for(tiny_base, distiller([0, 3]), examples, epochs=2, run=tmp_path, progress=records.append)
    again.fit()
    assert records[0] == {"kind": "resume", "step": at}
    b = again.network.state_dict()
    assert all(torch.allclose(value, b[name], atol=1e-6) for name, value in whole.network.state_dict().items())


def test_a_checkpoint_of_another_loss_leaves_no_trace(tiny_base: Path, tmp_path: Path) -> None:
    examples = texts(40, seed=3)
    trainer_for(tiny_base, distiller([0, 3]), examples, epochs=2, run=tmp_path / "used").fit()
    other = distiller([0, 3], logits=2.0)
    fresh, used = (trainer_for(tiny_base, other, examples, epochs=2, run=tmp_path / name) for name in ("empty", "used"))
    fresh.fit()
    used.fit()
    b = used.network.state_dict()
    assert all(torch.equal(value, b[name]) for name, value in fresh.network.state_dict().items())


def write_checkpoint(run: Path, made: TaggerNetwork, epoch: int = 8, best: int = 7) -> None:
    (run / "checkpoint").mkdir(parents=True)
    state = {"epoch": epoch, "config": OptimConfig().model_dump(mode="json"), "history": {"best": best}}
    (run / "checkpoint" / "state.json").write_text(json.dumps(state), encoding="utf-8")
    tensors = {f"extra.best.{name}": value.contiguous() for name, value in made.state_dict().items()}
    save_file(tensors | {"network.attention.bias": torch.ones(2)}, run / "checkpoint" / "tensors.safetensors")


def test_the_teacher_is_the_best_network_of_its_run_however_many_layers_it_has(tmp_path: Path) -> None:
    trained = network(layers=3, seed=8)
    write_checkpoint(tmp_path / "medium", trained)
    teacher = read_teacher(str(tmp_path / "medium"), network(layers=4))
    assert teacher.name == "medium"
    assert all(torch.equal(value, teacher.network.state_dict()[name]) for name, value in trained.state_dict().items())
    assert not any(value.requires_grad for value in teacher.network.parameters())
    config = tmp_path / "medium.toml"
    config.write_text(
        f'run = {json.dumps(str(tmp_path / "medium"))}\n[data]\ncorpus = []\n[model]\nname = "reclamo-medium"\n', encoding="utf-8"
    )
    named = read_teacher(str(config), network(layers=4))
    assert (named.name, named.fingerprint) == ("reclamo-medium", teacher.fingerprint)
    blended = network(layers=3, seed=10)
    write_finished(tmp_path / "medium", blended)
    assert torch.equal(read_teacher(str(tmp_path / "medium"), network(layers=4)).network.attention.weight, blended.attention.weight)
    write_checkpoint(tmp_path / "other", network(layers=3, seed=9))
    assert read_teacher(str(tmp_path / "other"), network()).fingerprint != teacher.fingerprint


def test_a_missing_or_foreign_teacher_is_said_with_what_to_do(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(f"run = {json.dumps(str(tmp_path / 'nowhere'))}\n[data]\ncorpus = []\n", encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"run `python train.py --config .*small\.toml` first"):
        read_teacher(str(config), network())
    foreign = network()
    foreign.attention.bias = torch.nn.Parameter(torch.zeros(9))
    write_checkpoint(tmp_path / "foreign", foreign)
    with pytest.raises(ArtefactError, match="another base or taxonomy"):
        read_teacher(str(tmp_path / "foreign"), network())
    write_checkpoint(tmp_path / "nowhere", network(), epoch=5, best=4)
    with pytest.raises(ArtefactError, match=r"cut short; run `python train.py --config .*small\.toml` to its end first"):
        read_teacher(str(config), network())
    with pytest.raises(UsageError, match="no layer 4: the encoder has 4 layers"):
        select_layers(network().encoder, [0, 4])
    with pytest.raises(UsageError, match="no layer 4: the teacher has 4 layers"):
        distiller([0, 4])


def test_a_blended_network_whose_finished_weights_are_gone_does_not_teach(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "blended", network(layers=3, seed=9))
    state = tmp_path / "blended" / "checkpoint" / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text(encoding="utf-8")) | {"blends": True}), encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"the training of distil\.start was cut short"):
        read_teacher(str(tmp_path / "blended"), network(), what="start")
    write_finished(tmp_path / "blended", network(layers=3, seed=10))
    assert read_teacher(str(tmp_path / "blended"), network()).name == "blended"


@pytest.mark.parametrize(("epoch", "best", "done"), [(8, 7, True), (5, 4, False), (6, 2, True), (5, 2, False)])
def test_a_run_is_finished_after_its_epochs_or_when_its_patience_was_out(epoch: int, best: int, done: bool) -> None:
    state = {"epoch": epoch, "config": OptimConfig(epochs=8, patience=3).model_dump(mode="json"), "history": {"best": best}}
    assert finished(state) is done


def test_a_teacher_of_other_settings_is_refused_and_a_student_keeps_to_folders_of_its_own(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "big", network())
    teacher = tmp_path / "big.toml"
    teacher.write_text(f"run = {json.dumps(str(tmp_path / 'big'))}\n[data]\ncorpus = []\n[optim]\nencoder_lr = 1e-3\n", encoding="utf-8")
    with pytest.raises(ArtefactError, match="with other settings"):
        read_teacher(str(teacher), network())
    student = {"data": {"corpus": []}, "distil": {"teacher": str(teacher), "layers": [0]}, "run": str(tmp_path / "big" / "..") + "/big"}
    with pytest.raises(UsageError, match=r"run = .* is the teacher's"):
        require_own_folders(TrainConfig.model_validate(student))
    with pytest.raises(UsageError, match=r"output = .* is the teacher's"):
        require_own_folders(TrainConfig.model_validate(student | {"run": "elsewhere", "output": str(tmp_path / "big" / "tagger")}))
    require_own_folders(TrainConfig.model_validate(student | {"run": "elsewhere"}))
    goes_on = {"teacher": str(tmp_path / "other"), "start": str(teacher), "layers": [0]}
    with pytest.raises(UsageError, match=r"run = .* is the earlier student's"):
        require_own_folders(TrainConfig.model_validate(student | {"distil": goes_on}))


def test_a_teacher_of_another_taxonomy_or_base_is_refused_though_its_weights_fit(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "big", network())
    state = tmp_path / "big" / "checkpoint" / "state.json"
    known = json.loads(state.read_text(encoding="utf-8"))
    known["config"] |= {"taxonomy": TOY.sha256, "model": {"base": "base/e5-small"}}
    state.write_text(json.dumps(known), encoding="utf-8")
    other = parse_taxonomy(SCHEMA.replace("money", "food"))
    assert read_teacher(str(tmp_path / "big"), network(), TOY, "base/e5-small").name == "big"
    for taxonomy, base in ((other, "base/e5-small"), (TOY, "base/other")):
        with pytest.raises(ArtefactError, match="another taxonomy or base"):
            read_teacher(str(tmp_path / "big"), network(), taxonomy, base)


@pytest.mark.parametrize("compress", [False, True])
def test_a_finished_tagger_teaches_as_the_network_that_it_was_exported_from(tiny_base: Path, tmp_path: Path, compress: bool) -> None:
    encoder, tokenizer = load_base(tiny_base)
    trained = TaggerNetwork(encoder, TOY.n_logits, 0.0)
    for values in (trained.attention.weight, trained.attention.query, trained.attention.bias):
        torch.nn.init.normal_(values, std=0.5)
    about = {"name": "toy", "base": "tiny", "max_tokens": 64, "training": {}}
    heads = {"mood": HeadCalibration(temperature=1.0), "topics": HeadCalibration(temperature=1.0, thresholds=(0.5, 0.5))}
    calibration = Calibration(heads=heads, review_margin=0.0, risk_coverage=())
    tagger = tmp_path / "tagger"
    write_artefact(tagger, trained, tokenizer, TOY, calibration, about, compress=compress)

    def fresh() -> TaggerNetwork:
        return TaggerNetwork(load_base(tiny_base)[0], TOY.n_logits, 0.0)

    teacher = read_teacher(str(tagger), fresh(), TOY, "tiny")
    assert teacher.name == "toy"
    assert not any(value.requires_grad for value in teacher.network.parameters())
    found = teacher.network.state_dict()
    for name, value in trained.state_dict().items():
        rows = value.float().reshape(len(value), -1)
        step = (rows.amax(1) - rows.amin(1).clamp(max=0)) / 255 if compress and value.ndim == 2 else torch.zeros(len(value))
        gap = (found[name].float().reshape(len(value), -1) - rows).abs().amax(1)
        assert (gap <= 0.6 * step + 2e-3 * rows.abs().amax(1)).all(), name  # half a step of 8 bits, and the rounding of its scale
    for taxonomy, base in ((parse_taxonomy(SCHEMA.replace("money", "food")), "tiny"), (TOY, "base/other")):
        with pytest.raises(ArtefactError, match="another taxonomy or base"):
            read_teacher(str(tagger), fresh(), taxonomy, base)
    with pytest.raises(ArtefactError, match=r"weights of encoder\.embeddings\.\S+ are not where they were expected"):
        read_teacher(str(tagger), network(layers=2))
    student = {"data": {"corpus": []}, "distil": {"teacher": str(tagger), "layers": [0]}, "run": "elsewhere", "output": str(tagger)}
    with pytest.raises(UsageError, match=r"output = .* is the teacher"):
        require_own_folders(TrainConfig.model_validate(student))


def test_unlabelled_texts_need_a_teacher(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text('[data]\ncorpus = ["rows"]\n[[data.extra_unlabelled]]\npath = "texts.jsonl"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"add a \[distil\] table"):
        load_config(path)
    with pytest.raises(UsageError, match=r"distil\.layers: .*from the lowest to the highest"):
        load_config(path, {"distil.teacher": "runs/small", "distil.layers": [0, 3, 3]})
    assert load_config(path, {"distil.teacher": "runs/small", "distil.layers": [0]}).data.extra_unlabelled[0].column == "text"


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_no_text_kept_for_measuring_or_labelled_already_is_learnt_from_without_labels(tmp_path: Path) -> None:
    splits = {"Somos ocho.": "train", "Somos nueve.": "validation", "Somos diez.": "test"}
    rows = [
        {"id": text, "lang": "es", "role": "agent", "text": text, "labels": {"sentiment": "neutral", "traits": []}, "split": split}
        for text, split in splits.items()
    ]
    kept = write(tmp_path / "dev.jsonl", [{"text": "Queda para medir"}])
    free = [{"body": text} for text in (*splits, "queda PARA medir!", "Nuevo uno", "Nuevo dos", "nuevo, dos", "", "Nuevo tres")]
    source = UnlabelledConfig(path=write(tmp_path / "free.jsonl", free), column="body")
    config = DataConfig(corpus=[write(tmp_path / "rows.jsonl", rows)], exclude=[kept], extra_unlabelled=[source])
    found = prepare(config, load_taxonomy())
    assert {example.text.casefold().replace(",", "") for example in found.unlabelled} == {"nuevo uno", "nuevo dos", "nuevo tres"}
    assert len(found.unlabelled) == found.counts["unlabelled"] == 3
    assert all(example.labels == {} for example in found.unlabelled)
    assert "free.jsonl" in found.files


def test_the_configuration_of_the_tiny_tagger_reads_nothing_kept_for_measuring() -> None:
    config = load_config(ROOT / "configs/tiny.toml")
    assert config.distil is not None
    data = config.data
    read = [*data.corpus, *data.extra_train, *(source.path for source in (*data.extra_partial, *data.extra_unlabelled))]
    read += [path for source in data.extra_labels for path in source.texts]
    assert len(read) > 15
    assert not [path for path in read if "eval/" in path or "dev." in path or "bank_tweets" in path]
    assert data.exclude == load_config(ROOT / "configs/small.toml").data.exclude


def test_a_tagger_is_not_written_over_the_base_it_goes_on_from(tmp_path: Path) -> None:
    config = {"data": {"corpus": []}, "model": {"base": str(tmp_path / "tagger")}, "output": str(tmp_path / "x" / ".." / "tagger")}
    with pytest.raises(UsageError, match=r"output = .* is the base"):
        run(TrainConfig.model_validate(config))


def test_a_whole_run_says_where_its_tagger_comes_from(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclamo.training.run.require_parity", lambda figures: None)  # random toys are no matter of precision
    (tmp_path / "toy.toml").write_text(SCHEMA, encoding="utf-8")
    rows = []
    for number, text in enumerate(texts(24, seed=5)):
        labels = {"mood": "bad" if "nadie" in text.text else "good", "topics": []}
        split = "validation" if number % 4 == 0 else "train"
        rows.append({"id": str(number), "lang": "es", "text": text.text, "split": split, "labels": labels})
    teacher = TaggerNetwork(load_base(tiny_base)[0], TOY.n_logits)
    write_checkpoint(tmp_path / "big", teacher)
    described = {
        "data": {
            "corpus": [write(tmp_path / "rows.jsonl", rows)],
            "extra_unlabelled": [{"path": write(tmp_path / "free.jsonl", [{"text": example.text} for example in texts(20, seed=6)])}],
        },
        "model": {"name": "small", "base": str(tiny_base), "vocabulary": None, "taxonomy": str(tmp_path / "toy.toml"), "compress": False},
        "optim": {"epochs": 1, "threads": 1, "precision": "fp32", "tokens_per_batch": 256},
        "ngrams": {"enabled": False},
        "distil": {"teacher": str(tmp_path / "big"), "layers": [1], "blend": 0.5},
        "run": str(tmp_path / "run"),
        "output": str(tmp_path / "tagger"),
    }
    artefact = run(TrainConfig.model_validate(described))
    config = tmp_path / "student.toml"
    places = f"run = {json.dumps(described['run'])}\n[data]\ncorpus = []\n[distil]\nteacher = {json.dumps(str(tmp_path / 'big'))}\n"
    settings = '[optim]\nepochs = 1\nthreads = 1\nprecision = "fp32"\ntokens_per_batch = 256\n'
    config.write_text(f"{places}layers = [1]\n{settings}", encoding="utf-8")
    student = TaggerNetwork(load_base(tiny_base)[0], TOY.n_logits)
    again = read_teacher(str(config), student)
    assert again.name == "tagger", "a student can teach in its turn"
    best = read_best(tmp_path / "run" / "checkpoint")
    assert best is not None
    assert torch.allclose(again.network.attention.weight, (best["attention.weight"] + teacher.attention.weight) / 2, atol=1e-6)
    assert not torch.allclose(again.network.attention.weight, best["attention.weight"], atol=1e-4)
    training = artefact.manifest.training
    assert training["distilled_from"]["name"] == "big"
    assert len(training["distilled_from"]["weights_sha256"]) == 64
    assert read_state(tmp_path / "run" / "checkpoint")["blends"] is True
    broken = described | {"data": {"corpus": [str(tmp_path / "nowhere.jsonl")]}}
    with pytest.raises(CorpusError):
        run(TrainConfig.model_validate(broken))
    assert (tmp_path / "run" / FINISHED).is_file(), "a run that cannot begin leaves the finished one alone"
    assert training["examples"] == {"train": 18, "validation": 6, "partial": 0, "unlabelled": 20}
    goes_on = described | {"run": str(tmp_path / "on"), "output": str(tmp_path / "later")}
    goes_on["distil"] = {"teacher": str(tmp_path / "big"), "layers": [1], "start": str(tmp_path / "run"), "blend": 1.0}
    later = run(TrainConfig.model_validate(goes_on))
    assert later.manifest.training["distilled_from"]["start_sha256"] == again.fingerprint
    assert hash_weights(read_finished(tmp_path / "on") or {}) == again.fingerprint, "all of the blend is what it started from"
    network = artefact.path / "network.xml"
    assert "layer.0" in network.read_text(encoding="utf-8")
    assert "layer.1" not in network.read_text(encoding="utf-8")


def test_weights_stay_in_16_bits_where_8_would_change_the_answers(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The parity gate sees a network of 8 bits that is off, then one that is not."""
    asked: list[str] = []

    def parity(network: TaggerNetwork, artefact: Artefact, texts: list[str]) -> dict[str, float]:
        asked.append(artefact.manifest.precision)
        off = 0.04 if artefact.manifest.precision.startswith("int8") else 0.001
        return {"mean": off, "max": off, "logits": off, "texts": float(len(texts))}

    monkeypatch.setattr("reclamo.training.run.parity", parity)
    (tmp_path / "toy.toml").write_text(SCHEMA, encoding="utf-8")
    rows = [
        {"id": e.id, "lang": "es", "text": e.text, "labels": {"mood": "bad" if "nadie" in e.text else "good"}} for e in texts(40, seed=5)
    ]
    described = {
        "data": {"corpus": [write(tmp_path / "rows.jsonl", rows)]},
        "model": {"base": str(tiny_base), "vocabulary": None, "taxonomy": str(tmp_path / "toy.toml")},
        "optim": {"epochs": 1, "threads": 1, "precision": "fp32", "tokens_per_batch": 256},
        "ngrams": {"enabled": False},
        "run": str(tmp_path / "run"),
        "output": str(tmp_path / "tagger"),
    }
    artefact = run(TrainConfig.model_validate(described))
    assert asked == ["int8 weights", "fp16 weights"]
    assert artefact.manifest.precision == "fp16 weights"
    assert open_artefact(tmp_path / "tagger").manifest.metrics["parity"]["mean"] == 0.001
    assert "off by 0.0400 on the mean: the weights are kept in 16 bits" in caplog.text
