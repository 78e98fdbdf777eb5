"""Artefacts: audited before they are built, no pickle anywhere."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from reclamo.artefact import open_artefact
from reclamo.artefact.store import AUDITED, BUNDLED, clear
from reclamo.engine.tagger import load
from reclamo.errors import ArtefactError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tiny_tagger: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_tagger, tmp_path / "tagger"))


@pytest.mark.parametrize("name", AUDITED)
def test_an_altered_or_missing_file_is_refused(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArtefactError) as caught:
        load(copy)
    assert f"{name} is not the file" in str(caught.value)
    (copy / name).unlink()
    with pytest.raises(ArtefactError, match=re.escape(f"{name} is missing")):
        load(copy)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("format", 1, "format 1"),
        ("colour", "red", "unknown keys: colour"),
        ("taxonomy_sha256", "0", "not the one that the tagger was trained with"),
        ("calibration", {"heads": {}}, "calibration of head 'role'"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, key: str, value: object, says: str) -> None:
    path = copy / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ArtefactError, match=says):
        open_artefact(copy)


def test_no_folder_no_manifest_no_json(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="holds no manifest"):
        open_artefact(tmp_path / "nowhere")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ArtefactError, match="not JSON"):
        open_artefact(tmp_path)


def test_a_folder_of_other_files_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtefactError, match="holds other files"):
        clear(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_card_of_the_tagger_before_goes_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    clear(tmp_path)
    assert not caplog.text
    for name in ("manifest.json", "README.md"):
        (tmp_path / name).write_text("{}")
    clear(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "README.md was of the tagger before" in caplog.text


def test_no_pickle_is_left_in_the_code() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from)\s+(pickle|joblib|dill|cloudpickle)|torch\.(load|save)\(", code, re.M), path


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_tagger_opens_and_tags(name: str) -> None:
    tagger = load(name)
    assert tagger.name == f"{name}@1"
    tags = tagger.tag("Me han cobrado dos veces el mismo recibo y nadie contesta al teléfono. Quiero que me devuelvan el dinero.")
    assert tags.heads["complaint"] is not None
    assert tags.heads["complaint"].value is True
    assert tags.evidence["complaint"]


def test_a_bundled_tagger_goes_by_its_name_unless_a_folder_is_called_so(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_artefact("reclamo-small").path == ROOT / "models" / "reclamo-small"
    copy.rename(tmp_path / "reclamo-small")
    assert open_artefact("reclamo-small").path == Path("reclamo-small")
    with pytest.raises(ArtefactError, match="or one of reclamo-small, reclamo-tiny"):
        open_artefact("reclamo-huge")
