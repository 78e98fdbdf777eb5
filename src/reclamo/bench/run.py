"""One run of the benchmark: every system in a process of its own, asked in turn, round by round."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from reclamo.artefact import open_artefact
from reclamo.bench.machine import busy_share, describe_machine
from reclamo.bench.mixes import Mix, build_mixes, corpus_texts
from reclamo.bench.profile import profile_network
from reclamo.bench.reading import measure_reading
from reclamo.bench.spread import percentile, ratio, spread
from reclamo.bench.systems import BUILDERS, available
from reclamo.bench.work import XLM_R_BASE, NetworkShape, read_shape, total_flops
from reclamo.bench.worker_client import BenchError, Worker
from reclamo.engine.tokens import UnitMaker
from reclamo.errors import UsageError

BASELINE: Final = "pipeline"
LATENCY_TOKENS: Final = (55, 65)
LATENCY_SYSTEMS: Final = ("torch fp32", "torch bf16", "engine")
START_REPEATS: Final = 5
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What to measure.

    Attributes:
        models: folders of taggers; the network of the first is what the other run-times run.
        data: folder of the corpus that messages are drawn from.
        only: names of systems; all that are installed by default.
        messages: of the short mix; the long one has half as many.
        rounds: how often every system is asked.
        threads: of every system.
        least_seconds: a pass over a mix is repeated until so much time has gone.
        singles: messages for the latency of one, per round.
        growth: how many short messages to tag in one stream; 0 leaves that out.
        training: how many examples to train on with both trainers; 0 leaves that out.
    """

    models: tuple[Path, ...]
    data: Path
    only: tuple[str, ...] = ()
    messages: int = 96
    rounds: int = 3
    threads: int = 2
    least_seconds: float = 1.0
    singles: int = 40
    growth: int = 0
    training: int = 0


@dataclass(kw_only=True)
class Contender:
    """One system under measurement, and the seconds of its passes by mix."""

    label: str
    worker: Worker
    shape: NetworkShape
    seconds: dict[str, list[float]] = field(default_factory=dict)
    singles: list[float] = field(default_factory=list)


def run_bench(options: BenchOptions, say: Say) -> dict[str, Any]:
    """Measure everything that the options ask for; give the result as plain data.

    Raises:
        UsageError: an unknown system, or data that no mix can be drawn from.
        BenchError: a system stopped.
    """
    names = options.only or tuple(available())
    unknown = [name for name in names if name not in BUILDERS]
    if unknown:
        raise UsageError(f"there is no system {unknown[0]!r}; expected some of {', '.join(BUILDERS)}")
    units = UnitMaker(options.models[0] / "tokenizer.json", 512)

    def count_tokens(texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in units.tokenizer.encode_batch(list(texts))]

    mixes = build_mixes(options.data, count_tokens, options.messages)
    texts = corpus_texts(options.data)
    near = [text for text, size in zip(texts, count_tokens(texts), strict=True) if LATENCY_TOKENS[0] <= size <= LATENCY_TOKENS[1]]
    result: dict[str, Any] = {"machine": describe_machine(), "settings": _settings(options), "busy": [busy_share()]}
    result["mixes"] = [{"name": mix.name, "messages": len(mix.texts), "mean_tokens": round(mix.mean, 1)} for mix in mixes]
    result |= _side_by_side(options, names, mixes, near, say)
    result["profile"] = profile_network(open_artefact(options.models[0]), options.threads)
    result["start"] = measure_start(options.models[0], say)
    result["reading"] = _reading(options, say)
    result["two_processes"] = _two_processes(options, mixes[0], say)
    result["growth"] = _growth(options, texts, count_tokens, say) if options.growth else None
    result["training"] = _training(options, say) if options.training else None
    result["busy"].append(busy_share())
    return result


def _settings(options: BenchOptions) -> dict[str, Any]:
    plain = asdict(options) | {"models": [open_artefact(model).manifest.label for model in options.models]}
    del plain["data"]
    return plain


