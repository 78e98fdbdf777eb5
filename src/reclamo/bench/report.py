"""The page of a benchmark: every figure from the result, none typed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from reclamo.bench.plot import plot

BUSY: Final = 0.3
Cells = Sequence[str]


def write_report(result: dict[str, Any], path: Path) -> None:
    """Write the page, and its plot beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = path.with_suffix(".svg")
    picture.write_text(plot(result), encoding="utf-8")
    path.write_text(render(result, picture.name), encoding="utf-8")


def render(result: dict[str, Any], picture: str) -> str:
    """Give the page as Markdown."""
    sections = [
        _head(result), f"![messages a second by system]({picture})\n", *_speed(result), _peaks(result), _profile(result), _single(result),
        _start(result), _reading(result), _two(result), _growth(result), _training(result),
    ]  # fmt: skip
    return "\n".join(section for section in sections if section).rstrip("\n") + "\n"


def table(header: Cells, rows: Sequence[Cells]) -> str:
    """Give a Markdown table: the first column to the left, all others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float) -> str:
    """Write a number with three significant figures, whole from 100 up. Examples: 0.1234 -> 0.123, 1234.5 -> 1,234."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def between(figure: dict[str, float] | None, unit: str = "") -> str:
    """Write a spread. Example: 31.2 (28 to 33)."""
    if figure is None:
        return "–"
    value, low, high = (number(figure[name]) for name in ("value", "low", "high"))
    return f"{value}{unit}" if low == high else f"{value}{unit} ({low} to {high})"


def share(figure: dict[str, float] | None) -> str:
    """Write a share in per cent. Example: 0.345 -> 34 %."""
    return "–" if figure is None else f"{100 * figure['value']:.0f} %"


def _head(result: dict[str, Any]) -> str:
    machine, settings = result["machine"], result["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    busy = [value for value in result["busy"] if value is not None]
    loaded = bool(busy) and busy[0] > BUSY
    noise = " Other work ran on the same cores meanwhile: trust the ratios, taken within a round, not the rates." if loaded else ""
    return f"""# Performance

Written by `reclamo bench`, which runs everything below in one run on one machine; run it on yours.

Machine: {machine["processor"]}, {machine["cores"]} cores ({", ".join(machine["instructions"]) or "no vector extensions known"}), \
{machine["memory_gib"]} GiB, {machine["system"]}, Python {machine["python"]}; {versions}. {settings["threads"]} threads for every system.

Each system runs in a process of its own and answers the same messages, tokenising included, {settings["rounds"]} times in turn; the \
median is given, with the least and the largest. A pass is repeated until a second has gone.{noise}

`pipeline` is a Hugging Face text-classification pipeline around XLM-R base (random weights, the tagger's tokenizer, float32, batches of \
16 sorted by length), which gives three labels. `torch`, `onnxruntime` and `openvino` run the network of \
{settings["models"][0]} with weights of full width, random ones, batched as the engine does it, and give logits. `engine` is \
`tagger.tag_many` as shipped, from text to tags with probabilities and evidence.
"""


def _speed(result: dict[str, Any]) -> list[str]:
    return [_mix_section(result, mix) for mix in result["mixes"]]


def _mix_section(result: dict[str, Any], mix: dict[str, Any]) -> str:
    rows = []
    for row in result["systems"]:
        got = row["mixes"][mix["name"]]
        times = got["times"]
        rows.append(
            [
                row["name"], row["precision"], between(got["messages_per_second"]), number(got["tokens_per_second"]["value"]),
                share(got.get("of_peak")), between(times.get("pipeline")), between(times.get("torch fp32")),
            ]
        )  # fmt: skip
    header = ["system", "computes in", "messages/s", "tokens/s", "of peak", "times the pipeline", "times torch fp32"]
    title = mix["name"] if "tokens" not in mix["name"] else f"{mix['name']} on average"
    return f"## {title[0].upper() + title[1:]} ({mix['messages']} messages, {mix['mean_tokens']} tokens each)\n\n{table(header, rows)}"


def _peaks(result: dict[str, Any]) -> str:
    if not result["peaks_gflops"]:
        return ""
    found = ", ".join(f"{name} {number(value)}" for name, value in result["peaks_gflops"].items())
    return f"""Peaks measured in the same run (GFLOP/s, the best product of two 2,048-square matrices in OpenVINO or torch): {found}. \
"Of peak" is useful work, real tokens' matrix products alone, over the peak of the precision that the system computes in; of \
two, over the peak of the first, which its linear maps compute in.
"""


def _profile(result: dict[str, Any]) -> str:
    lines = [
        f"{name}: " + ", ".join(f"{kind} {100 * part:.0f} %" for kind, part in kinds.items()) for name, kinds in result["profile"].items()
    ]
    return f"Where the time of the shipped network goes, by the run-time's own count: {'; '.join(lines)}.\n"


def _single(result: dict[str, Any]) -> str:
    rows = [
        [row["name"], f"{row['latency_ms']['median']:g}", f"{row['latency_ms']['p99']:g}"]
        for row in result["systems"]
        if "latency_ms" in row
    ]
    return f"## One message at a time (55 to 65 tokens)\n\n{table(['system', 'median ms', '99th percentile ms'], rows)}" if rows else ""


def _start(result: dict[str, Any]) -> str:
    rows = [[name, between(figure)] for name, figure in result["start"].items()]
    cold = [[row["name"], f"{row['cold_start_seconds']:g}", number(row["peak_mib"])] for row in result["systems"]]
    header = ["system", "seconds to a first answer", "most memory, MiB"]
    note = "Of repeated starts: compiled networks and the language model lie in the cache folder after the first.\n"
    return f"## Start-up and memory\n\n{note}\n{table(['command', 'seconds'], rows)}\n{table(header, cold)}"


def _reading(result: dict[str, Any]) -> str:
    if not result["reading"]:
        return ""
    rows = [[kind, number(rate)] for kind, rate in result["reading"].items()]
    return f"## Reading and cleaning alone\n\n{table(['source', 'messages/s'], rows)}"


def _two(result: dict[str, Any]) -> str:
    got = result["two_processes"]
    if not got:
        return ""
    return f"""## Two processes of one thread, or one of two threads

One process: {between(got["one_process"], " messages/s")}. Two, each on a core of its own, sharing the messages: \
{between(got["two_processes"], " messages/s")}; {between(got["times"], " times")} as fast.
"""


def _growth(result: dict[str, Any]) -> str:
    if not result["growth"]:
        return ""
    rows = [[f"{p['messages']:,}", number(p["seconds"]), number(p["messages"] / p["seconds"]), number(p["mib"])] for p in result["growth"]]
    return f"## One long stream of short messages\n\n{table(['messages', 'seconds', 'messages/s so far', 'memory in use, MiB'], rows)}"


def _training(result: dict[str, Any]) -> str:
    if not result["training"]:
        return ""
    rows = [[name, between(got["examples_per_second"]), between(got["times_trainer"])] for name, got in result["training"].items()]
    header = ["trainer", "examples/s", "times the Trainer in float32"]
    note = "One epoch on the same network, messages, loss and frozen word embeddings, each in a fresh process.\n"
    return f"## Training\n\n{note}\n{table(header, rows)}"
