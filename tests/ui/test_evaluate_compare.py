"""Compare and Combine through AppTest: who is better in words, the images, and runs put together."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs, workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.runs.run import delete_run, list_runs, open_run
from bloodapp.train import members
from bloodapp.ui.evaluate import page as evaluate_page
from tests.evaluate.test_compare import flip
from tests.made import forget_dataset_of, give_model, make_run
from tests.ui.conftest import IdleRunner, words

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"


@pytest.fixture
def two(tiny: Dataset) -> tuple[str, str]:
    """Two runs on the same split, the first better by twelve test images, and a third."""
    make_run(tiny, "third")
    make_run(tiny, "one", right=(1.0, 0.5))
    flip(make_run(tiny, "other", right=(1.0, 0.5)), 12)
    return "one", "other"


@pytest.mark.usefixtures("nothing_shipped")
def test_one_run_alone_is_told_what_to_do(tiny: Dataset, open_page: Open) -> None:
    """Nothing to compare with: a sentence and the way to Train."""
    make_run(tiny, "one")
    page = open_page(PAGE, dataset="tiny", run="one", view="compare")
    assert not page.exception and "No other run to compare with" in words(page)


def test_the_newest_other_run_is_compared_at_once(two: tuple[str, str], open_page: Open) -> None:
    """Who is better, by how much, on how many images; the images with both answers; the choice is in the address."""
    page = open_page(PAGE, dataset="tiny", run="one", view="compare")
    assert not page.exception
    text = words(page)
    assert "one is better than other by" in text and "p &lt; 0.001" in text
    assert "in the test part of both, so that none has learned from them" in text
    assert text.count('class="versus"') == 12 and text.count('class="wrong"') == 12
    page.multiselect("against-one").set_value(["third", "other"]).run()
    assert page.query_params["against"] == "third,other" and not page.exception
    assert "after Holm’s correction" in words(page) and "Cochran’s Q" in words(page)
    page.multiselect("against-one").set_value([]).run()
    assert "Choose a run to compare this one with" in words(page) and page.query_params["against"] == "-"


def test_kinds_of_disagreement_are_in_the_address(two: tuple[str, str], open_page: Open) -> None:
    """Both wrong, all images that nobody learned from, under the shift: a link opens them."""
    address = {
        "against": "other",
        "against_right": "second",
        "against_on": "held",
        "against_shift": "shifted",
    }
    page = open_page(PAGE, dataset="tiny", run="one", view="compare", **address)
    assert not page.exception
    assert "There is no such image." in words(page) and "in test or validation of both" in words(page)


def test_what_both_name_wrongly_alike_goes_to_review(tiny: Dataset, open_page: Open) -> None:
    """One button flags these images, and it is said; two runs that answer alike agree on every mistake."""
    one = make_run(tiny, "one", right=(0.5, 0.5))
    make_run(tiny, "other", right=(0.5, 0.5))
    given = one.predictions()
    assert given is not None
    wrong = given.index[(given.part == "test") & (given.probabilities.argmax(1) != given.label)]
    page = open_page(
        PAGE, dataset="tiny", run="one", view="compare", against="other", against_right="neither"
    )
    assert f"Both are wrong, {len(wrong)}" in page.segmented_control("choice-against_right").options[2]
    page.button("against-flag").click().run()
    assert not page.exception and f"{len(wrong)} images flagged for Review." in words(page)
    assert set(np.flatnonzero(judge(tiny).flagged)) == set(wrong.tolist())


def test_runs_without_a_shared_image(tiny: Dataset, open_page: Open) -> None:
    """A sentence that says what to do, and what both scored on another dataset where both were judged."""
    one, other = make_run(tiny, "one"), make_run(tiny, "other")
    other.split().assign(part="train").to_parquet(other.folder / "split.parquet")
    for run in (one, other):
        job = jobs.submit("evaluate", {"run": run.name, "source": "slide"})
        figures = {"source": "slide", "n": 50, "accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95}
        workspace.write_json(job.folder / "evaluation.json", figures)
        with job.held():
            job.write_status({"state": "done"})
    page = open_page(PAGE, dataset="tiny", run="one", view="compare", against="other")
    assert not page.exception and "the same seed and shares" in page.error[0].value
    assert "Judged on other images" in words(page) and words(page).count("<td>slide</td>") == 2


def test_a_run_of_another_dataset_is_not_offered(tiny: Dataset, open_page: Open) -> None:
    """Its rows are other images."""
    make_run(tiny, "one"), make_run(tiny, "other")
    forget_dataset_of(open_run("other"))
    make_run(tiny, "third")
    page = open_page(PAGE, dataset="tiny", run="one", view="compare")
    assert page.multiselect("against-one").options == ["third"]


@pytest.mark.usefixtures("nothing_shipped")
def test_two_runs_are_put_together(tiny: Dataset, open_page: Open, idle_runner: IdleRunner) -> None:
    """What it will be judged on and cost, one button, progress; afterwards it stands beside its members."""
    for seed, name in enumerate(("one", "other")):
        give_model(make_run(tiny, name, size=32), seed=seed)
    page = open_page(PAGE, dataset="tiny", run="one", view="combine")
    assert not page.exception and "One run alone" in words(page)
    assert page.button("combine-start").disabled
    page.multiselect("combine-members-one").set_value(["one", "other"]).run()
    assert "about 2 times as long" in words(page) and "that none of them has learned from" in words(page)
    page.toggle("combine-flips").set_value(True).run()
    assert "about 16 times as long" in words(page)
    assert page.query_params["members"] == "one,other" and page.query_params["turned"] == "yes"
    page.toggle("combine-flips").set_value(False).run()
    page.button("combine-start").click().run()
    assert not page.exception and idle_runner.woken == 1
    whole = next(run for run in list_runs() if run.combined)
    assert whole.state() == "queued" and whole.config["combined"]["members"] == ["one", "other"]
    assert jobs.step() and open_run(whole.name).state() == "done"
    page = open_page(PAGE, dataset="tiny", run=whole.name, view="combine")
    assert not page.exception
    assert "Beside its members" in words(page) and "with the paired 95 % interval" in words(page)
    assert "Put together so far" in words(open_page(PAGE, dataset="tiny", run="one", view="combine"))


VIEWS = tuple(evaluate_page.VIEWS)


@pytest.fixture
def orphan(tiny: Dataset) -> str:
    """A run put together from two, one of which was deleted since."""
    for seed, name in enumerate(("one", "other")):
        give_model(make_run(tiny, name, size=32), seed=seed)
    members.start(members.plan([open_run("one"), open_run("other")]), name="whole")
    assert jobs.step() and open_run("whole").state() == "done"
    delete_run(open_run("other"))
    return "whole"


def test_a_combined_run_outlives_its_members(orphan: str, open_page: Open) -> None:
    """What is missing is said in a sentence, the other member still stands there, and every view is drawn."""
    for view in VIEWS:
        page = open_page(PAGE, dataset="tiny", run=orphan, view=view)
        assert not page.exception and not page.error, view
        if view == "combine":
            assert "other was deleted" in words(page) and "<td>one</td>" in words(page)
        if view == "curves":
            assert "has not learned by itself" in words(page)


def test_train_says_what_a_combined_run_is(tiny: Dataset, open_page: Open) -> None:
    """Its members in place of settings, and where to combine anew; nothing of epochs."""
    for seed, name in enumerate(("one", "other")):
        give_model(make_run(tiny, name, size=32), seed=seed)
    whole = members.start(members.plan([open_run("one"), open_run("other")], flips=True), name="whole")
    page = open_page("pages/3_Train.py", dataset="tiny", run="whole")
    assert not page.exception
    assert "2 runs, average, test-time augmentation" in words(page) and "its members may be deleted" in words(
        page
    )
    with whole.job.held():
        whole.job.write_status({"state": "stopped"})
    page = open_page("pages/3_Train.py", dataset="tiny", run="whole")
    assert "its members are as they were" in words(page) and "epoch" not in words(page).split("run-row")[0]
    assert json.loads((whole.folder / "config.json").read_text())["combined"]["tta"] is True
