"""The corpus as a `datasets` data set: its features, declared."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from reclamo.corpus.example import META_KEYS
from reclamo.errors import MissingExtraError
from reclamo.taxonomy import Head, Taxonomy


def hf_features(taxonomy: Taxonomy, *, class_labels: bool = False) -> Any:
    """Declare the `datasets.Features` of the corpus files, for `load_dataset("json", data_files=…, features=…)`.

    A head that a row does not annotate is None there. Such a data set is read back by `reclamo.corpus.readers.from_dataset`.

    Args:
        class_labels: one-of and ordered heads as ClassLabel (integers with names) instead of strings; from_dataset wants strings.

    Raises:
        MissingExtraError: `datasets` is not installed.
    """
    try:
        datasets: Any = import_module("datasets")  # optional, and without type hints
    except ImportError as error:
        raise MissingExtraError("datasets", "train") from error

    text, many = datasets.Value("string"), datasets.Sequence

    def feature(head: Head) -> Any:
        if head.kind == "yes_no":
            return datasets.Value("bool")
        one = datasets.ClassLabel(names=list(head.names)) if class_labels else text
        return many(one) if head.kind == "any_of" else one

    role = {"role": feature(taxonomy.by_name["role"])} if "role" in taxonomy.by_name else {}
    labels = {head.name: feature(head) for head in taxonomy.heads if head.name != "role"}
    plain = dict.fromkeys(("id", "lang", "text"), text)
    return datasets.Features({**plain, **role, "labels": labels, **dict.fromkeys(META_KEYS, text), "hard": many(text)})
