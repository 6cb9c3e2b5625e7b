"""Looking around through AppTest: both ends and the cut, and what looks like a marked picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.scan import scan
from bloodapp.ui.review import closer, ends, like
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def dirty(home: Path, tmp_path: Path, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Dataset:
    """Forty-six cells, then one picture twelve times under changing labels, then a turned cell: 59 images."""
    images, labels = tiny_cells
    same = np.zeros((12, 96, 96, 3), np.uint8)
    same[:, 20:70, 30:60] = (250, 220, 40)
    turned = np.rot90(images[5])[None]
    file = tmp_path / "dirty.npz"
    np.savez(
        file,
        images=np.concatenate([images[:46], same, turned]),
        labels=np.concatenate([labels[:46], np.arange(12) % 8, labels[5:6]])[:, None],
    )
    dataset = import_source(file)
    scan(dataset)
    return dataset


def click(page: AppTest, key: str) -> AppTest:
    """Click the button of that key; the page must draw without an error."""
    page.button(key=key).click().run()
    assert not page.exception and not page.error
    return page


def out(dataset: Dataset) -> list[int]:
    """The images that are excluded."""
    return np.flatnonzero(~decisions.judge(dataset).included).tolist()


def test_the_cut_begins_where_the_run_does_and_is_one_decision(dirty: Dataset, open_page: Open) -> None:
    """The suggestion is said and set; its button excludes the run, one entry of the history undoes it."""
    page = open_page(PAGE, dataset="dirty", view="around")
    assert not page.exception
    assert "From image 46 on, nearly every picture occurs many times" in words(page)
    assert page.number_input(key="cut-start").value == 46
    assert page.button(key="cut-exclude").label == "Exclude 13 images"
    click(page, "cut-exclude")
    assert out(dirty) == list(range(46, 59))
    assert decisions.log(dirty)["why"].iloc[0] == "Images 46 to 58, by a cut"
    assert page.button(key="cut-exclude").disabled and "excluded already" in words(page)
    click(page, "undo-1")
    assert out(dirty) == []


def test_the_cut_moves_to_any_range(dirty: Dataset, open_page: Open) -> None:
    """A range leaves both ends; one that ends before it begins says so; all that is left cannot be cut away."""
    page = open_page(PAGE, dataset="dirty", view="around")
    page.segmented_control(key="cut-how").set_value("range").run()
    page.number_input(key="cut-start").set_value(50).run()
    page.number_input(key="cut-stop").set_value(49).run()
    assert page.button(key="cut-exclude").disabled
    assert "choose others" in words(page)
    page.number_input(key="cut-stop").set_value(53).run()
    click(page, "cut-exclude")
    assert out(dirty) == [50, 51, 52, 53]
    page.segmented_control(key="cut-how").set_value("upto").run()
    page.number_input(key="cut-stop").set_value(58).run()
    assert page.button(key="cut-exclude").disabled
    assert "move the cut" in words(page)


def test_a_cell_at_either_end_is_picked_for_the_cut_or_a_decision(dirty: Dataset, open_page: Open) -> None:
    """What is picked at both ends is decided together; of two, the stretch between them can be cut out."""
    page = open_page(PAGE, dataset="dirty", view="around")
    assert "35 to 58" in words(page) and "0 to 23" in words(page)
    page.session_state[ends.PICKERS["first"]] = {"picked": [2]}
    page.session_state[ends.PICKERS["last"]] = {"picked": [57]}
    page.run()
    assert page.button(key="cut-range-here").label == "Cut out 2 to 57"
    click(page, "ends-exclude")
    assert out(dirty) == [2, 57]
    page.session_state[ends.PICKERS["last"]] = {"picked": [58]}
    page.run()
    click(page, "like-this")
    assert page.number_input(key="like-number").value == 58


def test_a_card_leads_to_what_looks_like_it(dirty: Dataset, open_page: Open) -> None:
    """From a card of the queue to all its look-alikes, all of which are excluded at once."""
    page = open_page(PAGE, dataset="dirty")
    click(page, "like-group-46")
    assert "<h2>12 images</h2>" in words(page)
    assert page.button(key="like-exclude").disabled
    click(page, "like-all")
    assert "12 images chosen" in words(page)
    click(page, "like-exclude")
    assert out(dirty) == list(range(46, 58))
    assert decisions.log(dirty)["why"].iloc[0] == "Looks like image 46"
    assert "12 excluded already" in words(page)


def test_one_picture_of_a_group_leads_there_too(dirty: Dataset, open_page: Open) -> None:
    """Chosen in the closer look, which closes."""
    page = open_page(PAGE, dataset="dirty")
    click(page, "closer-group-46")
    page.segmented_control(key="closer-view").set_value("some").run()
    page.session_state[closer.PICKER] = {"picked": [49]}
    page.run()
    click(page, "closer-like")
    assert page.number_input(key="like-number").value == 49
    assert "closer-exclude" not in {button.key for button in page.button}


def test_a_turned_copy_is_found_when_asked_for(dirty: Dataset, open_page: Open) -> None:
    """The distance and the turns are the person's; another number marks another picture."""
    page = open_page(PAGE, dataset="dirty", view="around", like="5")
    page.slider(key="like-distance").set_value(2).run()
    assert "No other image looks like this one" in words(page)
    page.toggle(key="like-turned").set_value(True).run()
    assert "<h2>2 images</h2>" in words(page)
    page.session_state[like.PICKER] = {"picked": [58]}
    page.run()
    click(page, "like-keep")
    assert decisions.judge(dirty).decided[58]
    page.number_input(key="like-number").set_value(50).run()
    assert not page.exception and "<h2>12 images</h2>" in words(page)
    page.segmented_control(key="around-mode").set_value("ends").run()
    assert "The last images" in words(page)


def test_an_address_without_such_a_picture_shows_the_ends(dirty: Dataset, open_page: Open) -> None:
    """Nonsense in the address is passed over."""
    for nonsense in ("59", "-1", "many"):
        page = open_page(PAGE, dataset="dirty", view="around", like=nonsense)
        assert not page.exception
        assert "The first images" in words(page) and "like" not in page.query_params
    page = open_page(PAGE, dataset="dirty", view="around", like="007")
    assert page.number_input(key="like-number").value == 7
