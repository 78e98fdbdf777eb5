"""Views of a result as tables of text, the same for the terminal, the reports and the card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reclamo.evaluation.schema import ALL, MEAN, Difference, Interval, Result


@dataclass(frozen=True, kw_only=True)
class Table:
    """A title, a remark, column names and rows of text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""

    def plain(self) -> str:
        """Lay it out for a terminal: the first column left, the others right."""
        cells = [list(self.columns), *map(list, self.rows)]
        widths = [max(len(row[k]) for row in cells) for k in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) if k == 0 else cell.rjust(width) for k, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in cells
        ]
        return "\n".join([self.title, *(line.rstrip() for line in lines)])

    def markdown(self) -> str:
        """Lay it out as a Markdown table, with its title and remark above."""
        rows = [self.columns, ["---", *("---:" for _ in self.columns[1:])], *self.rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
        return "\n\n".join(part for part in (f"### {self.title}", self.remark, table) if part)


def number(value: float | None) -> str:
    """Show a score to three places. Examples: 0.91234 -> 0.912; None -> –."""
    return "–" if value is None else f"{value:.3f}"


def with_interval(score: Interval | None) -> str:
    """Show a score with its interval. Example: 0.912 (0.901 to 0.923)."""
    return "–" if score is None else f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


def gap(difference: Difference | None) -> str:
    """Show a difference with its interval, marked where that is clear of 0. Example: +0.081 (+0.052 to +0.110) *."""
    return "–" if difference is None else signed(difference.difference)


def signed(one: Interval) -> str:
    """Show an interval of differences, marked where it is clear of 0. Examples: -0.031 (-0.052 to -0.010) *; +0.004 (-0.002 to +0.010).

    One without width comes of a single scenario, or of none that differs: it says nothing and is not marked.
    """
    clear = (one.low > 0 or one.high < 0) and one.low < one.high
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})" + (" *" if clear else "")


def language_name(language: str) -> str:
    """Show a language. Example: all -> all languages."""
    return "all languages" if language == ALL else language


def mean_table(result: Result, set_name: str) -> Table:
    """The mean over heads of every system in every language of a set."""
    names = [system.name for system in result.systems]
    rows = []
    for language in result.languages(set_name):
        means = [result.mean(name, set_name, language) for name in names]
        difference = result.difference(result.model, result.baseline, set_name, language, MEAN)
        rows.append([language_name(language), *(with_interval(mean.score if mean else None) for mean in means), gap(difference)])
    columns = ["language", *names, f"{result.model} − {result.baseline}"]
    return Table(title=f"Mean over heads, {set_name}", columns=columns, rows=rows)


def head_table(result: Result, set_name: str, language: str) -> Table:
    """Every head of one language: the headline score of every system, the difference, the agreement of annotators."""
    names = [system.name for system in result.systems]
    rows = []
    for head in result.heads(set_name):
        scores = [result.score(name, set_name, language, head) for name in names]
        first = scores[0]
        if first is None:
            continue
        difference = result.difference(result.model, result.baseline, set_name, language, head)
        agreed = result.agreement.get(head)
        rows.append(
            [
                head,
                first.metric.replace("_", "-").replace("f1", "F1"),
                str(first.messages),
                *(number(score.score.value if score else None) for score in scores),
                gap(difference),
                "–" if difference is None or difference.mcnemar_p is None else f"{difference.mcnemar_p:.4f}",
                number(agreed),
                "–" if agreed is None else f"{first.score.value - agreed:+.3f}",
            ]
        )
    columns = ["head", "score", "messages", *names, f"{result.model} − {result.baseline}", "McNemar p", "annotators", "to annotators"]
    return Table(title=f"Heads, {set_name}, {language_name(language)}", columns=columns, rows=rows)


