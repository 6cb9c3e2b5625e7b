"""The views of Augment through AppTest: preview, each operation, strengths, the safety meter, the line on speed."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.runs.run import Run
from bloodapp.train import speed
from bloodapp.train.recipes import RECIPES
from bloodapp.train.speed import Speed
from bloodapp.ui import pairs
from bloodapp.ui.augment import cells, preview, safety, sweep
from tests.made import give_model, make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/2_Augment.py"
CHANGED = "flip|brightness(0.3)"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Datasets of other tests are called `tiny` too."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def run(tiny: Dataset) -> Run:
    """A finished run with a small model."""
    made = make_run(tiny)
    give_model(made)
    return made


def cards(page: AppTest) -> list[dict[str, Any]]:
    """The cards of the preview, or of the strip, as they are sent to the browser."""
    for element in page.get("bidi_component"):
        content = element.proto
        data = json.loads(content.json or content.mixed.json)
        if "cards" in data:
            return list(data["cards"])
    return []


def results(page: AppTest) -> list[str]:
    """The results in the preview."""
    return [picture["src"] for card in cards(page) for picture in card["pictures"][1:]]


def rows(page: AppTest) -> list[str]:
    """The rows of the views that have some: HTML of each."""
    return [
        body for body in (str(e.proto.body) for e in page.get("html")) if body.startswith('<div class="alone')
    ]


def address(page: AppTest, name: str) -> str:
    """A value in the address; empty for none."""
    value = page.query_params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def press(page: AppTest, component: str, card: int) -> AppTest:
    """Press a card as the browser reports it."""
    page.session_state[component] = {"pressed": card}
    return page.run()


# The preview


def test_a_class_and_the_looks_choose_the_cells(tiny: Dataset, open_page: Open) -> None:
    """The class filter shows that class alone; the number of results stays the same whatever is shown."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    assert not page.exception
    assert len(cards(page)) == 24
    assert len(results(page)) == cells.IMAGES
    page.selectbox(key="augment-class").set_value("monocyte").run()
    assert {card["text"] for card in cards(page)} == {"Monocyte"}
    assert address(page, "class") == "monocyte"
    page.selectbox(key="augment-looks").set_value(3).run()
    assert len(cards(page)) == 8
    assert len(results(page)) == cells.IMAGES


def test_the_seed_is_typed_or_counted(tiny: Dataset, open_page: Open) -> None:
    """The draw's number is shown, goes up by one with the button, and can be typed; other cells are other cells."""
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    assert page.number_input(key="augment-seed").value == 1
    page.button(key="augment-draw").click().run()
    assert page.number_input(key="augment-seed").value == 2
    page.number_input(key="augment-seed").set_value(41).run()
    assert address(page, "draw") == "41"
    before = cards(page)
    page.button(key="augment-cells").click().run()
    assert cards(page) != before


def test_the_preview_is_drawn_by_the_layers_that_train(tiny: Dataset, open_page: Open) -> None:
    """Results differ from the originals, differ by seed, and come back with their seed."""
    page = open_page(PAGE, dataset="tiny", pipeline=CHANGED)
    assert not page.exception
    assert "bloodapp.augment.layers" in sys.modules
    first = results(page)
    plain = results(open_page(PAGE, dataset="tiny", pipeline="none"))
    assert sum(a != b for a, b in zip(first, plain, strict=True)) > cells.IMAGES / 2
    assert results(page.button(key="augment-draw").click().run()) != first
    st.cache_data.clear()
    assert results(open_page(PAGE, dataset="tiny", pipeline=CHANGED, draw="1")) == first


def test_mixed_labels_are_bars_and_words(tiny: Dataset, open_page: Open) -> None:
    """Under CutMix at least one result has two classes, named with their shares and shown in both colours."""
    page = open_page(PAGE, dataset="tiny", pipeline="cutmix")
    assert not page.exception
    mixed = [picture for card in cards(page) for picture in card["pictures"][1:] if "%" in picture["hint"]]
    assert mixed
    assert mixed[0]["hint"].count("%") >= 2
    assert mixed[0]["band"].count("#") == 2
    assert "as wide as their share of the label" in words(page)


def test_a_pressed_card_opens_large(tiny: Dataset, open_page: Open) -> None:
    """The dialog shows the original and several draws of that cell without loss; the first is the one pressed."""
    page = open_page(PAGE, dataset="tiny", pipeline=CHANGED)
    page.session_state["kept.augment_zoom"] = 3
    page.session_state["kept.dialog"] = "zoom"
    page.run()
    assert not page.exception
    said = words(page)
    assert said.count('src="data:image/png') == 1 + preview.DRAWS
    assert "--real:96px" in said
    assert f"draw {preview.DRAWS}</b>" in said