def _side_by_side(options: BenchOptions, names: Sequence[str], mixes: list[Mix], near: list[str], say: Say) -> dict[str, Any]:
    with ExitStack() as stack:
        peaks_worker = stack.enter_context(Worker("", options.models[0], options.threads)) if "torch fp32" in available() else None
        contenders = [_start(stack, label, name, model, options, say) for label, name, model in _contenders(options, names)]
        peaks: dict[str, list[float]] = {}
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            if peaks_worker:
                for precision, value in peaks_worker.ask("peaks", threads=options.threads)["peaks"].items():
                    peaks.setdefault(precision, []).append(value)
            for mix in mixes:
                for contender in contenders:
                    answer = contender.worker.ask("texts", texts=mix.texts, least_seconds=options.least_seconds)
                    contender.seconds.setdefault(mix.name, []).append(answer["seconds"])
            for contender in contenders:
                if any(contender.label.startswith(name) for name in LATENCY_SYSTEMS) and near:
                    asked = [near[(number * options.singles + k) % len(near)] for k in range(options.singles)]
                    contender.singles += contender.worker.ask("single", texts=asked)["milliseconds"]
        best = {precision: max(values) for precision, values in peaks.items()}
        return {"peaks_gflops": {k: round(v, 1) for k, v in best.items()}, "systems": _figures(contenders, mixes, best)}


def _contenders(options: BenchOptions, names: Sequence[str]) -> list[tuple[str, str, Path]]:
    first, *others = options.models
    found = [(_label(name, first, options), name, first) for name in names]
    return found + [(_label(name, model, options), name, model) for model in others for name in names if name.startswith("engine")]


def _label(name: str, model: Path, options: BenchOptions) -> str:
    ours = name.startswith("engine")
    return f"{name} ({open_artefact(model).manifest.name})" if ours and len(options.models) > 1 else name


def _start(stack: ExitStack, label: str, name: str, model: Path, options: BenchOptions, say: Say) -> Contender:
    say(f"starting {label}")
    worker = stack.enter_context(Worker(name, model, options.threads))
    shape = XLM_R_BASE if name == BASELINE else read_shape(model / "network.xml", open_artefact(model).taxonomy.n_logits)
    return Contender(label=label, worker=worker, shape=shape)


def _figures(contenders: list[Contender], mixes: list[Mix], peaks: dict[str, float]) -> list[dict[str, Any]]:
    baselines = {c.label: c for c in contenders if c.label in (BASELINE, "torch fp32")}
    found = []
    for contender in contenders:
        row: dict[str, Any] = {
            "name": contender.label,
            "precision": contender.worker.precision,
            "cold_start_seconds": round(contender.worker.cold_start, 2),
            "peak_mib": round(contender.worker.peak_mib),
            "mixes": {mix.name: mix_figures(contender, mix, baselines, peaks) for mix in mixes},
        }
        if contender.singles:
            row["latency_ms"] = {
                "median": round(percentile(contender.singles, 0.5), 1),
                "p99": round(percentile(contender.singles, 0.99), 1),
            }
        found.append(row)
    return found


def mix_figures(contender: Contender, mix: Mix, baselines: dict[str, Contender], peaks: dict[str, float]) -> dict[str, Any]:
    """Turn a contender's seconds on one mix into rates, ratios and its share of the peak of its precision."""
    seconds = contender.seconds[mix.name]
    work = total_flops(contender.shape, mix.lengths)
    figures: dict[str, Any] = {
        "messages_per_second": spread([len(mix.texts) / s for s in seconds]).to_dict(),
        "tokens_per_second": spread([sum(mix.lengths) / s for s in seconds]).to_dict(),
        "useful_gflops": spread([work / s / 1e9 for s in seconds]).to_dict(),
        "times": {name: ratio(seconds, other.seconds[mix.name]).to_dict() for name, other in baselines.items() if other is not contender},
    }
    peak = peaks.get(contender.worker.precision.split(" ")[0])
    if peak:
        figures["of_peak"] = spread([work / s / 1e9 / peak for s in seconds]).to_dict()
    return figures


