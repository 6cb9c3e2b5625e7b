"""A target drop as a whole: known answers with a network that sees colours, and one real job."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodapp import jobs, workspace
from bloodapp.augment.corruptions import corrupt
from bloodapp.augment.named import PIPELINES
from bloodapp.augment.pipelines import Pipeline, text
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import SourceError, Stopped
from bloodapp.evaluate import target
from bloodapp.evaluate.target_compare import compare
from bloodapp.evaluate.target_source import read_target
from bloodapp.evaluate.target_table import label_dataset, label_table
from bloodapp.runs.run import Run, open_run
from tests.evaluate.target_made import Colours, cells, lit
from tests.made import forget_dataset_of, give_model, make_run

SIDE = 48


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """A run whose dataset holds 120 cells of two classes, a third of them for training."""
    file = tmp_path / "cells.npz"
    np.savez(file, images=cells(120), labels=np.arange(120) % 2)
    return make_run(import_source(file, size=SIDE), "made")


@pytest.fixture(autouse=True)
def few_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the shipped pipelines: each is drawn and measured."""
    few = {name: PIPELINES[name] for name in ("gentle", "r1b")}
    monkeypatch.setattr("bloodapp.evaluate.target_cover.PIPELINES", few)


def learned(run: Run) -> np.ndarray:
    """The images that it learned from."""
    split = run.split()
    return np.asarray(open_dataset(run.dataset).images)[split.loc[split["part"] == "train", "index"]]


def saved(folder: Path, images: np.ndarray) -> Path:
    """Images as PNG in a folder."""
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return folder


def network(run: Run) -> Colours:
    """A network for its images and classes."""
    return Colours(run.size, len(run.classes))


def test_training_images_lie_where_they_lie(run: Run, tmp_path: Path) -> None:
    """The training images against themselves: nothing moved, nobody can tell them apart, and they are known."""
    side, content, arrays = compare(run, saved(tmp_path / "same", learned(run)), network(run), draws=lit)
    assert not any(each["level"] != "near" for each in content["measures"])
    assert max(each["wasserstein"] for each in content["measures"] if each["key"] != "features") < 1e-9
    assert content["distance"]["auc"] == pytest.approx(0.5, abs=0.05)
    assert content["pipelines"] == []
    assert content["training"]["seen"] == len(side) == len(learned(run))
    assert "among the training images" in content["warning"]
    assert [len(arrays[name]) for name in ("target", "probabilities", "order", "names")] == [len(side)] * 4


def test_a_dark_lamp_is_named_first(run: Run, tmp_path: Path) -> None:
    """Half the light: the brightness moved farthest, downwards; all can be told apart; none is known."""
    dark = corrupt(cells(60, seed=3), "brightness_down", 5)
    side, content, _ = compare(run, saved(tmp_path / "dark", dark), network(run), draws=lit)
    of_pixels = [each for each in content["measures"] if each["key"] != "features"]
    assert of_pixels[0]["key"] == "brightness"
    assert of_pixels[0]["effect"] < -1
    assert of_pixels[0]["level"] == "far"
    assert content["distance"]["auc"] > 0.99
    assert content["distance"]["frechet"] > 10 * content["distance"]["reference_frechet"]
    assert (content["training"]["seen"], len(side)) == (0, 60)
    assert content["plain"]["shares"]["brightness"] == 0
    best = content["pipelines"][0]
    assert best["covers"] and best["advised"] and "scaleabs" in best["candidate"]["text"]
    assert best["apart"] < content["plain"]["apart"]
    json.dumps(content, allow_nan=False)


