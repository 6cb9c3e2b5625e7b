"""Evaluate through AppTest: the verdict, the matrix and its images, classes, mistakes, curves, other images."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs, workspace
from bloodapp.charts.confusion import short_name
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.evaluate.evaluate import evaluate_run
from bloodapp.evaluate.job import RESULT
from bloodapp.evaluate.mistakes import confident_mistakes, doubtful_labels
from bloodapp.evaluate.scores import scores
from bloodapp.review.scan import scan
from bloodapp.runs.predictions import write_predictions
from bloodapp.ui.evaluate import images, slices, views
from tests.made import forget_dataset_of, make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"


@pytest.mark.usefixtures("nothing_shipped")
def test_without_a_run_it_says_what_to_do(tiny: Dataset, open_page: Open) -> None:
    """No run, not even one that ships with the app: one sentence and the way to Train."""
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "No finished run yet" in words(page)


def test_clean_and_shifted_stand_side_by_side(tiny: Dataset, open_page: Open) -> None:
    """Both accuracies with their intervals, the number of images, the part and when it was read."""
    run = make_run(tiny)
    figures = evaluate_run(run)
    page = open_page(PAGE, dataset="tiny", run="made")
    assert not page.exception
    text = words(page)
    assert f"<b>{100 * figures['accuracy']:.1f}<em>%</em></b>" in text
    assert f"<b>{100 * figures['shifted_accuracy']:.1f}<em>%</em></b>" in text
    assert f"95 %: {100 * figures['accuracy_low']:.1f} to {100 * figures['accuracy_high']:.1f}" in text
    assert f"{figures['n']} images of the test part. It was read once, after the training, on " in text


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ((0.999, 0.3), "Shifted images cost"),
        ((0.999, 0.999), "no loss can be told from chance"),
        ((0.2, 0.2), "wrong too often"),
    ],
)
def test_the_gap_is_put_honestly(
    tiny: Dataset, open_page: Open, right: tuple[float, float], said: str
) -> None:
    """A clear loss, none that chance could not bring, and a run too poor to ask: three sentences."""
    make_run(tiny, right=right)
    assert said in words(open_page(PAGE, dataset="tiny", run="made"))


def test_a_run_without_the_shift_says_so(tiny: Dataset, open_page: Open) -> None:
    """Without shifted answers there is one figure and no invented gap."""
    run = make_run(tiny)
    write_predictions(run.folder, replace(run.predictions(), shifted=None))
    page = open_page(PAGE, dataset="tiny", run="made", view="classes")
    assert not page.exception
    assert "Not judged on shifted images" in words(page)
    assert "score shifted" not in words(page)


def test_a_validation_part_flatters(tiny: Dataset, open_page: Open) -> None:
    """The other part is one click away, and val is said to have chosen the epoch."""
    make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made")
    page.segmented_control("choice-part").set_value("val").run()
    assert "flatters a little" in words(page)
    assert page.query_params["part"] == "val"


def test_a_test_part_read_again_is_named(tiny: Dataset, open_page: Open) -> None:
    """A second reading of the test part is not hidden."""
    run = make_run(tiny)
    workspace.write_json(run.folder / "report.json", {**run.report(), "test_reads": 3})
    assert "It was read 3 times" in words(open_page(PAGE, dataset="tiny", run="made"))


def test_the_worst_cell_is_open_first(tiny: Dataset, open_page: Open) -> None:
    """The largest confusion shows its images without a click; another cell is one click away."""
    run = make_run(tiny, right=(0.5, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made")
    assert "taken for" in words(page)
    assert "<figure" in words(page)
    rows = run.predictions().only("test")
    right = next(k for k in range(8) if ((rows.label == k) & (rows.probabilities.argmax(1) == k)).any())
    page = open_page(PAGE, dataset="tiny", run="made", cell=f"{right}-{right}")
    assert "named right" in words(page)


def test_a_click_on_the_chart_is_kept_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clicked cell's ids come from customdata; a click beside the cells changes nothing."""
    kept: dict[str, str] = {}
    monkeypatch.setattr(views.state, "put", kept.__setitem__)
    points = [{"customdata": [3, 5, 7, 0.1]}]
    monkeypatch.setattr(views.st, "session_state", {views._CHART: {"selection": {"points": points}}})
    views._keep_cell(8)
    assert kept == {"cell": "3-5"}
    points.clear()
    views._keep_cell(8)
    assert kept == {"cell": "3-5"}