def measure_start(model: Path, say: Say) -> dict[str, Any]:
    """Time whole commands from a cold process: `--help`, and `tag` of one message."""
    say("start-up of the command")
    row = '{"id": "1", "text": "Llevo tres semanas esperando el reembolso y nadie me contesta."}\n'
    tag = ["tag", "-", "--model", str(model), "--quiet"]
    commands = {"reclamo --help": (["--help"], ""), "reclamo tag, one message": (tag, row)}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(START_REPEATS):
        for name, (arguments, given) in commands.items():
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "reclamo", *arguments], input=given, capture_output=True, text=True, encoding="utf-8", check=False
            )
            found[name].append(time.perf_counter() - started)
            if done.returncode:
                raise BenchError(f"{name} left with {done.returncode}: {done.stderr.strip()}; try the command by hand")
    return {name: spread(values).to_dict() for name, values in found.items()}


def _reading(options: BenchOptions, say: Say) -> dict[str, float] | None:
    inbox = options.data / "samples" / "inbox.mbox"
    if not inbox.exists():
        return None
    say("reading and cleaning mail")
    return {kind: round(rate) for kind, rate in measure_reading(inbox).items()}


def _two_processes(options: BenchOptions, mix: Mix, say: Say) -> dict[str, Any] | None:
    """Two processes with one thread on a core each, against one process with two threads, on the same messages."""
    import os

    cores = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2 or options.threads < 2:
        return None
    say("two processes against one")
    texts, model = list(mix.texts), options.models[0]
    one_times, two_times = [], []
    with ExitStack() as stack:
        one = stack.enter_context(Worker("engine", model, 2))
        pair = [stack.enter_context(Worker("engine", model, 1, [core])) for core in cores]
        for _ in range(max(3, options.rounds)):
            started = time.perf_counter()
            one.ask("texts", texts=texts, least_seconds=0)
            one_times.append(time.perf_counter() - started)
            started = time.perf_counter()
            for number, worker in enumerate(pair):
                worker.tell("texts", texts=texts[number::2], least_seconds=0)
            for worker in pair:
                worker.wait()
            two_times.append(time.perf_counter() - started)
    rates = {"one_process": [len(texts) / s for s in one_times], "two_processes": [len(texts) / s for s in two_times]}
    return {name: spread(values).to_dict() for name, values in rates.items()} | {"times": ratio(two_times, one_times).to_dict()}


def _growth(options: BenchOptions, texts: list[str], count: Callable[[Sequence[str]], list[int]], say: Say) -> list[dict[str, Any]]:
    say(f"one stream of {options.growth} messages")
    short = [text for text, size in zip(texts, count(texts), strict=True) if size <= 24] or sorted(texts, key=len)[:50]
    counts = sorted({options.growth // 10, options.growth // 4, options.growth // 2, options.growth} - {0})
    with Worker("engine, no evidence", options.models[0], options.threads) as worker:
        points: list[dict[str, Any]] = worker.ask("growth", texts=short, counts=counts)["points"]
    return [{**point, "seconds": round(point["seconds"], 2), "mib": round(point["mib"])} for point in points]


def _training(options: BenchOptions, say: Say) -> dict[str, Any]:
    from reclamo.bench.training import TRAINERS

    found: dict[str, list[float]] = {name: [] for name in TRAINERS}
    details = {"model": str(options.models[0]), "data": str(options.data), "examples": options.training, "threads": options.threads}
    for number in range(max(2, options.rounds - 1)):
        for name in TRAINERS:
            say(f"training with {name}, round {number + 1}")
            with Worker("", options.models[0], options.threads) as worker:
                found[name].append(worker.ask("training", trainer=name, **details)["seconds"])
    plain = found["Trainer"]
    return {
        name: {
            "examples_per_second": spread([options.training / s for s in values]).to_dict(),
            "times_trainer": ratio(values, plain).to_dict(),
        }
        for name, values in found.items()
    }