def test_only_what_may_be_advised_is_drawn_on_more(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first look on 16 images, the next batches for the run's own and those that may help: the same advice."""
    folder = saved(tmp_path / "dark", corrupt(cells(60, seed=3), "brightness_down", 5))
    monkeypatch.setattr("bloodapp.evaluate.target_tried.DRAWN", 32)
    whole = compare(run, folder, network(run), draws=lit)[1]["pipelines"]
    monkeypatch.setattr("bloodapp.evaluate.target_tried.FIRST", 16)
    asked: dict[str, list[tuple[int, list[int]]]] = {}

    def counted(images: np.ndarray, pipeline: Pipeline, batches: Sequence[int]) -> np.ndarray:
        asked.setdefault(text(pipeline), []).append((len(images), list(batches)))
        return lit(images, pipeline, batches)

    found = compare(run, folder, network(run), draws=counted)[1]["pipelines"]
    advised = [[each["candidate"]["text"] for each in one if each["advised"]] for one in (whole, found)]
    assert sorted(advised[0]) == sorted(advised[1]) and advised[0]
    twice = {name for name, times in asked.items() if len(times) == 2}
    own = next(each["candidate"]["text"] for each in found if each["candidate"]["kind"] == "own")
    assert {*advised[1], own} <= twice and twice < asked.keys()
    assert all(asked[name] == [(16, [0]), (16, [1])] for name in twice)
    assert all(asked[name] == [(16, [0])] for name in asked.keys() - twice)


def test_what_cannot_be_read_is_named(run: Run, tmp_path: Path) -> None:
    """Two broken files among ten are counted and named, and the ten are compared."""
    folder = saved(tmp_path / "mixed", cells(10))
    (folder / "004b.png").write_text("no picture")
    (folder / "zz.jpg").write_bytes(b"\xff\xd8\xff")
    side, content, _ = compare(run, folder, network(run), draws=lit)
    assert (len(side), content["few"]) == (10, True)
    assert [each["name"] for each in content["unreadable"]] == ["004b.png", "zz.jpg"]


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_to_read_is_a_clear_error(run: Run, tmp_path: Path, number: int) -> None:
    """An empty folder, and one of nothing but a text that calls itself a picture."""
    folder = tmp_path / "none"
    folder.mkdir()
    for each in range(number):
        (folder / f"{each}.png").write_text("no picture")
    with pytest.raises(SourceError, match="none"):
        compare(run, folder, network(run), draws=lit)


def test_of_one_image_only_what_the_run_says_is_told(run: Run, tmp_path: Path) -> None:
    """A single picture: no distance, no pipeline, one answer, one rank; that it is a training image is told."""
    path = saved(tmp_path / "one", cells(1, seed=9)) / "000.png"
    side, content, arrays = compare(run, path, network(run), draws=lit)
    assert len(side) == 1
    assert (content["measures"], content["distance"], content["plain"], content["pipelines"]) == (
        [],
        None,
        None,
        [],
    )
    assert (content["warning"], content["answers"]["accuracy"]) == ("", None)
    assert sum(each["n"] for each in content["answers"]["predicted"]) == 1
    assert arrays["order"].tolist() == [0]


def test_without_the_training_images_the_rest_is_told(run: Run, tmp_path: Path) -> None:
    """A run whose dataset is not here says what it thinks and what to label, and nothing of distances."""
    forget_dataset_of(run)
    elsewhere = open_run("made")
    _, content, arrays = compare(elsewhere, saved(tmp_path / "some", cells(12)), network(run), draws=lit)
    assert content["training"] is None
    assert (content["measures"], content["pipelines"], content["distance"]) == ([], [], None)
    assert sum(each["n"] for each in content["answers"]["predicted"]) == 12
    assert sorted(arrays["order"].tolist()) == list(range(12))


def test_a_large_source_is_sampled_by_the_seed(home: Path, tmp_path: Path) -> None:
    """Of a hundred images thirty are taken, the same each time, others by another seed, each from the whole."""
    folder = saved(tmp_path / "many", cells(100, size=16))
    one, again, other = (read_target(folder, 16, most=30, seed=seed) for seed in (0, 0, 1))
    assert (len(one), one.readable) == (30, 100)
    assert one.names == again.names != other.names
    assert one.index.tolist() == sorted(set(one.index.tolist()))
    assert one.index.max() > 60 and one.index.min() < 40
    rows = [int(name.split(".")[0]) for name in one.names]
    np.testing.assert_array_equal(one.images, cells(100, size=16)[rows])


def test_excluded_images_are_not_asked_about(run: Run) -> None:
    """Of a dataset by its name, what its decisions left out is left out."""
    from bloodapp.data.decisions import record

    dataset = open_dataset(run.dataset)
    record(dataset, range(100), "exclude")
    assert read_target(dataset.name, SIDE).index.tolist() == list(range(100, 120))


def test_it_stops_when_asked(run: Run, tmp_path: Path) -> None:
    """It is asked before each step, and keeps nothing."""
    with pytest.raises(Stopped):
        compare(run, saved(tmp_path / "some", cells(3)), network(run), draws=lit, stopped=lambda: True)


def test_labels_first_as_a_table_and_as_a_dataset(run: Run, tmp_path: Path) -> None:
    """The dataset's rows are the table's first: the same names in the same order, the same pixels, no label."""
    side, _, arrays = compare(run, saved(tmp_path / "some", cells(12, seed=4)), network(run), draws=lit)
    table = label_table(run.classes, arrays)
    dataset = label_dataset("to-label", run.classes, side.images, arrays, 5, {"run": run.name})
    assert table["name"].tolist()[:5] == dataset.items["name"].tolist()
    np.testing.assert_array_equal(dataset.images, side.images[arrays["order"][:5]])
    assert (dataset.labels == -1).all()
    assert dataset.source["run"] == run.name
    assert [each.key for each in dataset.classes] == [each.key for each in run.classes]
    assert table["rank"].tolist() == list(range(1, 13))
    assert set(table["predicted"]) <= {each.key for each in run.classes}


def test_a_real_job(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's function with a real network and the layers that train: files, result, and read back the same."""
    monkeypatch.setattr("bloodapp.evaluate.target_tried.DRAWN", 8)
    run = make_run(tiny)
    give_model(run)
    dark = corrupt(np.asarray(tiny.images)[:24], "brightness_down", 5)
    folder = workspace.claim_folder(workspace.jobs_folder(), "target-upload")
    saved(folder / target.UPLOADED, dark)
    job = target.begin(run, folder / target.UPLOADED, "dark", folder)
    assert jobs.perform(job) == "done"
    assert job.status()["result"]["n"] == 24
    assert not (folder / target.UPLOADED).exists()
    found = target.read(folder)
    assert len(found) == 24
    assert found.moved[0] == "brightness"
    assert found.covers[0].covers(["brightness"])
    np.testing.assert_array_equal(found.images, dark)
    assert [each.id for each in target.drops(run)] == [job.id]
    train, shown = found.column("brightness")
    assert np.median(shown) < np.median(train)