def test_a_class_without_cells_says_so(tiny: Dataset, open_page: Open) -> None:
    """When every image of a class is excluded the views say what to do."""
    record(tiny, np.flatnonzero(tiny.labels == 3), "exclude")
    for view in ("preview", "each", "sweep"):
        page = open_page(
            PAGE, dataset="tiny", pipeline="flip", view=view, **{"class": DEFAULT_CLASSES[3].key}
        )
        assert not page.exception
        assert "No cells to show" in words(page)


def test_an_address_with_nonsense_still_opens(tiny: Dataset, open_page: Open) -> None:
    """Numbers, views and classes of a broken link fall back to the usual ones."""
    wrong = {"draw": "x", "cells": "-3", "looks": "9", "class": "unicorn", "view": "moon"}
    page = open_page(PAGE, dataset="tiny", pipeline="none", **wrong)
    assert not page.exception
    assert page.number_input(key="augment-seed").value == 1
    assert page.selectbox(key="augment-looks").value == 1
    assert len(results(page)) == cells.IMAGES
    page = open_page(PAGE, dataset="tiny", pipeline="flip", view="sweep", cell="9999999")
    assert not page.exception


def test_picking_is_even_over_classes_and_leaves_out_what_is_excluded(tiny: Dataset) -> None:
    """Twelve of 48 cells show every class, are seeded, and never show an excluded image or another class."""
    record(tiny, [0], "exclude")
    chosen = cells.pick(tiny, None, 12, seed=4)
    assert len(set(chosen)) == 12
    assert set(tiny.labels[chosen]) == set(range(8))
    assert chosen == cells.pick(tiny, None, 12, seed=4)
    assert chosen != cells.pick(tiny, None, 12, seed=5)
    only = cells.pick(tiny, 0, 24, seed=1)
    assert len(only) == 24
    assert 0 not in only
    assert set(tiny.labels[only]) == {0}


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


# Each operation, strengths


def test_each_operation_has_a_row_with_its_change(tiny: Dataset, open_page: Open) -> None:
    """Originals first, then each operation once, those inside choices too; what is off is faded."""
    text = "oneof(invert; brightness(0.2))|off(noise(30))"
    page = open_page(PAGE, dataset="tiny", pipeline=text, view="each")
    assert not page.exception
    shown = rows(page)
    assert [row.split("<b>")[1].split("</b>")[0] for row in shown] == [
        "originals",
        "invert",
        "brightness",
        "noise",
    ]
    assert all(row.count("<img") == 8 for row in shown)
    assert "alone off" in shown[3]
    assert "switched off" in shown[3]
    assert "in 50 % of images" in shown[1]
    change = [float(row.split("<em>")[1].split("<")[0]) for row in shown[1:]]
    inverted = np.abs(255 - 2 * tiny.images[cells.pick(tiny, None, 24, 1)].astype(float)).mean()
    assert change[0] == round(inverted)
    assert 0 < change[1] < change[0]


def test_nothing_to_take_apart(tiny: Dataset, open_page: Open) -> None:
    """`none` has no operations: the view says what to do."""
    page = open_page(PAGE, dataset="tiny", pipeline="none", view="each")
    assert "Nothing to take apart" in words(page)


def test_a_sweep_grows_along_its_rows(tiny: Dataset, open_page: Open) -> None:
    """A row for the whole and one for each operation, six strengths each; 0 is the original, limits are marked."""
    page = open_page(PAGE, dataset="tiny", pipeline="rotate(120)|brightness(0.2)", view="sweep", cell="7")
    assert not page.exception
    heads, whole, rotate, brightness = rows(page)
    assert "image 7" in heads
    assert "× 1½" in heads
    for row in (whole, rotate, brightness):
        sources = [part.split('"')[0] for part in row.split('src="')[1:]]
        assert len(sources) == len(sweep.STRENGTHS)
        assert len(set(sources)) > 3
    assert rotate.count(">limit<") == 1
    assert whole.count(">limit<") == 1
    assert ">limit<" not in brightness
    assert "180°" in rotate
    assert "0.4" in brightness


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sometimes(0.0001; invert)", "none was drawn"),
        ("sometimes(0.0001; cutmix)", "none was drawn"),
        ("flip(0.0001)", "nothing was drawn"),
        ("oneof(none; invert)", ""),
        ("sometimes(0; invert)", ""),
    ],
)
def test_a_sweep_in_which_nothing_was_drawn_says_so(
    tiny: Dataset, open_page: Open, text: str, said: str
) -> None:
    """A row of originals is no strength that does nothing: the whole pipeline's says what was drawn."""
    page = open_page(PAGE, dataset="tiny", pipeline=text, view="sweep", cell="7")
    assert not page.exception
    _, whole, alone = rows(page)
    assert said in whole and ("was drawn" in whole) == bool(said)
    assert "was drawn" not in alone


