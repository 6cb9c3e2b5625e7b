"""Why? through AppTest: one image explained, all images on a plane."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.classify import features, unfolding
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import mistakes
from bloodapp.evaluate.evaluate import judgement
from bloodapp.runs.run import Run
from bloodapp.ui.evaluate import plane, where
from tests.classify.test_features import Means, Said
from tests.made import forget_dataset_of, give_model, make_run
from tests.ui.conftest import words
from tests.ui.test_evaluate import PAGE

Open = Callable[..., AppTest]


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with mistakes, and a model to ask."""
    made = make_run(tiny, right=(0.6, 0.4))
    give_model(made)
    return made


@pytest.fixture
def seen(run: Run, tiny: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Run:
    """The same with features."""
    monkeypatch.setattr(unfolding, "_tsne", lambda table, seed: table[:, :2])
    features.keep(run, tiny, Means(), Said(tmp_path / "job"))
    return run


def wrong_rows(run: Run) -> list[int]:
    """Rows of the dataset named wrong on the test part, the surest first."""
    result = judgement(run, "test")
    table = mistakes.confident_mistakes(result.labels, result.probabilities)
    return [int(row) for row in result.index[table["position"].to_numpy()]]


def test_the_surest_mistake_comes_first_and_the_next_is_one_key_away(run: Run, open_page: Open) -> None:
    """The first mistake is on show, the buttons go round, and the address names the image."""
    rows = wrong_rows(run)
    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    assert not page.exception
    assert "A mistake" in words(page)
    assert f"1 of {len(rows)}, the surest first" in words(page)
    page.button("evaluate-why-n").click().run()
    assert page.query_params["image"] == str(rows[1])
    page.button("evaluate-why-p").click().run()
    page.button("evaluate-why-p").click().run()
    assert page.query_params["image"] == str(rows[-1])
    assert not page.exception


def test_one_button_is_the_first_to_press(run: Run, open_page: Open) -> None:
    """Explain on one image, where computing features is offered too; computing them on all images."""
    where._LOADED.clear()
    for view, first in (("why", "Explain"), ("map", "Compute features")):
        page = open_page(PAGE, dataset="tiny", run="made", view=view)
        assert "Compute features" in [one.label for one in page.button]
        assert [one.label for one in page.button if one.proto.type == "primary"] == [first]


def test_nothing_is_explained_before_somebody_asks(run: Run, open_page: Open) -> None:
    """A button, no model loaded; then the maps of the answer and of the label, and the check on top."""
    where._LOADED.clear()
    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    assert "Grad-CAM" not in words(page)
    page.button("evaluate-why-explain").click().run()
    assert not page.exception
    assert words(page).count("<small>Grad-CAM") == 2
    assert "Grad-CAM, the answer." in words(page)
    assert "Grad-CAM, the label." in words(page)
    page.toggle("evaluate-why-hiding").set_value(True).run()
    assert not page.exception
    assert words(page).count("<figure><img") == 4
    assert page.query_params["hiding"] == "on"
    assert "For " in words(page)
    page.selectbox("evaluate-why-asks").set_value("platelet").run()
    assert page.query_params["asks"] == "platelet"
    assert not page.exception
    page.button("evaluate-why-n").click().run()
    assert "<small>Grad-CAM" in words(page), "the model is in memory: no second asking"


def test_any_image_by_number_or_name(run: Run, tiny: Dataset, open_page: Open) -> None:
    """A number, a part of a name; what the dataset does not have is said, and changes nothing."""
    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    page.text_input("evaluate-why-number").set_value("7").run()
    assert page.query_params["image"] == "7"
    name = str(tiny.items["name"].iloc[11])
    page.text_input("evaluate-why-number").set_value(name).run()
    assert page.query_params["image"] == str(int(np.flatnonzero(tiny.items["name"] == name)[0]))
    for nothing in ("no such thing", "²"):
        page.text_input("evaluate-why-number").set_value(nothing).run()
        assert "No image" in page.toast[0].value
        assert not page.exception
    assert not open_page(PAGE, dataset="tiny", run="made", view="why", image="²").exception


def test_a_file_of_ones_own(run: Run, open_page: Open) -> None:
    """A dropped picture is asked like any other, and has no label; what is none is named."""
    from bloodapp.ui import thumbs

    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    picture = thumbs.jpeg(np.full((40, 60, 3), 200, np.uint8))
    page.file_uploader("evaluate-why-file").set_value([("mine.jpg", picture, "image/jpeg")]).run()
    assert not page.exception
    assert "mine.jpg" in words(page)
    assert "no label" in words(page)
    page.file_uploader("evaluate-why-file").set_value([("torn.jpg", b"torn", "image/jpeg")]).run()
    assert "torn.jpg" in page.error[0].value


def test_the_nearest_training_cells(seen: Run, tiny: Dataset, open_page: Open) -> None:
    """Eight of them with labels and distances, never the image itself."""
    row = wrong_rows(seen)[0]
    text = words(open_page(PAGE, dataset="tiny", run="made", view="why"))
    assert text.count("cosine distance") >= 8
    assert f"image {row}: labelled" not in text
    trained = set(seen.split().query("part == 'train'")["index"])
    shown = {int(part.split(":")[0]) for part in text.split('title="image ')[1:]}
    assert shown <= trained


def test_features_are_computed_in_the_background(run: Run, open_page: Open) -> None:
    """Without them one button, on either view; it queues one job."""
    page = open_page(PAGE, dataset="tiny", run="made", view="map")
    assert "Not computed yet" in words(page)
    page.button("evaluate-features-start").click().run()
    assert not page.exception
    (job,) = [job for job in jobs.list_jobs() if job.kind == "features"]
    assert (job.params, job.state()) == ({"run": "made"}, "queued")


def test_all_images_on_a_plane(seen: Run, tiny: Dataset, open_page: Open) -> None:
    """Both planes, what their axes carry, and which classes lie apart."""
    page = open_page(PAGE, dataset="tiny", run="made", view="map")
    assert not page.exception
    assert "of what sets the images apart in 6 features" in words(page)
    assert "lies most apart" in words(page)
    assert "No point chosen" in words(page)
    page.segmented_control("choice-plane").set_value("neighbours").run()
    assert page.query_params["plane"] == "neighbours"
    assert "Who is near whom" in words(page)
    assert not page.exception


def test_chosen_points_show_their_images_and_are_flagged(seen: Run, tiny: Dataset, open_page: Open) -> None:
    """Ids come from customdata; a button flags them all; a single one leads to its explanation."""
    page = open_page(PAGE, dataset="tiny", run="made", view="map")
    page.session_state[plane._CHART] = {"selection": {"points": [{"customdata": 3}, {"customdata": [9]}]}}
    page.run()
    assert not page.exception
    assert "<h2>2 images</h2>" in words(page)
    page.button("evaluate-plane-flag").click().run()
    assert decisions.judge(tiny).flagged[[3, 9]].all()
    page.session_state[plane._CHART] = {"selection": {"points": [{"customdata": 9}]}}
    page.run()
    page.button("evaluate-plane-why").click().run()
    assert (page.query_params["view"], page.query_params["image"]) == ("why", "9")
    assert not page.exception


def test_another_network_of_the_same_images(seen: Run, tiny: Dataset, open_page: Open) -> None:
    """Its features are asked for, as they are not there; runs of other images are not offered."""
    other = make_run(tiny, "other", seed=1)
    other.model_path.write_bytes(b"a model")
    page = open_page(PAGE, dataset="tiny", run="made", view="map")
    box = page.selectbox("evaluate-seen-by")
    assert box.options == ["made (this run)", "other"]
    box.set_value("other").run()
    assert page.query_params["seen_by"] == "other"
    assert "Not computed yet" in words(page)
    assert not page.exception


@pytest.mark.parametrize("view", ["why", "map"])
def test_a_run_whose_images_are_not_here(run: Run, open_page: Open, view: str) -> None:
    """What to do stands where the images would."""
    forget_dataset_of(run)
    page = open_page(PAGE, dataset="tiny", run="made", view=view)
    assert not page.exception
    assert "import the same file" in words(page)


def test_a_run_without_mistakes_or_model(tiny: Dataset, open_page: Open) -> None:
    """The first image is on show; without a model nobody is offered an explanation."""
    make_run(tiny, right=(1.0, 1.0))
    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    assert not page.exception
    assert "Named as labelled" in words(page)
    assert "has no model to ask where it looks" in words(page)


def test_a_damaged_model_is_named(run: Run, open_page: Open) -> None:
    """Asked to explain, a torn model is a sentence, and the rest of the view stays."""
    run.model_path.write_bytes(b"torn")
    page = open_page(PAGE, dataset="tiny", run="made", view="why")
    page.button("evaluate-why-explain").click().run()
    assert not page.exception
    assert "made" in page.error[0].value
    assert "A mistake" in words(page)
