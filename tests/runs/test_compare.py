"""Runs side by side, from their files alone."""

import json

import numpy as np

from bloodapp.data.dataset import Dataset
from bloodapp.runs.compare import curves, differences, judged
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run
from tests.made import make_run


def change_config(run: Run, **changes: object) -> Run:
    """The run with other things in its config.json."""
    path = run.folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return Run(run.folder, json.loads(path.read_text()))


def test_what_sets_runs_apart(tiny: Dataset) -> None:
    """Only fields in which they differ, in words; what decides nothing is left out."""
    recipe = {"name": "quick", "title": "Quick", "why": "because", "learning_rate": 0.001, "grouped": True}
    one = make_run(tiny, "one", recipe=recipe, pipeline="flip")
    two = make_run(
        tiny,
        "two",
        recipe={**recipe, "why": "else", "learning_rate": 0.01, "grouped": False},
        pipeline="flip|rotate(15)",
        versions={"keras": "3.15"},
    )
    table = differences([one, two])
    assert table.to_dict("index") == {
        "learning_rate": {"one": "0.001", "two": "0.01"},
        "grouped": {"one": "yes", "two": "no"},
        "pipeline": {"one": "flip", "two": "flip|rotate(15)"},
        "keras version": {"one": "–", "two": "3.15"},
    }
    three = make_run(tiny, "three", recipe=recipe, pipeline="flip", seed=3)
    assert set(differences([one, three]).index) <= {"train images", "val images", "test images"}
    assert differences([one]).empty and differences([one, one]).empty


def test_curves_stand_by_epoch(tiny: Dataset) -> None:
    """A shorter run has nothing where it had ended; one without the column is left out."""
    one, two = make_run(tiny, "one", epochs=2), make_run(tiny, "two", epochs=4)
    none = make_run(tiny, "none", epochs=0)
    table = curves([one, two, none])
    assert list(table.columns) == ["one", "two"] and table.index.tolist() == [1, 2, 3, 4]
    assert table["one"].isna().tolist() == [False, False, True, True]
    assert curves([one], "no_such").empty


def test_judged_on_the_same_images(tiny: Dataset) -> None:
    """The same images in any order give answers in one order; a pair by pair comparison is then fair."""
    one, two = make_run(tiny, "one", seed=1), make_run(tiny, "two", seed=1, right=(0.5, 0.4))
    found = two.predictions()
    back = slice(None, None, -1)
    assert found is not None and found.shifted is not None
    turned = Predictions(
        found.index[back],
        found.part[back],
        found.label[back],
        found.probabilities[back],
        found.shifted[back],
    )
    write_predictions(two.folder, turned)
    both = judged([one, two])
    assert both.same and both.part == "test" and both.why == ""
    assert np.array_equal(both.answers["two"], found.only("test").probabilities)
    assert np.array_equal(both.shifted["two"], found.only("test").shifted)
    assert np.array_equal(both.labels, found.only("test").label)


def test_judged_otherwise(tiny: Dataset) -> None:
    """Other images, other labels, another dataset, no answers: each is said, and nothing is given to compare."""
    one, other = make_run(tiny, "one", seed=1), make_run(tiny, "other", seed=2)
    told = judged([one, other])
    assert not told.same and told.part == "test" and "of them the same" in told.why and not told.answers
    relabelled = make_run(tiny, "relabelled", seed=1)
    found = relabelled.predictions()
    assert found is not None
    label = np.where(np.arange(len(found)) == np.flatnonzero(found.part == "test")[0], 7, found.label)
    write_predictions(relabelled.folder, Predictions(found.index, found.part, label, found.probabilities))
    assert "1 had another label" in judged([one, relabelled]).why
    elsewhere = change_config(make_run(tiny, "elsewhere", seed=1), fingerprint="0" * 64)
    assert "different datasets" in judged([one, elsewhere]).why
    assert "no answers" in judged([one, make_run(tiny, "failed", state="failed")]).why


def test_judged_on_val_is_said(tiny: Dataset) -> None:
    """Val chose the epochs; and one run's test is never compared with another's val."""
    one, two = (make_run(tiny, name, seed=1, test=False) for name in ("one", "two"))
    told = judged([one, two])
    assert told.same and told.part == "val" and "best epochs were chosen" in told.why
    assert judged([one, make_run(tiny, "tested", seed=1)]).part == "val"
