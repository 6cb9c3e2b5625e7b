"""Augment through AppTest: choosing, writing, seeing and using a pipeline; its text helps and pictures."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import parse, resolve
from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.ui import augment, pairs, pipeline_chips, pipeline_text_help

Open = Callable[..., AppTest]
PAGE = "pages/2_Augment.py"


def words(page: AppTest) -> str:
    """Everything that the page says in HTML."""
    return " ".join(str(element.proto.body) for element in page.get("html"))


def pictures(page: AppTest) -> list[str]:
    """The results in the preview, as the page sends them."""
    return [
        part.split('"')[0]
        for part in words(page).split('<img alt="result')[1:]
        for part in [part.split('src="')[1]]
    ]


def test_without_a_dataset_it_says_what_to_do(empty_home: object, open_page: Open) -> None:
    """An empty workspace leads to Home, not to an empty preview."""
    page = open_page(PAGE)
    assert not page.exception
    assert "No dataset yet" in words(page)


def test_named_pipelines_are_offered_with_their_reasons(tiny: Dataset, open_page: Open) -> None:
    """Every named pipeline is there with its title and why; `none` is drawn without TensorFlow's help."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    assert not page.exception
    choice = page.radio(key="augment-choice")
    assert choice.options == [*(each.title for each in PIPELINES.values()), "My own"]
    assert list(choice.proto.captions)[: len(PIPELINES)] == [each.why for each in PIPELINES.values()]
    assert choice.value == "none"
    assert len(pictures(page)) == augment.IMAGES
    assert "unchanged" in words(page)


def test_a_class_and_the_looks_choose_the_cells(tiny: Dataset, open_page: Open) -> None:
    """The class filter shows that class alone; the number of pictures stays the same whatever is shown."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    page.selectbox(key="augment-class").set_value("monocyte").run()
    assert not page.exception
    assert "<figcaption>Monocyte</figcaption>" in words(page)
    assert "<figcaption>Basophil</figcaption>" not in words(page)
    assert page.query_params["class"] == "monocyte"
    page.selectbox(key="augment-looks").set_value(3).run()
    assert len(pictures(page)) == augment.IMAGES
    assert words(page).count("<figure") == 8


def test_drawing_again_counts_the_seed_and_other_cells_change(tiny: Dataset, open_page: Open) -> None:
    """The seed is shown and goes up by one; other cells are other cells."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    assert "Draw 1, cells 1" in words(page)
    before = words(page)
    page.button(key="augment-draw").click().run()
    page.button(key="augment-cells").click().run()
    assert "Draw 2, cells 2" in words(page)
    assert words(page) != before.replace("Draw 1, cells 1", "Draw 2, cells 2")


def test_the_preview_is_drawn_by_the_layers_that_train(tiny: Dataset, open_page: Open) -> None:
    """Results differ from the originals, differ by seed, and come back with their seed."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip|brightness(0.3)")
    assert not page.exception
    assert "keras_cv" in sys.modules
    first = pictures(page)
    plain = pictures(open_page(PAGE, dataset="tiny", pipeline="none"))
    assert len(first) == augment.IMAGES
    assert sum(a != b for a, b in zip(first, plain, strict=True)) > augment.IMAGES / 2
    second = pictures(page.button(key="augment-draw").click().run())
    assert second != first
    augment._drawn.clear()
    assert pictures(open_page(PAGE, dataset="tiny", pipeline="flip|brightness(0.3)", draw="1")) == first


def test_a_mistake_is_pointed_at(tiny: Dataset, open_page: Open) -> None:
    """A text that cannot be read shows its place and what there is, and cannot be used for training."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip|rotatte(15)")
    assert not page.exception
    assert page.radio(key="augment-choice").value == augment.OWN
    assert page.code[0].value == "flip|rotatte(15)\n     ^"
    assert "can't find 'rotatte'" in page.error[0].value
    assert "rotate" in page.error[0].value
    assert page.button(key="augment-use").disabled
    assert not pictures(page)


