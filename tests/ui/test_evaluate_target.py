"""The view of target drops through AppTest: the form, the four answers, the ways on, and what went wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.charts.confusion import short_name
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from bloodapp.evaluate import target
from bloodapp.evaluate.target_compare import compare
from bloodapp.jobs.job import Job
from bloodapp.runs.run import Run
from tests.evaluate.target_made import Colours, lit
from tests.made import forget_dataset_of, make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/4_Evaluate.py"
ADDRESS = {"dataset": "tiny", "run": "made", "view": "target"}


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A run that has a model file, which nobody opens."""
    made = make_run(tiny)
    made.model_path.write_bytes(b"a model")
    return made


def slide(folder: Path, tiny: Dataset, *, light: float = 0.5) -> Path:
    """Twenty-four of its images with so much of the light, and one file that is no picture."""
    folder.mkdir()
    for number, image in enumerate(np.asarray(tiny.images)[:24]):
        Image.fromarray((image * light).astype(np.uint8)).save(folder / f"{number:02}.png")
    (folder / "bad.png").write_text("no picture")
    return folder


def dropped(run: Run, source: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A drop that was compared, by a network that sees colours."""
    monkeypatch.setattr("bloodapp.evaluate.target_cover.PIPELINES", {})

    def work(params: dict, context: jobs.Context) -> dict:
        side, content, arrays = compare(run, params["source"], Colours(), draws=lit)
        target.keep(context.folder, side, content, arrays)
        return {}

    job = target.begin(run, source, source.name)
    assert jobs.perform(job, {target.KIND: work}) == "done"
    return job


def test_a_path_becomes_a_job(run: Run, tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """Nothing compared yet: the form, a mistyped path is told at once, a right one is queued."""
    folder = slide(tmp_path / "slide", tiny)
    page = open_page(PAGE, **ADDRESS)
    assert not page.exception
    assert "which augmentation would cover" in words(page)
    page.text_input("target-path").set_value(str(tmp_path / "nowhere")).run()
    page.button("target-place-go").click().run()
    assert "nothing at" in page.error[0].value
    page.text_input("target-path").set_value(str(folder)).run()
    page.button("target-place-go").click().run()
    (job,) = target.drops(run)
    assert (job.params["source"], job.state()) == (str(folder), "queued")
    assert page.button("target-place-go").proto.type == "secondary"


def test_dropped_files_are_kept_for_the_job(run: Run, tiny: Dataset, open_page: Open, tmp_path: Path) -> None:
    """Two pictures of one name are both stored under the job's folder."""
    content = (slide(tmp_path / "slide", tiny) / "00.png").read_bytes()
    page = open_page(PAGE, **ADDRESS)
    page.file_uploader("target-files").set_value(
        [("a.png", content, "image/png"), ("a.png", content, "image/png")]
    ).run()
    page.button("target-drop-go").click().run()
    assert not page.exception
    (job,) = target.drops(run)
    assert sorted(path.name for path in Path(job.params["source"]).iterdir()) == ["a-2.png", "a.png"]
    assert Path(job.params["source"]).parent == job.folder


def test_the_four_answers(
    run: Run, tiny: Dataset, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far, what would help, what the run says and what to label: each is drawn, and names what it found."""
    dropped(run, slide(tmp_path / "slide", tiny), monkeypatch)
    page = open_page(PAGE, **ADDRESS)
    assert not page.exception
    assert "they are darker" in words(page)
    assert "1 image could not be read" in page.expander[0].label
    assert "bad.png" in words(page)
    page = open_page(PAGE, **ADDRESS, about="cover")
    assert "comes nearest of those that cover all that moved" in words(page)
    assert "Left out is what comes no nearer" in words(page)
    page = open_page(PAGE, **ADDRESS, about="answers")
    assert "sure of these images, in the median" in words(page)
    assert not page.exception
    page = open_page(PAGE, **ADDRESS, about="label")
    assert "Label these first" in words(page)
    best = target.read(target.drops(run)[0].folder).arrays["probabilities"].argmax(1)
    named = {short_name(run.classes[place]) for place in best}
    under = set(re.findall(r"<figcaption>\d+\. \d+ %<small>([^<]+)</small>", words(page)))
    assert under == named, "the class in words, not by its colour alone"
    (job,) = target.drops(run)
    page.number_input(f"target-number-{job.id}").set_value(5).run()
    page.button(f"target-make-{job.id}").click().run()
    assert not page.exception
    made = next(name for name in list_datasets() if name != "tiny")
    assert (len(open_dataset(made)), set(open_dataset(made).labels)) == (5, {-1})
    assert made in words(page)


def test_what_is_advised_goes_to_augment_and_train(
    run: Run, tiny: Dataset, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The addresses that the two buttons lead to carry the pipeline."""
    job = dropped(run, slide(tmp_path / "slide", tiny), monkeypatch)
    best = target.read(job.folder).covers[0].candidate.name
    led: list[tuple[str, dict]] = []
    monkeypatch.setattr(
        "bloodapp.ui.evaluate.target_cover.st.switch_page",
        lambda page, query_params: led.append((page, dict(query_params))),
    )
    page = open_page(PAGE, **ADDRESS, about="cover")
    page.button("target-augment").click().run()
    page.button("target-train").click().run()
    assert led[0] == ("pages/2_Augment.py", {"dataset": "tiny", "run": "made", "pipeline": best})
    assert led[1][0] == "pages/3_Train.py"
    assert (led[1][1]["augment"], led[1][1]["train"], led[1][1]["dataset"]) == (best, "new", "tiny")


def test_of_a_few_images_the_page_gives_no_verdict(
    run: Run, tiny: Dataset, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture: it says how many it takes instead of how far and of what would help; the answer stands."""
    dropped(run, slide(tmp_path / "slide", tiny) / "00.png", monkeypatch)
    for about in ("distance", "cover", "answers"):
        page = open_page(PAGE, **ADDRESS, about=about)
        assert not page.exception
        assert "Too few images to say how far this microscope is" in words(page)
    assert "Images by the class that it names" in words(page)
    assert "Accuracy to expect" not in words(page)


def test_several_drops_stay_until_they_are_deleted(
    run: Run, tiny: Dataset, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest is on show, another can be chosen, a deleted one is gone."""
    old = dropped(run, slide(tmp_path / "old", tiny), monkeypatch)
    new = dropped(run, slide(tmp_path / "new", tiny, light=1.0), monkeypatch)
    page = open_page(PAGE, **ADDRESS)
    assert page.selectbox("target-drop").value == new.id
    assert "among the training images" in words(page)
    page.selectbox("target-drop").set_value(old.id).run()
    assert "they are darker" in words(page)
    page.button("target-delete-go").click().run()
    assert not page.exception
    assert [job.id for job in target.drops(run)] == [new.id]


def test_a_run_whose_dataset_is_not_here(
    run: Run, tiny: Dataset, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The distance needs the training images and says so; what the run says is shown all the same."""
    folder = slide(tmp_path / "slide", tiny)
    forget_dataset_of(run)
    from bloodapp.runs.run import open_run

    dropped(open_run("made"), folder, monkeypatch)
    page = open_page(PAGE, **ADDRESS)
    assert "The images are not here" in words(page)
    page = open_page(PAGE, **ADDRESS, about="answers")
    assert not page.exception
    assert "Images by the class that it names" in words(page)


def test_a_failed_drop_says_why(run: Run, tmp_path: Path, open_page: Open) -> None:
    """The reason stands on the page, with a way to put it away."""
    job = target.begin(run, tmp_path / "gone", "gone")

    def work(params: dict, context: jobs.Context) -> dict:
        from bloodapp.errors import SourceError

        raise SourceError("None of the 3 images in 'gone' can be read.")

    assert jobs.perform(job, {target.KIND: work}) == "failed"
    page = open_page(PAGE, **ADDRESS)
    assert any("None of the 3 images" in each.value for each in page.error)
    page.button(f"target-{job.id}-away").click().run()
    assert target.drops(run) == []
