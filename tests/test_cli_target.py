"""`target` on the command line: tables, CSV and JSON; with a network and pipelines that a test decides."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import target_compare
from tests.evaluate.target_made import Colours, lit
from tests.made import make_run


@pytest.fixture(autouse=True)
def _no_network(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run, a network that sees colours, and light alone as augmentation."""
    make_run(tiny)
    monkeypatch.setattr("bloodapp.classify.predictor.Predictor", lambda run: Colours())
    monkeypatch.setattr(target_compare, "_layers", lambda dataset: lit)
    monkeypatch.setattr("bloodapp.evaluate.target_cover.PIPELINES", {})


@pytest.fixture
def folder(tiny: Dataset, tmp_path: Path) -> Path:
    """Twelve of its images at half the light, and one that is none."""
    place = tmp_path / "slide"
    place.mkdir()
    for number, image in enumerate(np.asarray(tiny.images)[:12]):
        Image.fromarray(image // 2).save(place / f"{number:02}.png")
    (place / "bad.png").write_text("no picture")
    return place


def test_figures_as_text_csv_and_json(run: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    """The farthest measure, the answers by class; every image ranked once; the JSON says the same."""
    csv, written = tmp_path / "first.csv", tmp_path / "all.json"
    said = run("target", "made", folder, "--csv", csv, "--json", written)
    assert "made and 12 images of slide" in said
    assert "brightness" in said and "Built, strength" in said
    table = pd.read_csv(csv)
    assert table["rank"].tolist() == list(range(1, 13))
    assert sorted(table["name"]) == [f"{number:02}.png" for number in range(12)]
    content = json.loads(written.read_text())
    assert content["unreadable"][0]["name"] == "bad.png"
    assert content["measures"][0]["level"] == "far"


def test_csv_and_json_to_stdout_are_nothing_else(run: Callable[..., str], folder: Path) -> None:
    """With - only the table, or only the JSON, is on stdout."""
    assert len(pd.read_csv(io.StringIO(run("target", "made", folder, "--csv", "-")))) == 12
    assert json.loads(run("target", "made", folder, "--json", "-"))["n"] == 12


def test_mistakes_are_one_line(run: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    """A run, a path and a folder that do not exist: exit 2 before anything is loaded."""
    assert "nobody" in run("target", "nobody", folder, code=2, stream="err")
    assert "nowhere" in run("target", "made", tmp_path / "nowhere", code=2, stream="err")
    assert "does not exist" in run("target", "made", folder, "--csv", "no/x.csv", code=2, stream="err")