@pytest.mark.parametrize("cell", ["9-9", "x", "3", "-1-2", "²-1", ""])
def test_a_wrong_cell_in_the_address_is_passed_over(tiny: Dataset, open_page: Open, cell: str) -> None:
    """Whatever stands in the address, the page draws."""
    make_run(tiny, right=(0.5, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made", cell=cell, view="confusion", matrix="shifted")
    assert not page.exception
    assert "taken for" in words(page)


def test_a_cell_is_chosen_without_a_pointer(tiny: Dataset, open_page: Open) -> None:
    """Two boxes stand on the cell on show and choose another."""
    make_run(tiny, right=(0.5, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made", cell="0-1")
    boxes = [page.selectbox(key) for key in views._BOXES]
    assert [box.value for box in boxes] == [0, 1]
    boxes[1].set_value(0).run()
    assert not page.exception
    assert page.query_params["cell"] == "0-0"
    assert "named right" in words(page)
    page.selectbox(views._BOXES[0]).set_value(3).run()
    assert page.query_params["cell"] == "3-0"


def test_a_run_without_mistakes_has_no_cell_yet(tiny: Dataset, open_page: Open) -> None:
    """The boxes are empty; one alone chooses the right answers of a class, named in words under each."""
    there = int(make_run(tiny, right=(1.0, 1.0)).predictions().only("test").label[0])
    page = open_page(PAGE, dataset="tiny", run="made")
    assert [page.selectbox(key).value for key in views._BOXES] == [None, None]
    page.selectbox(views._BOXES[0]).set_value(there).run()
    assert not page.exception
    assert page.query_params["cell"] == f"{there}-{there}"
    assert f"%<small>{short_name(tiny.classes[there])}</small>" in words(page)


def test_predictions_open_on_the_hardest_class(tiny: Dataset, open_page: Open) -> None:
    """Without a choice the class on show is the one with the most mistakes."""
    rows = make_run(tiny, right=(0.5, 0.3)).predictions().only("test")
    wrong = np.bincount(rows.label[rows.probabilities.argmax(1) != rows.label].astype(int), minlength=8)
    page = open_page(PAGE, dataset="tiny", run="made", view="predictions")
    assert page.selectbox("evaluate-class").value == tiny.classes[int(wrong.argmax())].key


def test_a_cell_is_flagged_for_review(tiny: Dataset, open_page: Open) -> None:
    """All images of a confusion are flagged in one click, as one batch."""
    make_run(tiny, right=(0.3, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made")
    page.button("evaluate-flag-cell").click().run()
    assert not page.exception
    batch = decisions.batches(tiny)
    assert (batch.loc[0, "action"], batch.loc[0, "count"]) == ("flag", decisions.judge(tiny).flagged.sum())
    assert decisions.judge(tiny).flagged.any()


def test_classes_show_every_figure(tiny: Dataset, open_page: Open) -> None:
    """Precision, recall clean and shifted, F1 and support of all eight classes."""
    run = make_run(tiny)
    figures = evaluate_run(run)
    text = words(open_page(PAGE, dataset="tiny", run="made", view="classes"))
    for cell_class in tiny.classes:
        assert cell_class.title in text
        got = figures["per_class"][cell_class.key]
        if got["recall"] is not None:
            assert f"<td>{100 * got['recall']:.1f}<small>" in text
    assert "recall, shifted" in text


def test_the_whole_run_stands_above_the_classes(tiny: Dataset, open_page: Open) -> None:
    """Seven figures with intervals, clean and shifted, and the AUC of each class."""
    run = make_run(tiny)
    rows = run.predictions().only("test")
    text = words(open_page(PAGE, dataset="tiny", run="made", view="classes"))
    for table in (rows.probabilities, rows.shifted):
        for name, one in scores(rows.label, table).items():
            if name == "auc":
                said = f"<td>{one.value:.4f}<small>{one.low:.4f} to {one.high:.4f}</small></td>"
            elif name == "kappa":
                said = f"<td>{one.value:.3f}<small>{one.low:.3f} to {one.high:.3f}</small></td>"
            else:
                said = f"<td>{100 * one.value:.1f}<small>{100 * one.low:.1f} to {100 * one.high:.1f}</small></td>"
            assert said in text, name
    assert "Cohen&#x27;s κ" in text
    assert "<th>AUC</th>" in text


def test_the_matrix_in_every_way(tiny: Dataset, open_page: Open) -> None:
    """Counts, by row and by column, as listed and by similarity: each one click, and the cell stays chosen."""
    make_run(tiny, right=(0.5, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made")
    before = next(text for text in (e.proto.body for e in page.get("html")) if "taken for" in text)
    page.segmented_control("choice-numbers").set_value("columns").run()
    page.segmented_control("choice-order").set_value("similar").run()
    assert not page.exception
    assert "Each column is 100 %" in words(page)
    assert before in words(page)


def test_predictions_are_sorted(tiny: Dataset, open_page: Open) -> None:
    """Right, wrong and unsure of the chosen class, by its probability; the choice is in the address."""
    make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made", view="predictions")
    assert not page.exception
    for title in ("Right", "Wrong", "Unsure"):
        assert f"<b>{title}</b>" in words(page)
    page.selectbox("evaluate-class").set_value("platelet").run()
    page.slider("evaluate-unsure").set_value(99).run()
    assert not page.exception
    assert page.query_params["unsure"] == "99"
    sure = words(page)
    assert page.query_params["class"] == "platelet"
    assert "the probability of Platelet" in words(page)
    page.slider("evaluate-unsure").set_value(60).run()
    assert "unsure" not in page.query_params  # the usual one
    assert words(page) != sure
    again = open_page(
        PAGE, dataset="tiny", run="made", view="predictions", unsure="99", **{"class": "platelet"}
    )
    assert again.slider("evaluate-unsure").value == 99
    assert words(again) == sure


def test_a_key_flags_the_framed_mistake_and_another_takes_it_back(tiny: Dataset, open_page: Open) -> None:
    """F flags the surest mistake and frames the next, S passes over, Z takes the last flag back."""
    run = make_run(tiny, right=(0.2, 0.2))
    rows = run.predictions().only("test")
    first, second, third = rows.index[confident_mistakes(rows.label, rows.probabilities)["position"][:3]]
    page = open_page(PAGE, dataset="tiny", run="made", view="mistakes")
    keys = {one.key: one.proto.shortcut for one in page.button if str(one.key).startswith("evaluate-")}
    assert keys == {"evaluate-flag": "f", "evaluate-pass": "s"}
    page.button("evaluate-flag").click().run()
    page.button("evaluate-pass").click().run()
    page.button("evaluate-flag").click().run()
    assert not page.exception
    assert np.flatnonzero(decisions.judge(tiny).flagged).tolist() == sorted([first, third])
    page.button("evaluate-unflag").click().run()
    assert np.flatnonzero(decisions.judge(tiny).flagged).tolist() == [first]
    page.button("evaluate-unflag").click().run()
    assert not decisions.judge(tiny).flagged.any()
    page.button("evaluate-flag").click().run()
    assert np.flatnonzero(decisions.judge(tiny).flagged).tolist() == [first]
    assert second not in np.flatnonzero(decisions.judge(tiny).flagged)


def test_wrong_labels_are_a_list_of_their_own(tiny: Dataset, open_page: Open) -> None:
    """Confident learning's list, one click beside the surest mistakes; without any it says so."""
    run = make_run(tiny, right=(0.4, 0.3))
    rows = run.predictions().only("test")
    table = doubtful_labels(rows.label, rows.probabilities)
    page = open_page(PAGE, dataset="tiny", run="made", view="mistakes")
    page.segmented_control("choice-sort").set_value("labels").run()
    assert not page.exception
    assert f"{len(table)} labels to look at" in words(page)
    flags = [str(b.key) for b in page.button if str(b.key).startswith("flag-")]
    assert flags == [f"flag-{rows.index[place]}" for place in table["position"]]
    make_run(tiny, "perfect", right=(1.0, 1.0))
    page = open_page(PAGE, dataset="tiny", run="perfect", view="mistakes")
    page.segmented_control("choice-sort").set_value("labels").run()
    assert "No label looks wrong" in words(page)


def test_slices_show_where_it_is_weak(
    tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brightness, sharpness and parts as slices; findings once there is a scan; a click shows the images."""
    make_run(tiny, right=(0.5, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made", view="slices")
    assert not page.exception
    text = words(page)
    for said in (
        "Brightness: darkest fifth",
        "Sharpness: sharpest fifth",
        "Part: Test part",
        "scan the dataset",
    ):
        assert said in text
    scan(tiny)
    page = open_page(PAGE, dataset="tiny", run="made", view="slices", slice="brightness:darkest fifth")
    assert not page.exception
    assert "Finding: " in words(page)
    assert "<h2>Brightness: darkest fifth</h2>" in words(page)
    kept: dict[str, str] = {}
    monkeypatch.setattr(slices.state, "put", kept.__setitem__)
    points = [{"customdata": ["size:96 × 96"]}]
    monkeypatch.setattr(slices.st, "session_state", {slices._CHART: {"selection": {"points": points}}})
    slices._keep()
    points.clear()
    slices._keep()
    assert kept == {"slice": "size:96 × 96"}


@pytest.mark.parametrize("text", ["nothing:there", "", ":", "brightness:<b>"])
def test_a_slice_that_is_not_there_is_passed_over(tiny: Dataset, open_page: Open, text: str) -> None:
    """Whatever stands in the address, the slices draw."""
    make_run(tiny, right=(0.5, 0.3), test=False)
    page = open_page(PAGE, dataset="tiny", run="made", view="slices", slice=text, slices="shifted")
    assert not page.exception
    assert "<table" in words(page)


def test_a_mistake_is_flagged_and_the_flag_taken_back(tiny: Dataset, open_page: Open) -> None:
    """One click puts a sure mistake before Review, another takes it back."""
    make_run(tiny, right=(0.4, 0.3))
    page = open_page(PAGE, dataset="tiny", run="made", view="mistakes")
    assert "the surest first" in words(page)
    first = next(b for b in page.button if str(b.key).startswith("flag-"))
    index = int(str(first.key).removeprefix("flag-"))
    first.click().run()
    assert decisions.judge(tiny).flagged[index]
    page.button(f"unflag-{index}").click().run()
    assert not page.exception
    assert not decisions.judge(tiny).flagged.any()


def test_two_quick_clicks_both_count(tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second, on the part, comes from the page and the address that the browser had before the first."""
    make_run(tiny)
    page = open_page(PAGE, dataset="tiny", run="made")
    before = dict(page.query_params)
    page.segmented_control(key="evaluate-question").set_value("Where wrong?")
    page.segmented_control(key="choice-part").set_value("val")
    both = page._tree.get_widget_states()
    page.segmented_control(key="choice-part").set_value("test").run()
    assert page.query_params["view"] == "mistakes"
    monkeypatch.setattr(type(page._tree), "get_widget_states", lambda tree: both)
    page.query_params = before
    page.run()
    assert not page.exception
    assert page.query_params == {**before, "view": "mistakes", "part": "val"}


def test_many_mistakes_come_in_pages(tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first page shows the surest, the next one the others."""
    monkeypatch.setattr(images, "A_PAGE", 3)
    make_run(tiny, right=(0.2, 0.2))
    page = open_page(PAGE, dataset="tiny", run="made", view="mistakes")
    first = {b.key for b in page.button if str(b.key).startswith("flag-")}
    page.pagination("evaluate-page").set_value(2).run()
    second = {b.key for b in page.button if str(b.key).startswith("flag-")}
    assert not page.exception
    assert len(first) == len(second) == 3
    assert first.isdisjoint(second)
    assert page.query_params["mistakes_page"] == "2"
    again = open_page(PAGE, dataset="tiny", run="made", view="mistakes", mistakes_page="2")
    assert {b.key for b in again.button if str(b.key).startswith("flag-")} == second
    assert again.pagination("evaluate-page").value == 2
    again.pagination("evaluate-page").set_value(1).run()
    assert "mistakes_page" not in again.query_params
    again.pagination("evaluate-page").set_value(3).run()
    again.segmented_control(key="choice-sort").set_value("labels").run()  # another list, from its beginning
    assert not again.exception
    assert "mistakes_page" not in again.query_params


@pytest.mark.parametrize(("said", "shown"), [("99999", "the last"), ("0", 1), ("-3", 1), ("two", 1), ("", 1)])
def test_a_page_that_there_is_not(
    tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch, said: str, shown: object
) -> None:
    """A broken or old link shows the nearest page that there is."""
    monkeypatch.setattr(images, "A_PAGE", 3)
    make_run(tiny, right=(0.2, 0.2))
    page = open_page(PAGE, dataset="tiny", run="made", view="mistakes", mistakes_page=said)
    assert not page.exception
    last = page.pagination("evaluate-page").proto.num_pages
    assert page.pagination("evaluate-page").value == (last if shown == "the last" else shown)


def test_no_mistakes_are_no_error(tiny: Dataset, open_page: Open) -> None:
    """A run without a mistake says so in every view."""
    make_run(tiny, right=(1.0, 1.0))
    for view in ("mistakes", "confusion", "predictions", "slices"):
        page = open_page(PAGE, dataset="tiny", run="made", view=view)
        assert not page.exception
    assert "No mistakes" in words(open_page(PAGE, dataset="tiny", run="made", view="mistakes"))


@pytest.mark.parametrize(
    "view", ["confusion", "classes", "slices", "predictions", "mistakes", "curves", "elsewhere"]
)
def test_a_run_of_a_dataset_that_is_not_here(tiny: Dataset, open_page: Open, view: str) -> None:
    """A shipped run's figures are complete; where its images would stand, the page says why they do not."""
    forget_dataset_of(make_run(tiny, right=(0.5, 0.3)))
    page = open_page(PAGE, dataset="tiny", run="made", view=view)
    assert not page.exception
    assert "score clean" in words(page)
    if view in ("confusion", "predictions", "mistakes", "slices"):
        assert "The images are not here" in words(page)


@pytest.mark.parametrize("state", ["queued", "failed", "stopped", "interrupted"])
def test_unfinished_runs_are_shown(tiny: Dataset, open_page: Open, state: str) -> None:
    """Whatever became of a run, the page draws what there is."""
    # Who says running and holds no lock was interrupted.
    make_run(tiny, state={"interrupted": "running"}.get(state, state))
    page = open_page(PAGE, dataset="tiny", run="made")
    assert not page.exception
    if state == "stopped":
        assert "score clean" in words(page)
    else:
        assert len(page.get("plotly_chart")) == 2, "the learning curves so far"


def test_a_run_that_failed_at_once_points_to_train(tiny: Dataset, open_page: Open) -> None:
    """Neither figures nor curves: one sentence, and the way to the training."""
    make_run(tiny, state="failed", epochs=0)
    page = open_page(PAGE, dataset="tiny", run="made")
    assert not page.exception
    assert "Nothing to judge yet" in words(page)


def test_damaged_predictions_are_named(tiny: Dataset, open_page: Open) -> None:
    """A torn file is a sentence on the page."""
    run = make_run(tiny)
    (run.folder / "predictions.npz").write_bytes(b"torn")
    page = open_page(PAGE, dataset="tiny", run="made")
    assert not page.exception
    assert "damaged" in page.error[0].value


def test_decisions_since_are_counted(tiny: Dataset, open_page: Open) -> None:
    """Images relabelled or excluded after the training are named beside the verdict."""
    run = make_run(tiny)
    index = run.predictions().only("test").index
    decisions.record(tiny, index[:2].tolist(), "exclude")
    assert "2 of these images have been relabelled or excluded" in words(
        open_page(PAGE, dataset="tiny", run="made")
    )


def test_other_images_are_judged_in_the_background(tiny: Dataset, open_page: Open, tmp_path: Path) -> None:
    """A click queues a job; its result stands in the table."""
    run = make_run(tiny)
    run.model_path.touch()
    np.savez(
        tmp_path / "other.npz", images=np.asarray(tiny.images[:16]), labels=tiny.labels[:16].astype(np.uint8)
    )
    other = import_source(tmp_path / "other.npz")
    page = open_page(PAGE, dataset="tiny", run="made", view="elsewhere")
    assert page.selectbox("evaluate-other").options == ["other"]
    page.button("evaluate-judge").click().run()
    (job,) = jobs.list_jobs()[:1]
    assert (job.kind, job.params) == ("evaluate", {"run": "made", "source": "other"})
    with job.held():
        job.write_status({"state": "done"})
    content = {"source": "other", "n": len(other), "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6}
    workspace.write_json(job.folder / RESULT, content)
    text = words(open_page(PAGE, dataset="tiny", run="made", view="elsewhere"))
    assert "<td>50.0<small>40.0 to 60.0</small></td>" in text
    own = evaluate_run(run)
    assert "<td>tiny<small>its own test part</small></td>" in text, "what it is to be measured by"
    for name in ("accuracy", "shifted_accuracy", "balanced_accuracy"):
        assert f"<td>{100 * own[name]:.1f}<small>{100 * own[f'{name}_low']:.1f} to " in text


def test_images_that_the_run_has_learned_from_are_told_before_they_are_judged(
    tiny: Dataset, open_page: Open, tmp_path: Path
) -> None:
    """The same pixels under another name are counted, wherever they stand there; of new ones nothing is said."""
    run = make_run(tiny)
    run.model_path.touch()
    split = run.split()
    learned = split.loc[split["part"] == "train", "index"].to_numpy()[:5]
    unseen = split.loc[split["part"] == "test", "index"].to_numpy()[:7]
    for name, rows in (("known", [*unseen, *learned]), ("new", unseen)):
        images, labels = np.asarray(tiny.images)[rows], tiny.labels[rows].astype(np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
        import_source(tmp_path / f"{name}.npz", size=tiny.size)
    page = open_page(PAGE, dataset="tiny", run="made", view="elsewhere")
    page.selectbox("evaluate-other").set_value("known").run()
    assert "5 of its 12 images are among those that this run learned from" in words(page)
    page.selectbox("evaluate-other").set_value("new").run()
    assert not page.exception and "learned from: the figures" not in words(page)


@pytest.mark.parametrize("view", ["confusion", "mistakes", "why"])
def test_decisions_that_cannot_be_read_are_told_in_a_sentence(
    tiny: Dataset, open_page: Open, view: str
) -> None:
    """Those of a newer version, for instance: no traceback, and what to do."""
    make_run(tiny)
    decisions.judge(tiny)  # makes the file
    with closing(sqlite3.connect(tiny.path / "decisions.db")) as database:
        database.execute("insert into migrations values ('m999_of_a_newer_version', 'now')")
        database.commit()
    page = open_page(PAGE, dataset="tiny", run="made", view=view)
    assert not page.exception
    assert "newer version" in page.error[0].value


def test_a_slice_is_chosen_with_keys_too(tiny: Dataset, open_page: Open) -> None:
    """A box beside the chart offers the same slices, and the choice is in the address."""
    make_run(tiny, right=(0.6, 0.4))
    page = open_page(PAGE, dataset="tiny", run="made", view="slices")
    box = page.selectbox("evaluate-slice")
    assert box.options[0] in words(page), "the surest loss is open"
    page.selectbox("evaluate-slice").select_index(2).run()
    assert not page.exception
    assert page.query_params["slice"] == page.selectbox("evaluate-slice").value
    assert f"<h2>{box.options[2]}</h2>" in words(page)
