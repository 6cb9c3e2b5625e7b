"""Saved pipelines: kept by name, one file, offered to whoever reads a pipeline's text."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bloodapp.augment.pipelines import resolve, text
from bloodapp.augment.saved import FILE, delete_pipeline, save_pipeline, saved_pipelines, set_aside
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound, PipelineError, Unreadable
from bloodapp.train.launch import start
from tests.train.test_fit import TINY, train


def test_a_saved_pipeline_is_a_name_from_then_on(home: Path) -> None:
    """Saved, it stands for its text, also inside another; replaced, for the new one; deleted, for nothing."""
    assert saved_pipelines() == {}
    save_pipeline("mine", "flip|rotate(15)")
    assert text(resolve("mine|noise(4)")) == "flip|rotate(15)|noise(4)"
    save_pipeline("mine", "flip")
    assert text(resolve("mine")) == "flip"
    delete_pipeline("mine")
    with pytest.raises(PipelineError, match="can't find 'mine'"):
        resolve("mine")
    with pytest.raises(NotFound):
        delete_pipeline("mine")


@pytest.mark.parametrize(
    "name", ["", "two words", "1st", "a-b", "x" * 41, "robust", "flip", "image", "mirror", "äö|"]
)
def test_names_that_mean_something_else_are_refused(home: Path, name: str) -> None:
    """A name that a text could not carry, or that means something there already, is not taken."""
    with pytest.raises(InvalidValue):
        save_pipeline(name, "flip")
    assert saved_pipelines() == {}


def test_a_pipeline_that_names_itself_cannot_be_read(home: Path) -> None:
    """A text that leads back to its own name is told, not followed for ever."""
    save_pipeline("loop", "flip|loop")
    with pytest.raises(PipelineError, match="loop"):
        resolve("loop")


def test_saving_at_once_loses_nothing(home: Path) -> None:
    """Twelve savers at a time, as in many tabs: every pipeline is there afterwards."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda k: save_pipeline(f"mine{k}", f"rotate({k})"), range(12)))
    assert saved_pipelines() == {f"mine{k}": f"rotate({k})" for k in range(12)}


def test_a_damaged_file_is_put_aside_and_kept(home: Path) -> None:
    """A file that is no JSON is told; put aside it stays beside, and saving works again."""
    (home / FILE).write_text('{"pipelines": {"mine": "fl')
    with pytest.raises(Unreadable):
        saved_pipelines()
    set_aside()
    assert saved_pipelines() == {}
    assert (home / "pipelines.damaged.json").read_text().endswith('"fl')
    save_pipeline("mine", "flip")
    assert saved_pipelines() == {"mine": "flip"}


def test_a_run_trains_with_the_text_that_it_began_with(tiny: Dataset) -> None:
    """A saved pipeline that is deleted while a run waits changes nothing about the run."""
    save_pipeline("mine", "flip")
    run = start(tiny, replace(TINY, pipeline="mine", epochs=1))
    delete_pipeline("mine")
    train(run)
    assert run.finished
    assert run.config["recipe"]["pipeline"] == "mine"
    assert run.config["pipeline"] == "flip"
