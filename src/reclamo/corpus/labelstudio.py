"""Label Studio: the taxonomy as a labelling configuration, messages as tasks, annotations as labels.

The forms are those of https://labelstud.io/guide/task_format and https://labelstud.io/tags/choices.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from reclamo.corpus.example import META_KEYS, Example, LabelValue
from reclamo.errors import CorpusError
from reclamo.taxonomy import Head, Taxonomy

TEXT: Final = "text"
YES_NO: Final = {"yes": True, "no": False}
NONE: Final = "(none)"  # says: looked at, and none of the labels; without it, an empty answer could not be told from no answer


def labelling_config(taxonomy: Taxonomy, *, lang: str = "en") -> str:
    """Write the labelling configuration (XML): one group of choices a head, shown only where the head is asked.

    Args:
        lang: of the hints, as the taxonomy has them.
    """
    view = ET.Element("View")
    ET.SubElement(view, "Text", name=TEXT, value="$text")
    for head in taxonomy.heads:
        place = view
        for name, value in head.asked_of:
            wanted = value if isinstance(value, str) else "yes" if value else "no"
            place = ET.SubElement(place, "View", visibleWhen="choice-selected", whenTagName=name, whenChoiceValue=wanted)
        ET.SubElement(place, "Header", value=head.name, size="5")
        place.append(_choices(head, lang))
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _choices(head: Head, lang: str) -> ET.Element:
    many = head.kind == "any_of"
    group = ET.Element("Choices", name=head.name, toName=TEXT, choice="multiple" if many else "single", required="true")
    hints = {label.name: label.descriptions.get(lang, "") for label in head.labels}
    if head.kind == "yes_no":
        hints = {"yes": hints[head.names[0]], "no": ""}
    for value, hint in (hints | ({NONE: ""} if many else {})).items():
        ET.SubElement(group, "Choice", {"value": value} | ({"hint": hint} if hint else {}))
    return group


def to_tasks(examples: Sequence[Example], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Make one task a message; labels that it has become a finished annotation.

    The role alone, which messages bring from their source, becomes a prediction: Label Studio shows it as chosen, and asks for the rest.
    A task with an annotation counts as labelled there, and is not shown to anybody any more.
    """
    tasks: list[dict[str, Any]] = []
    for example in examples:
        row = example.to_dict()
        data = {key: row[key] for key in ("id", "lang", "text", "hard", *META_KEYS) if key in row}
        result = [
            {
                "id": f"{example.id}-{head.name}",
                "from_name": head.name,
                "to_name": TEXT,
                "type": "choices",
                "value": {"choices": _chosen(example.labels[head.name])},
            }
            for head in taxonomy.heads
            if head.name in example.labels
        ]
        place = "predictions" if example.labels.keys() == {"role"} else "annotations"
        tasks.append({"data": data, **({place: [{"result": result}]} if result else {})})
    return tasks


def _chosen(value: LabelValue) -> list[str]:
    if isinstance(value, tuple):
        return list(value) or [NONE]
    return [("yes" if value else "no") if isinstance(value, bool) else value]


def read_tasks(path: Path) -> Iterator[tuple[int, Any]]:
    """Give the tasks, with their ordinals, of an export in Label Studio's JSON format (not JSON-MIN).

    Raises:
        CorpusError: the file is no JSON list.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"is not JSON ({error}); export the tasks in the JSON format", path=path) from error
    if not isinstance(tasks, list):
        raise CorpusError(f"is a {type(tasks).__name__}; expected a list of tasks, as the JSON export gives it", path=path)
    yield from enumerate(tasks, 1)


def from_tasks(
    tasks: Iterable[tuple[int, Any]],
    taxonomy: Taxonomy,
    left_out: Counter[str],
    *,
    annotator: str | None = None,
    path: Path = Path("tasks.json"),
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give a row of the corpus form for each annotated task, with its ordinal; count the others in `left_out` by reason.

    Where a task has several annotations, the one marked as ground truth is taken, else the last.

    Raises:
        CorpusError: a task has not the form of Label Studio's JSON export.
    """
    for number, task in tasks:
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise CorpusError("the task has no data; export the tasks in the JSON format, not JSON-MIN", path=path, line=number)
        finished = [one for one in task.get("annotations") or [] if isinstance(one, dict) and not one.get("was_cancelled")]
        theirs = [one for one in finished if annotator is None or annotator in _names(one.get("completed_by"))]
        if not theirs:
            left_out[f"not annotated by {annotator}" if finished else "not annotated"] += 1
            continue
        chosen = next((one for one in theirs if one.get("ground_truth")), theirs[-1])
        name = str(data.get("id") or task.get("id") or number)
        labels = _labels(chosen.get("result") or [], taxonomy, path, number)
        yield number, {**{key: data.get(key) for key in ("lang", "text", "hard", *META_KEYS)}, "id": name, "labels": labels}


def _names(completed_by: Any) -> set[str]:
    """What an annotator may be called: Label Studio gives a number, or an object with id and e-mail."""
    if isinstance(completed_by, dict):
        return {str(completed_by[key]) for key in ("id", "email") if key in completed_by}
    return {str(completed_by)}


def _labels(result: Sequence[Mapping[str, Any]], taxonomy: Taxonomy, path: Path, number: int) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    for region in result:
        head = taxonomy.by_name.get(str(region.get("from_name")))
        if region.get("type") != "choices" or head is None:
            raise CorpusError(f"{region.get('from_name')!r} is no choice of a head of the taxonomy", path=path, line=number)
        chosen = list((region.get("value") or {}).get("choices") or [])
        if head.kind == "any_of":
            if NONE in chosen and len(chosen) > 1:
                raise CorpusError(f"{head.name} has {NONE} and labels beside it: {', '.join(chosen)}", path=path, line=number)
            labels[head.name] = [choice for choice in chosen if choice != NONE]
        elif len(chosen) != 1:
            raise CorpusError(f"{head.name} has {len(chosen)} choices; expected one", path=path, line=number)
        else:
            labels[head.name] = YES_NO.get(chosen[0], chosen[0]) if head.kind == "yes_no" else chosen[0]
    return labels