def test_writing_ones_own_begins_with_what_was_chosen(tiny: Dataset, open_page: Open) -> None:
    """`My own` takes over the named pipeline's text; what is written there is kept through a detour."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    page.radio(key="augment-choice").set_value("gentle").run()
    page.radio(key="augment-choice").set_value(augment.OWN).run()
    assert page.text_area(key="augment-own").value == PIPELINES["gentle"].text
    page.text_area(key="augment-own").set_value("none | none").run()
    page.radio(key="augment-choice").set_value("none").run()
    page.radio(key="augment-choice").set_value(augment.OWN).run()
    assert page.text_area(key="augment-own").value == "none | none"
    for name in OPERATIONS:
        assert f"<dt>{name}</dt>" in words(page)


def test_using_a_pipeline_takes_it_to_train(tiny: Dataset, open_page: Open) -> None:
    """The primary button keeps the pipeline and goes to Train, which says whose choice it is."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    page.button(key="augment-use").click().run()
    page.switch_page("pages/3_Train.py").run()
    assert not page.exception
    assert "None, chosen by you" in words(page)
    assert page.query_params["augment"] == "none"


def test_an_address_with_nonsense_still_opens(tiny: Dataset, open_page: Open) -> None:
    """Numbers and classes of a broken link fall back to the usual ones."""
    page = open_page(
        PAGE, dataset="tiny", pipeline="none", draw="x", cells="-3", looks="9", **{"class": "unicorn"}
    )
    assert not page.exception
    assert "Draw 1, cells 0" in words(page)
    assert page.selectbox(key="augment-looks").value == 2


def test_picking_is_even_over_classes_and_leaves_out_what_is_excluded(tiny: Dataset) -> None:
    """Twelve of 48 cells show every class, are seeded, and never show an excluded image or another class."""
    record(tiny, [0], "exclude")
    chosen = augment.pick(tiny, None, 12, seed=4)
    assert len(set(chosen)) == 12
    assert set(tiny.labels[chosen]) == set(range(8))
    assert chosen == augment.pick(tiny, None, 12, seed=4)
    assert chosen != augment.pick(tiny, None, 12, seed=5)
    only = augment.pick(tiny, 0, 24, seed=1)
    assert len(only) == 24
    assert 0 not in only
    assert set(tiny.labels[only]) == {0}
    record(tiny, np.flatnonzero(tiny.labels == 3), "exclude")
    assert augment.pick(tiny, 3, 12, seed=1) == []


@pytest.mark.parametrize("name", PIPELINES)
def test_chips_name_every_operation(name: str) -> None:
    """Both drawings of a pipeline name all of its operations; equal branches are told once, with a count."""
    pipeline = resolve(name)
    full, short = pipeline_chips.chips(pipeline), pipeline_chips.brief(pipeline)
    for operation in OPERATIONS:
        if f"{operation}" in PIPELINES[name].text.replace(";", "|").replace("(", "|").replace(" ", "").split(
            "|"
        ):
            assert operation in full or operation in ("oneof", "sometimes")
            assert operation in short or operation in ("oneof", "sometimes")


def test_chips_show_values_with_their_units() -> None:
    """The strength is shown with its unit, other numbers where they are not the usual ones, weights as a count."""
    text = pipeline_chips.chips(parse("rotate(15, 2)|noise|oneof(none; none; sometimes(0.25; blur(2)))"))
    assert "<b>rotate</b><span>15°, fill 2</span>" in text
    assert "<b>noise</b><span>12 grey levels</span>" in text
    assert "one of 3" in text
    assert "2 ×" in text
    assert "in 25 % of the draws" in text
    assert "2 px" in text


@pytest.mark.parametrize(
    ("source", "position", "shown"),
    [
        ("flip|bulr", 5, "flip|bulr\n     ^"),
        ("flip\n|bulr", 6, "|bulr\n ^"),
        ("flip|", 5, "flip|\n     ^"),
        ("a" * 100, 50, "…" + "a" * 80 + "…\n" + " " * 41 + "^"),
    ],
)
def test_caret_stands_under_the_mistake(source: str, position: int, shown: str) -> None:
    """Long texts are cut around the place, lines are told apart."""
    assert pipeline_text_help.caret(source, position) == shown


def test_mixed_labels_are_told_in_words_and_colours() -> None:
    """A result of two classes names both, the larger first, and shows both colours."""
    weights = np.zeros(8, np.float32)
    weights[0] = 1
    assert pairs.words(weights, DEFAULT_CLASSES) == "Basophil"
    weights[[0, 5]] = 0.4, 0.6
    assert pairs.words(weights, DEFAULT_CLASSES) == "60 % Monocyte, 40 % Basophil"
    band = pairs.band(weights, DEFAULT_CLASSES)
    assert f"{DEFAULT_CLASSES[0].colour} 0% 40%" in band
    assert f"{DEFAULT_CLASSES[5].colour} 40% 100%" in band
