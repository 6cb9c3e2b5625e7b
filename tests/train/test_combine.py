"""Runs put together: real tiny networks, the mirrors and turns, what is judged, and what cannot be put together."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, Stopped
from bloodapp.evaluate import compare
from bloodapp.runs.run import Run, delete_run, headline, latest_run, open_run
from bloodapp.train import launch, members, reproduce
from bloodapp.train.voting import together
from tests.made import give_model, make_run
from tests.train.trying import TINY, Quiet, train


def made(dataset: Dataset, name: str, seed: int = 0, **more: object) -> Run:
    """A finished run with a small untrained network, for images of 32 pixels."""
    run = make_run(dataset, name, **{"size": 32, **more})
    give_model(run, seed=seed)
    return open_run(name)


def eight(images: np.ndarray) -> list[np.ndarray]:
    """The eight views by NumPy, as they are first."""
    turned = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    return [*turned, *(each[:, :, ::-1] for each in turned)]


def answers(path: Path, images: np.ndarray) -> np.ndarray:
    """What the saved network says, opened in safe mode."""
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return np.asarray(model(images.astype(np.float32), training=False))


def do(run: Run) -> Quiet:
    """Do the run's work in this process."""
    from bloodapp.train.combine import work

    context = Quiet(run)
    work({}, context)
    return context


def test_the_whole_is_what_numpy_says(tiny: Dataset) -> None:
    """The majority of three networks over eight views, to 1e-5, from one file that needs no code of ours."""
    import keras

    how = "majority"
    runs = [made(tiny, f"run-{k}", seed=k) for k in range(3)]
    whole = members.start(members.plan(runs, how, flips=True), name="whole")
    do(whole)
    images = np.asarray(tiny.images[:6, 20:52, 20:52])
    each = [np.stack([answers(run.model_path, view) for view in eight(images)]).mean(0) for run in runs]
    found = answers(whole.model_path, images)
    assert np.abs(found - together(each, how)).max() < 1e-5
    # Turned and mirrored, an image gets the same answer.
    assert np.abs(found - answers(whole.model_path, np.rot90(images, 1, axes=(1, 2))[:, ::-1])).max() < 1e-5
    model = keras.models.load_model(whole.model_path, compile=False, safe_mode=True)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    assert not any(isinstance(layer, keras.Model | keras.layers.Lambda) for layer in model.layers)
    assert whole.model_path.stat().st_size < 4 * sum(run.model_path.stat().st_size for run in runs)


def test_views_are_exact() -> None:
    """All eight, each once, as NumPy turns and mirrors them, to the last digit."""
    import keras

    from bloodapp.train.ensemble import views

    images = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3)).astype(np.float32)
    image = keras.Input((12, 12, 3))
    found = [np.asarray(view) for view in keras.Model(image, views(image))(images)]
    assert len(found) == members.VIEWS and np.array_equal(found[0], images)
    for view in eight(images):
        assert sum(np.array_equal(view, one) for one in found) == 1


def test_a_combined_run_is_a_run_like_any_other(tiny: Dataset) -> None:
    """Real trainings put together: judged on what neither learned from, listed, used, compared, its members gone."""
    from bloodapp.classify.predictor import Predictor

    runs = [
        launch.start(tiny, replace(TINY, epochs=1, learning_rate=rate), name=f"run-{rate:g}")
        for rate in (1e-3, 1e-2)
    ]
    for run in runs:
        train(run)
    plan = members.plan(runs)
    whole = members.start(plan, name="whole", title="Both")
    assert whole.state() == "queued" and whole.job.kind == "combine" and whole.made_of == "2 runs, average"
    context = do(whole)
    assert context.said[-1]["done"] == 1 and "Reading images" in context.said[-1]["text"]
    given, split = whole.predictions(), whole.split()
    assert given is not None and given.shifted is not None
    for run in runs:
        own = run.split()
        assert not set(given.index) & set(own.loc[own["part"] == "train", "index"])
        assert set(own.loc[own["part"] == "train", "index"]) <= set(
            split.loc[split["part"] == "train", "index"]
        )
    assert set(given.index) == set(split.loc[split["part"] != "train", "index"]) == set(plan.kept.index)
    report = whole.report()
    assert report is not None and report["asked"] == 2 and report["test_reads"] == 1 and whole.finished
    assert headline(whole)["accuracy"] == report["parts"][headline(whole)["part"]]["accuracy"]
    told = {run.name: run.predictions() for run in runs}
    for one, name in ((given.probabilities, "probabilities"), (given.shifted, "shifted")):
        both = []
        for each in told.values():
            order = np.argsort(each.index)
            both.append(getattr(each, name)[order[np.searchsorted(each.index[order], given.index)]])
        assert np.abs(one - together(both, "average")).max() < 1e-5
    assert len(compare.shared([whole, *runs])) == len(given)
    for run in runs:
        delete_run(run)
    predictor = Predictor(open_run("whole"))
    images = np.zeros((1, 32, 32, 3), np.uint8)
    assert predictor.predict(images).shape == (1, 8) and predictor.features(images).ndim == 2
    whole.rename("Another"), whole.write_notes("good")
    assert open_run("whole").title == "Another" and latest_run("tiny").name == "whole"
    delete_run(open_run("whole"))


