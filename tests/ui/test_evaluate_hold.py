"""Will it hold: the offer, the work, the map and its cells, and the way to a training against a corruption."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import workspace
from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.errors import Stopped
from bloodapp.evaluate import suite, suite_folder
from bloodapp.runs.run import Run
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import settings
from bloodapp.ui.text import percent
from tests.evaluate.suites import ByLight, Told, give_file, judge
from tests.made import forget_dataset_of, make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"


def show(open_page: Open, **address: str) -> AppTest:
    """The view on the run `made`."""
    page = open_page(PAGE, dataset="tiny", run="made", view="hold", **address)
    assert not page.exception, page.exception
    return page


def finished(dataset: Dataset, name: str = "made", **recipe: object) -> Run:
    """A finished run of the recipe `plain` with something where its model lies."""
    return give_file(
        make_run(dataset, name, recipe={**settings(RECIPES["plain"]), "name": "plain", **recipe})
    )


def primary(page: AppTest) -> list[str]:
    """Labels of the primary buttons."""
    return [one.label for one in page.button if one.proto.type == "primary"]


def test_an_unjudged_run_has_one_button(tiny: Dataset, open_page: Open) -> None:
    """It says what will be done and how long it takes, and queues it; then the page shows the work."""
    run = finished(tiny)
    workspace.write_json(run.folder / "report.json", {**run.report(), "images_per_s": 2.0})
    page = show(open_page)
    assert primary(page) == ["Judge under 15 corruptions"]
    assert "Not judged under corruptions yet" in words(page) and "It takes about " in words(page)
    page.button(key="hold-begin").click().run()
    job = suite.job_of(run, "test")
    assert job is not None and job.state() == "queued"
    assert "Judging under corruptions" in words(page)
    assert not primary(page)


def test_what_cannot_be_judged_says_why(tiny: Dataset, open_page: Open) -> None:
    """Without a model there is no button, nor without the images."""
    run = make_run(tiny)
    page = show(open_page)
    assert "No model to ask" in words(page) and not primary(page)
    give_file(run)
    forget_dataset_of(run)
    page = show(open_page)
    assert "The images are not here" in words(page) and not primary(page)


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_what_was_cut_off_can_go_on(tiny: Dataset, open_page: Open, end: str) -> None:
    """It says how far it came, keeps the rows that are through, and goes on with the same job."""
    run = finished(tiny)
    job = suite.submit(run, "test")
    with pytest.raises(Stopped):
        suite.work(job.params, Told(job.folder, stop_after=4), load=lambda run: ByLight())
    with job.held():
        job.write_status({"state": end, "attempt": 1, "error": "It broke."})
    through = len(suite.find(run, "test").corruptions)
    page = show(open_page)
    assert f"{through} of 15 corruptions are through" in words(page)
    assert ("It broke." in words(page)) == (end == "failed")
    assert primary(page)[0] == "Go on"
    page.button(key="hold-begin").click().run()
    assert job.state() == "queued" and job.status()["attempt"] == 2


def test_the_figures_stand_in_words(tiny: Dataset, open_page: Open) -> None:
    """Wrong as they are, under the shift, under the eleven; what breaks it first; the benchmark's table folded."""
    found = judge(finished(tiny))
    text = words(show(open_page))
    for name in ("clean", "shifted", "mean_corruption_error"):
        assert f"<b>{100 * found.interval(name).value:.1f}<em>%</em></b>" in text
    worst = max(found.by_corruption, key=lambda name: found.by_corruption[name])
    assert f"It breaks first under “{ALL_CORRUPTIONS[worst].title}”" in text
    assert "Mean of the eleven" in text and "take it as a yardstick" in text


def test_a_cell_shows_what_fails_as_the_run_saw_it(tiny: Dataset, open_page: Open) -> None:
    """The cell in the address: how many fail and their pictures; the class picker narrows it down."""
    found = judge(finished(tiny))
    page = show(open_page, hold_cell="brightness_down-5")
    wrong = (found.probabilities("brightness_down")[4].argmax(1) != found.labels).sum()
    assert "Darker, severity 5" in words(page)
    assert f"<b>{wrong} images</b> of {len(found.labels)} named wrong" in words(page)
    assert words(page).count("<figure") == wrong
    share = found.balanced_error[found.corruptions.index("brightness_down"), 4]
    assert f"({percent(share)} with each class counting the same)" in words(page)
    assert words(page).count("<small>→ ") == wrong
    page.selectbox(key="hold-class-box").set_value(found.classes[2].key).run()
    assert page.query_params["hold_class"] == found.classes[2].key
    assert f"of {int((found.labels == 2).sum())} {found.classes[2].title} named wrong" in words(page)