def detail_table(result: Result, set_name: str, language: str) -> Table:
    """Further figures of the model in one language."""
    rows = []
    for head in result.heads(set_name):
        one = result.score(result.model, set_name, language, head)
        if one is not None:
            rows.append(
                [
                    head,
                    with_interval(one.score),
                    number(one.macro_f1),
                    number(one.micro_f1),
                    number(one.average_precision),
                    number(one.quadratic_kappa),
                    number(one.calibration_error),
                    number(one.brier),
                ]
            )
    columns = [
        "head",
        "score (95 % interval)",
        "macro-F1",
        "micro-F1",
        "average precision",
        "quadratic kappa",
        "calibration error",
        "Brier",
    ]
    return Table(title=f"{result.model}, {set_name}, {language_name(language)}", columns=columns, rows=rows)


def label_table(result: Result, set_name: str, language: str) -> Table:
    """Every label of the model in one language, with the baseline's F1 beside it."""
    rows = []
    for head in result.heads(set_name):
        one = result.score(result.model, set_name, language, head)
        other = result.score(result.baseline, set_name, language, head)
        theirs = {label.name: label.f1 for label in other.labels} if other else {}
        for label in one.labels if one else []:
            counts = [str(label.support), str(label.said)]
            figures = [label.precision, label.recall, label.f1, label.average_precision, theirs.get(label.name)]
            rows.append([f"{head}.{label.name}", *counts, *(number(figure) for figure in figures)])
    columns = ["label", "have it", "said", "precision", "recall", "F1", "average precision", f"F1 of {result.baseline}"]
    return Table(title=f"Labels, {set_name}, {language_name(language)}", columns=columns, rows=rows)


def end_to_end_table(result: Result, set_name: str) -> Table:
    """The any-of heads whose yes/no head was predicted."""
    keys = dict.fromkeys((one.head, one.language) for one in result.end_to_end if one.set == set_name)
    names = [system.name for system in result.systems]
    rows = []
    for head, language in keys:
        found = {one.system: one for one in result.end_to_end if (one.set, one.head, one.language) == (set_name, head, language)}
        messages = next(iter(found.values())).messages
        scores = [with_interval(found[name].score if name in found else None) for name in names]
        rows.append([f"{head}, {language_name(language)}", str(messages), *scores])
    return Table(title=f"End to end, {set_name} (micro-F1)", columns=["head", "messages", *names], rows=rows)


def slice_table(result: Result, set_name: str) -> Table:
    """The mean over heads on every slice, of every system."""
    names = [system.name for system in result.systems]
    keys = dict.fromkeys((one.kind, one.value, one.messages) for one in result.slices if one.set == set_name)
    by_key = {(one.system, one.kind, one.value): one.mean for one in result.slices if one.set == set_name}
    rows = [[f"{kind}: {value}", str(n), *(number(by_key.get((name, kind, value))) for name in names)] for kind, value, n in keys]
    return Table(title=f"Slices, {set_name} (mean over heads)", columns=["slice", "messages", *names], rows=rows)


GREEKLISH_REMARK = (
    "The Greek messages of the set, and the same written in Latin letters as one person each would write them. Detected: the share of "
    "the latter whose language is found to be Greek. The difference has a paired 95 % interval; * marks one clear of 0."
)


def greeklish_table(result: Result, set_name: str) -> Table:
    """The mean over heads of every system on Greek in both alphabets."""
    rows = []
    for one in result.greeklish:
        if one.set == set_name:
            shown = [number(one.greek), number(one.greeklish), signed(one.difference), number(one.detected)]
            rows.append([one.system, str(one.messages), *shown])
    columns = ["system", "messages", "Greek letters", "Greeklish", "Greeklish − Greek letters", "detected"]
    return Table(title=f"Greek in Latin letters, {set_name} (mean over heads)", remark=GREEKLISH_REMARK, columns=columns, rows=rows)


FAITHFULNESS_REMARK = (
    "Comprehensiveness: the fall of the answer's probability when the words with the most evidence are deleted, more is better. "
    "Sufficiency: the fall when all others are, less is better. Both are averaged over five shares of the words, from a hundredth to "
    "a half (DeYoung et al., ERASER), beside as many words drawn at random, on messages drawn from the set."
)