def test_a_cell_is_chosen_from_the_strip(tiny: Dataset, open_page: Open) -> None:
    """The strip's cells are there, one is chosen, and what is in the address is what is shown."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip", view="sweep")
    strip = cards(page)
    assert [card["chosen"] for card in strip].count(True) == 1
    assert strip[0]["chosen"]
    other = open_page(PAGE, dataset="tiny", pipeline="flip", view="sweep", cell=str(strip[5]["id"]))
    assert cards(other)[5]["chosen"]
    assert f"image {strip[5]['id']:,}" in rows(other)[0]


# The safety meter


def test_the_meter_asks_a_run(run: Run, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict, the table and the images that changed their class; moving the threshold measures nothing."""
    monkeypatch.setattr(safety, "STEP_S", 1e6)
    page = open_page(PAGE, dataset="tiny", pipeline="brightness(0.5)|invert", view="safety")
    assert not page.exception
    said = words(page)
    assert "of the answers change" in said
    assert "the model’s limit as well as the image’s" in said
    assert "<b>invert</b>" in said
    assert "48 images, even over the classes" in said
    assert shown_and_listed_first(said)
    monkeypatch.setattr("bloodapp.evaluate.safety.Meter._step", None)
    page.slider(key="augment-threshold").set_value(60).run()
    assert not page.exception
    page.button_group(key="augment-strength").set_value(0).run()
    assert not page.exception
    assert "No answer changed" in words(page)
    assert shown_and_listed_first(words(page))


def shown_and_listed_first(said: str) -> bool:
    """Whether the pictures below are of the operation that the table lists first, after the whole pipeline."""
    first = said.split("<tbody>")[1].split("<tr")[2].split("<b>")[1].split("</b>")[0]
    return f"changed its class: {first}" in said or f"by {first} at" in said


def test_without_a_run_the_meter_says_what_to_do(
    tiny: Dataset, nothing_shipped: None, open_page: Open
) -> None:
    """No finished run and none shipped: the way to Train."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip", view="safety")
    assert not page.exception
    assert "No model to ask" in words(page)


def test_mixing_is_said_to_be_compared_otherwise(
    run: Run, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CutMix the note tells whose answer counts as the original's."""
    monkeypatch.setattr(safety, "STEP_S", 1e6)
    page = open_page(PAGE, dataset="tiny", pipeline="cutmix(0.5)", view="safety")
    assert not page.exception
    assert "the one with the larger share" in words(page)


# Speed


def measured(**more: float) -> Speed:
    """A measurement of `flip` with the default recipe's network."""
    recipe = RECIPES["balanced"]
    speeds = {"drawn": 1900.0, "learned": 450.0, "together": 445.0, **more}
    return Speed(
        "flip", recipe.size, recipe.batch, recipe.model, recipe.width, "float32", "CPU, 2 cores", **speeds
    )


def test_unmeasured_speed_is_measured_in_the_background(tiny: Dataset, open_page: Open) -> None:
    """A small button submits the job; while it waits the page says so."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip")
    assert "not measured yet" in words(page)
    page.button(key="augment-measure").click().run()
    (job,) = [each for each in jobs.list_jobs() if each.kind == "speed"]
    assert job.params == {"dataset": "tiny", "pipeline": "flip"}
    assert not page.exception
    assert not [button for button in page.button if button.key == "augment-measure"]


def test_a_pipeline_that_keeps_up_is_one_quiet_line(tiny: Dataset, open_page: Open) -> None:
    """Both figures, and that training does not wait; no warning."""
    speed.keep(measured())
    page = open_page(PAGE, dataset="tiny", pipeline="flip")
    assert "<b>1,900</b> images/s; the network learns from <b>450</b>: training does not wait." in words(page)
    assert not page.warning


def test_a_pipeline_that_starves_training_is_warned_of(tiny: Dataset, open_page: Open) -> None:
    """The share of the speed that is left, what costs most, and what to do."""
    costs = {"randaugment(0.5, 3)": 0.0031, "flip": 0.0001}
    speed.keep(replace(measured(together=270.0), costs=costs))
    page = open_page(PAGE, dataset="tiny", pipeline="flip")
    (warning,) = [each.value for each in page.warning]
    assert "about 60 % of its speed" in warning
    assert "randaugment, 3.1 ms an image" in warning