def test_a_cell_is_chosen_without_a_pointer(tiny: Dataset, open_page: Open) -> None:
    """Two boxes stand on the cell on show and choose another; a raised digit in the address is passed over."""
    judge(finished(tiny))
    page = show(open_page, hold_cell="brightness_down-5")
    assert page.selectbox("hold-corruption-box").value == "brightness_down"
    page.selectbox("hold-severity-box").set_value(2).run()
    assert page.query_params["hold_cell"] == "brightness_down-2"
    page.selectbox("hold-corruption-box").set_value("brightness_up").run()
    assert page.query_params["hold_cell"] == "brightness_up-2"
    assert "severity 2" in words(page)
    show(open_page, hold_cell="brightness_down-²")


def test_what_a_run_carries_is_shown_without_its_images(tiny: Dataset, open_page: Open) -> None:
    """Figures and map stand, job and dataset gone; beside the map it says why no images are shown."""
    run = finished(tiny)
    found = judge(run)
    suite_folder.carry(run, "test")
    shutil.rmtree(found.folder)
    delete_dataset("tiny")
    page = open_page(PAGE, run="made", view="hold", hold_cell="brightness_down-5")
    assert not page.exception, page.exception
    assert f"<b>{100 * found.interval('mean_corruption_error').value:.1f}<em>%</em></b>" in words(page)
    assert "Darker, severity 5" in words(page) and "The images are not here" in words(page)
    assert "Its figures are complete" in words(page) and "<figure" not in words(page)
    assert "Judge under 15 corruptions" not in primary(page)


def test_the_way_to_train_against_it(tiny: Dataset, open_page: Open) -> None:
    """Train opens with the run's recipe, its changes and its pipeline with the remedy behind it."""
    judge(finished(tiny, epochs=7))
    page = show(open_page, hold_cell="noise-4")
    assert "sometimes(0.5; noise(25))" in words(page)
    page.button(key="hold-again").click().run()
    assert not page.exception
    kept = {name: page.session_state[f"kept.{name}"] for name in ("recipe", "set", "augment", "from")}
    assert kept["recipe"] == "plain" and kept["from"] == "made" and "epochs=7" in kept["set"]
    assert kept["augment"].endswith("|sometimes(0.5; noise(25))")


def test_another_judged_run_can_be_the_baseline(tiny: Dataset, open_page: Open) -> None:
    """Divided by a run that answers alike every quotient is one."""
    judge(finished(tiny, "other"))
    judge(finished(tiny))
    page = show(open_page, hold_against="other")
    assert page.selectbox(key="hold-against-box").value == "other"
    assert words(page).count("<td>1.00</td>") >= 11


def test_tables_of_runs_show_the_mean_corruption_error(
    tiny: Dataset, open_page: Open, run: Callable[..., str]
) -> None:
    """Beside clean and shifted: on Train, compared, and on the command line; a dash where it was not judged."""
    found = judge(finished(tiny))
    make_run(tiny, "bare")
    figure = f"{100 * found.mean_corruption_error:.1f} %"
    page = open_page("pages/3_Train.py", dataset="tiny", train="new")
    assert f"<span>{figure}</span>" in words(page) and "corruption error</span>" in words(page)
    page = open_page("pages/3_Train.py", dataset="tiny", train="compare", compare="made,bare")
    assert "<th>corruption error</th>" in words(page) and f"<b>{figure}</b>" in words(page)
    listed = run("runs")
    assert f"corruption error {figure}" in listed and "corruption error -" in listed
    assert f"corruption error {figure} (" in run("compare", "made", "bare")


def test_the_command_line_judges_from_what_is_there(
    tiny: Dataset, tmp_path: Path, run: Callable[..., str]
) -> None:
    """A finished suite is printed and written at once; `--on` does not go with it."""
    import json

    found = judge(finished(tiny))
    told = run("evaluate", "made", "--corruptions")
    assert "mean corruption error, the eleven" in told and "not of MedMNIST-C" in told
    run("evaluate", "made", "--corruptions", "--json", tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())["corruptions"]
    assert written["mean_corruption_error"] == pytest.approx(found.mean_corruption_error)
    assert written["balanced_error"]["zoom"] == pytest.approx(found.balanced_error[-1].tolist())
    assert "leave --on out" in run("evaluate", "made", "--corruptions", "--on", "tiny", code=2, stream="err")