def faithfulness_table(result: Result, set_name: str, *, brief: bool = False) -> Table:
    """What deleting the evidence does, by head and language; in brief, the heads of all languages and the means of each."""
    languages = result.languages(set_name)
    rows = []
    for one in result.faithfulness:
        if one.set == set_name and (not brief or one.head == MEAN or one.language == languages[-1]):
            times = "–" if one.times_random is None else f"{one.times_random:.2f}"
            fall = [number(one.comprehensiveness), number(one.random_comprehensiveness), times]
            rest = [number(one.sufficiency), number(one.random_sufficiency)]
            head = "mean over heads" if one.head == MEAN else one.head
            rows.append([f"{head}, {language_name(one.language)}", str(one.answers), *fall, *rest])
    columns = ["head", "answers", "comprehensiveness", "of random words", "times random", "sufficiency", "of random words"]
    return Table(title=f"Faithfulness of the evidence, {set_name}", remark=FAITHFULNESS_REMARK, columns=columns, rows=rows)


BEHAVIOUR_REMARK = (
    "Invariance: no probability may move by more than 0.2. Direction: the named one must move the right way. The word lists of a lexicon "
    "and these cases come from the same authors, so that its share of functionality and direction says less than that of the others."
)


def behaviour_tables(result: Result) -> Iterator[Table]:
    """The share of behavioural cases passed: by kind and language, and by capability over all languages."""
    names = [system.name for system in result.systems]
    for title, by_language in (("Behavioural tests by language", True), ("Behavioural tests by capability", False)):
        cases: dict[str, int] = {}
        passed: dict[tuple[str, str], int] = {}
        for one in result.behaviour:
            row = f"{one.kind}, {one.language}" if by_language else f"{one.kind}: {one.capability}"
            cases[row] = cases.get(row, 0) + (one.cases if one.system == result.model else 0)
            passed[row, one.system] = passed.get((row, one.system), 0) + one.passed
        rows = [[row, str(n), *(number(passed.get((row, name), 0) / n) for name in names)] for row, n in cases.items() if n]
        yield Table(
            title=f"{title} (share passed)", remark=BEHAVIOUR_REMARK if by_language else "", columns=["tests", "cases", *names], rows=rows
        )


def cost_table(result: Result) -> Table:
    """What each system costs."""
    rows = [
        [
            system.name,
            system.description,
            f"{system.cost.messages_per_second:.1f}",
            "–" if system.cost.start_seconds is None else f"{system.cost.start_seconds:.2f}",
            "–" if system.cost.megabytes is None else f"{system.cost.megabytes:.1f}",
        ]
        for system in result.systems
    ]
    return Table(
        title="Systems and their cost", columns=["system", "what it is", "messages a second", "start-up (s)", "megabytes"], rows=rows
    )


def check_table(result: Result) -> Table:
    """What the coded checks found."""
    words = {"alarm": "ALARM", "silent": "silent", "not_applicable": "not applicable"}
    rows = [[one.check.replace("_", " "), words[one.status], "; ".join(one.findings) or "–"] for one in result.checks]
    return Table(title="Checks", columns=["check", "outcome", "findings"], rows=rows)


def set_tables(result: Result, set_name: str) -> Iterator[Table]:
    """All tables of one set."""
    yield mean_table(result, set_name)
    for language in reversed(result.languages(set_name)):
        yield head_table(result, set_name, language)
    end_to_end = end_to_end_table(result, set_name)
    if end_to_end.rows:
        yield end_to_end
    for language in reversed(result.languages(set_name)):
        yield detail_table(result, set_name, language)
        yield label_table(result, set_name, language)
    for table in (slice_table(result, set_name), greeklish_table(result, set_name), faithfulness_table(result, set_name)):
        if table.rows:
            yield table
