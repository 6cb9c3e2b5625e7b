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
from bloodapp.evaluate import target_tried
from tests.evaluate.target_made import Colours, lit
from tests.made import make_run


@pytest.fixture(autouse=True)
def _no_network(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run, a network that sees colours, and light alone as augmentation."""
    make_run(tiny)
    monkeypatch.setattr("bloodapp.classify.predictor.Predictor", lambda run: Colours())
    monkeypatch.setattr(target_tried, "layers", lambda dataset: lit)
    monkeypatch.setattr("bloodapp.evaluate.target_cover.PIPELINES", {})


@pytest.fixture
def folder(tiny: Dataset, tmp_path: Path) -> Path:
    """Twenty-four of its images at half the light, and one that is none."""
    place = tmp_path / "slide"
    place.mkdir()
    for number, image in enumerate(np.asarray(tiny.images)[:24]):
        Image.fromarray(image // 2).save(place / f"{number:02}.png")
    (place / "bad.png").write_text("no picture")
    return place


def test_figures_as_text_csv_and_json(run: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    """The farthest measure, the answers by class; every image ranked once; the JSON says the same."""
    csv, written = tmp_path / "first.csv", tmp_path / "all.json"
    said = run("target", "made", folder, "--csv", csv, "--json", written)
    assert "made and 24 images of slide" in said
    assert "brightness" in said and "Built, strength" in said
    assert "Left out is what comes no nearer" in said and "Apart from the training images as they are" in said
    table = pd.read_csv(csv)
    assert table["rank"].tolist() == list(range(1, 25))
    assert sorted(table["name"]) == [f"{number:02}.png" for number in range(24)]
    content = json.loads(written.read_text())
    assert content["unreadable"][0]["name"] == "bad.png"
    assert content["measures"][0]["level"] == "far"


def test_a_few_images_get_no_verdict(run: Callable[..., str], folder: Path) -> None:
    """Of one picture the class is named, and how many it takes for more; no distance, pipeline, share or accuracy."""
    said = run("target", "made", folder / "00.png")
    assert "Too few images to say how far this microscope is: drop at least 20, better 100." in said
    assert "named" in said and "sure of these" in said
    assert not any(word in said for word in ("apart", "covers", "share", "ccuracy"))


def test_training_images_are_told_from_others(run: Callable[..., str]) -> None:
    """The run's own dataset: it says that it learned from these images."""
    said = run("target", "made", "tiny")
    assert "among the training images" in said
    assert "ccuracy to expect" not in said or "95 % interval" in said


def test_csv_and_json_to_stdout_are_nothing_else(run: Callable[..., str], folder: Path) -> None:
    """With - only the table, or only the JSON, is on stdout."""
    assert len(pd.read_csv(io.StringIO(run("target", "made", folder, "--csv", "-")))) == 24
    assert json.loads(run("target", "made", folder, "--json", "-"))["n"] == 24


def test_mistakes_are_one_line(run: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    """A run, a path and a folder that do not exist: exit 2 before anything is loaded."""
    assert "nobody" in run("target", "nobody", folder, code=2, stream="err")
    assert "nowhere" in run("target", "made", tmp_path / "nowhere", code=2, stream="err")
    assert "does not exist" in run("target", "made", folder, "--csv", "no/x.csv", code=2, stream="err")