def test_one_run_turned_and_combined_once_more(tiny: Dataset) -> None:
    """One run alone with its eight views; that again with another: answers, features, words and cost."""
    from bloodapp.classify.predictor import Predictor

    one, other = made(tiny, "one", seed=1), made(tiny, "other", seed=2)
    turned = members.start(members.plan([one], flips=True), name="turned")
    do(turned)
    turned = open_run("turned")
    assert turned.made_of == "test-time augmentation" and members.networks(turned) == 8
    both = members.plan([turned, other], "majority")
    assert both.times == 9
    whole = members.start(both, name="whole")
    do(whole)
    images = np.asarray(tiny.images[:3, 20:52, 20:52])
    found = answers(whole.model_path, images)
    each = [answers(run.model_path, images) for run in (turned, other)]
    assert np.abs(found - together(each, "majority")).max() < 1e-5
    # The features are those of the image as it is, also of a network within a network.
    plain = Predictor(one).features(np.asarray(images, np.uint8))
    for run in (turned, open_run("whole")):
        own = Predictor(run).features(np.asarray(images, np.uint8))
        assert np.abs(own[:, : plain.shape[1]] - plain).max() < 1e-5
    assert open_run("whole").made_of == "2 runs, majority"
    with pytest.raises(InvalidValue, match="has test-time augmentation already"):
        members.plan([turned, other], flips=True)


def test_what_cannot_be_put_together_is_said(tiny: Dataset) -> None:
    """One clear sentence each, and no folder."""
    one = made(tiny, "one")
    other = make_run(tiny, "other")
    with pytest.raises(InvalidValue, match="'other' has no finished model"):
        members.plan([one, other])
    with pytest.raises(InvalidValue, match="One run alone"):
        members.plan([one, one])
    with pytest.raises(InvalidValue, match="Choose the runs"):
        members.plan([])
    with pytest.raises(InvalidValue, match="not by 'vote'"):
        members.plan([one], "vote", flips=True)
    small = made(tiny, "small", size=16)
    with pytest.raises(InvalidValue, match="of 32 pixels and 'small' of 16"):
        members.plan([one, small])
    fewer = made(tiny, "fewer", classes=list(tiny.classes[:5]))
    with pytest.raises(InvalidValue, match="different classes"):
        members.plan([one, fewer])
    elsewhere = made(tiny, "elsewhere", fingerprint="0" * 64)
    with pytest.raises(InvalidValue, match="different datasets"):
        members.plan([one, elsewhere])
    with pytest.raises(InvalidValue, match="are not here"):
        members.plan([elsewhere], flips=True)
    learned = made(tiny, "learned")
    learned.split().assign(part="train").to_parquet(learned.folder / "split.parquet")
    with pytest.raises(InvalidValue, match="the same seed and shares"):
        members.plan([one, learned])
    assert latest_run("tiny", finished=False).recipe == "quick"


def test_a_member_is_there_once(tiny: Dataset) -> None:
    """A run beside a whole that holds it, and two wholes that share one, are refused, in either order."""
    one, third = (made(tiny, name, seed) for seed, name in enumerate(("one", "third")))
    first, second = (
        made(tiny, name, combined={"members": inside, "how": "average", "tta": False})
        for name, inside in (("first", ["one", "other"]), ("second", ["other", "gone"]))
    )
    for pair in ([first, one], [one, first]):
        with pytest.raises(InvalidValue, match="'one' would be there twice, as 'first' holds it already"):
            members.plan(pair)
    with pytest.raises(InvalidValue, match="'other' would be there twice"):
        members.plan([first, second])
    assert members.plan([first, third]).times == 3


def test_it_cannot_be_trained_again(tiny: Dataset) -> None:
    """Reproduce, train anew and start from its weights are refused with what to do instead."""
    whole = members.start(members.plan([made(tiny, "one"), made(tiny, "other", seed=1)]), name="whole")
    for refused in (reproduce.start, launch.again, launch.recipe_of):
        with pytest.raises(InvalidValue, match=r"put together .* \(one, other\), or combine them again"):
            refused(whole)


def test_a_member_that_is_gone_is_said(tiny: Dataset) -> None:
    """Deleted between the order and the work: the job fails in one sentence."""
    one, other = made(tiny, "one"), made(tiny, "other", seed=1)
    whole = members.start(members.plan([one, other]), name="whole")
    shutil.rmtree(other.folder)
    assert jobs.perform(whole.job) == "failed"
    assert (
        whole.job.status()["error"]
        == "'other', which was to be combined, is not here any more: start anew without it."
    )


def test_stopped_it_keeps_nothing_and_begins_again(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop while images are read leaves no report; started again it is done."""
    from bloodapp.train import combine

    whole = members.start(members.plan([made(tiny, "one"), made(tiny, "other", seed=1)]), name="whole")
    context = Quiet(whole)
    monkeypatch.setattr(context, "stopped", lambda: True)
    with pytest.raises(Stopped, match="nothing was kept"):
        combine.work({}, context)
    assert not whole.finished and whole.report() is None and whole.predictions() is None
    assert jobs.perform(whole.job) == "done" and whole.finished
