"""The gallery through AppTest: filters, what the browser sends, and what it is told. Keys are in tests/browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data import decisions, sets
from bloodapp.data.dataset import Dataset
from bloodapp.review.scan import scan
from bloodapp.ui.review.gallery import component, view
from tests.made import make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


class Browser:
    """Stands for the component: notes what it is told, and says what a test has it say.

    Attributes:
        told: what it was told last.
        says: what it says with every run.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: dict[str, Any] = {}
        self.says: dict[str, Any] = {"acts": [], "page": None, "look": None}
        monkeypatch.setattr(component, "_component", lambda: self._draw)

    def _draw(self, *, key: str, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.told = data
        return self.says

    def shown(self) -> list[int]:
        """The images on show."""
        return [item["i"] for item in self.told["items"]]

    def item(self, index: int) -> dict[str, Any]:
        """What is told of an image."""
        return next(item for item in self.told["items"] if item["i"] == index)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of this test."""
    return Browser(monkeypatch)


def drawn(page: AppTest) -> AppTest:
    """Draw the page; it must be without an error."""
    page.run()
    assert not page.exception and not page.error
    return page


def act(name: str, does: str, on: list[int], **more: object) -> dict[str, object]:
    """An act as the browser sends it."""
    return {"id": name, "does": does, "on": on, **more}


def test_it_is_there_before_the_first_scan(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """All images, their classes, one picture of them all; no filter by findings."""
    page = open_page(PAGE, dataset="tiny", view="gallery")
    assert not page.exception
    assert browser.shown() == list(range(48)) and browser.told["total"] == 48
    assert browser.told["sprite"].endswith(".jpg") and browser.told["next"] == ""
    assert (browser.told["columns"], browser.told["rows"]) == (12, 4)
    assert "gallery-kind" not in [box.key for box in page.selectbox]


def test_decisions_are_written_down_once(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """What is sent again, as after a reload, is answered again and not recorded again."""
    page = open_page(PAGE, dataset="tiny", view="gallery")
    browser.says["acts"] = [
        act("a", "exclude", [3, 4]),
        act("b", "relabel", [5], label=2),
        act("c", "flag", [6], why="Poor image"),
    ]
    drawn(page)
    drawn(page)
    log = decisions.log(tiny)
    assert log["action"].tolist() == ["flag", "relabel", "exclude", "exclude"]
    assert log["why"].iloc[0] == "Poor image"
    assert set(browser.told["done"]) == {"a", "b", "c"} and browser.told["failed"] == {}
    assert not browser.item(3)["included"] and browser.item(5)["label"] == 2 and browser.item(6)["flagged"]
    fresh = open_page(PAGE, dataset="tiny", view="gallery")
    assert not fresh.exception and len(decisions.log(tiny)) == 4
    assert set(browser.told["done"]) == {"a", "b", "c"}


def test_undo_by_act_by_batch_and_by_image(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """Each takes back what it says, in any order; what cannot be undone is answered in a sentence."""
    page = open_page(PAGE, dataset="tiny", view="gallery")
    browser.says["acts"] = [act(str(k), "exclude", [k]) for k in range(4)]
    browser.says["acts"] += [
        {"id": "u", "does": "undo", "act": "1"},
        {"id": "v", "does": "undo", "image": 3},
        {"id": "w", "does": "undo", "image": 30},
        {"id": "x", "does": "undo", "act": "never sent"},
    ]
    drawn(page)
    assert np.flatnonzero(~decisions.judge(tiny).included).tolist() == [0, 2]
    assert (
        set(browser.told["failed"]) == {"w", "x"}
        and "no decision about image 30" in browser.told["failed"]["w"]
    )
    first = next(row for row in browser.told["history"] if row["text"].endswith("(0)"))
    browser.says["acts"] = [{"id": "y", "does": "undo", "batch": first["batch"]}]
    drawn(page)
    assert np.flatnonzero(~decisions.judge(tiny).included).tolist() == [2]
    assert [row["undone"] for row in browser.told["history"]] == [True, False, True, True]


def test_nonsense_is_answered_and_changes_nothing(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """Images that do not exist, no images, an unknown action, half an act: a sentence each."""
    page = open_page(PAGE, dataset="tiny", view="gallery")
    browser.says["acts"] = [
        act("a", "exclude", [3000]),
        act("b", "exclude", []),
        act("c", "eat", [1]),
        {"id": "d", "does": "relabel", "on": [1]},
        act("e", "relabel", [1], label=80),
        "no act",
        {"does": "exclude", "on": [1]},
    ]
    drawn(page)
    assert set(browser.told["failed"]) == {"a", "b", "c", "d", "e"}
    assert decisions.log(tiny).empty


def test_all_of_a_filter_means_what_it_showed(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """All of a class but one, decided after some of them had been decided otherwise."""
    key = tiny.classes[2].key
    page = open_page(PAGE, dataset="tiny", view="gallery", g_class=key)
    asof, wanted = browser.told["asof"], dict(browser.told["filter"])
    images = browser.shown()
    decisions.record(tiny, [images[0]], "relabel", label=7)
    also = {"filter": wanted, "asof": asof, "minus": [images[1]]}
    browser.says["acts"] = [act("a", "exclude", [40], also=also)]
    drawn(page)
    out = np.flatnonzero(~decisions.judge(tiny).included).tolist()
    assert out == sorted({*images, 40} - {images[1]})


def test_a_page_stays_while_it_is_decided(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """What is decided does not leave the undecided ones before one looks anew; then it does."""
    page = open_page(PAGE, dataset="tiny", view="gallery", g_state="open")
    browser.says["acts"] = [act("a", "keep", [0, 1])]
    drawn(page)
    assert browser.shown() == list(range(48)) and "2 images here do not match any more" in words(page)
    page.button(key="gallery-again").click()
    drawn(page)
    assert browser.shown() == list(range(2, 48)) and "do not match" not in words(page)


def test_filters_are_boxes_and_an_address(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """A choice shows in the address and begins with the first page; Show all takes the filters back."""
    scan(tiny)
    page = open_page(PAGE, dataset="tiny", view="gallery", g_page="1")
    page.selectbox(key="gallery-label").set_value(tiny.classes[3].key)
    drawn(page)
    assert browser.shown() == np.flatnonzero(tiny.labels == 3).tolist()
    assert page.query_params["g_class"] == tiny.classes[3].key
    page.text_input(key="gallery-text").set_value("#11")
    drawn(page)
    assert browser.shown() == [11]
    page.button(key="gallery-all").click()
    drawn(page)
    assert len(browser.shown()) == 48 and "g_class" not in page.query_params


def test_nothing_matches(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """It says so and what to do; the component stays, with what is selected."""
    page = open_page(PAGE, dataset="tiny", view="gallery", g_text="no such name")
    assert "No image matches" in words(page) and browser.told["items"] == [] and browser.told["total"] == 0


def test_a_kept_set(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """A link to images chosen elsewhere shows these; where the set is gone it says so and shows all."""
    name = sets.keep(tiny, [4, 9, 30])
    open_page(PAGE, dataset="tiny", view="gallery", g_set=name)
    assert browser.shown() == [4, 9, 30]
    page = open_page(PAGE, dataset="tiny", view="gallery", g_set="0123456789abcdef")
    assert "gone" in words(page) and len(browser.shown()) == 48


def test_predictions_stand_under_the_images(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """A run's predictions on the images that it did not learn from, with the probability in per cent."""
    run = make_run(tiny, "made")
    (run.folder / "model.keras").write_bytes(b"some model")
    open_page(PAGE, dataset="tiny", view="gallery", g_run="made", g_says="differs")
    assert 0 < len(browser.shown()) < 48
    for item in browser.told["items"]:
        assert item["predicted"] != item["label"] and 0 < item["sure"] <= 100


def test_one_picture_enlarged(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """What is known of it, why it was found, and the images most like it."""
    scan(tiny)
    page = open_page(PAGE, dataset="tiny", view="gallery")
    page.session_state["kept.gallery-look"] = 47
    drawn(page)
    look = browser.told["look"]
    assert look["index"] == 47 and look["src"].startswith("data:image/png")
    assert {one["i"] for one in look["near"][:2]} == {0, 46} and len(look["near"]) == 12
    assert any("label" in reason for reason in look["reasons"])
    page.session_state["kept.gallery-look"] = 4800
    drawn(page)
    assert browser.told["look"] is None


def test_a_page_beyond_the_last_is_the_last(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """A stale link, or one with nonsense in it."""
    for asked in ("9", "-3", "x"):
        page = open_page(PAGE, dataset="tiny", view="gallery", g_page=asked)
        assert not page.exception and browser.told["number"] == 1


def test_another_page_is_turned_to(
    tiny: Dataset, open_page: Open, browser: Browser, monkeypatch: Any
) -> None:
    """Pages hold what they hold, the next one's pictures are named beforehand."""
    monkeypatch.setattr(view.items, "A_PAGE", 20)
    open_page(PAGE, dataset="tiny", view="gallery", g_page="2")
    assert browser.shown() == list(range(20, 40)) and browser.told["pages"] == 3
    assert browser.told["next"] not in ("", browser.told["sprite"])
