"""The map through AppTest: what it is given, what is chosen on it, and what becomes of that."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data import decisions, sets
from bloodapp.data.dataset import Dataset
from bloodapp.review import plane as room
from bloodapp.review.features import ABOUT, FILE
from bloodapp.review.findings import KINDS, combined, finding_table, write_findings
from bloodapp.ui.review.map import component
from bloodapp.ui.review.map.colouring import MOST_GROUPS, SHAPES, by_class, by_decision, by_finding
from bloodapp.workspace import write_json
from tests.made import make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """The tiny dataset with four findings, two of them below their thresholds."""
    tables = [finding_table("blurred", [3, 4, 5, 6], [0.9, 0.8, 0.3, 0.2], "soft")]
    write_findings(tiny.path, combined(tables), fingerprint=tiny.fingerprint)
    return tiny


@pytest.fixture
def seen(found: Dataset) -> Dataset:
    """The same after a deep scan."""
    features = np.random.default_rng(0).normal(size=(48, 12)) + 9 * np.eye(12)[found.labels]
    np.save(found.path / FILE, features.astype(np.float16))
    write_json(found.path / ABOUT, {"run": "seer", "created": "now", "fingerprint": found.fingerprint})
    return found


class Browser:
    """Stands for the component: notes what it is told, and says what a test has it say.

    Attributes:
        told: what it was told last.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: dict[str, Any] = {}
        self._says: dict[str, object] = {}
        monkeypatch.setattr(component, "_component", lambda: self._draw)

    def _draw(self, *, key: str, data: dict[str, Any], **calls: Callable[[], None]) -> None:
        self.told = data
        if self._says:
            st.session_state[key], self._says = self._says, {}
            for name in st.session_state[key]:
                calls[f"on_{name}_change"]()
            st.rerun()

    def says(self, page: AppTest, **what: object) -> AppTest:
        """Have it report an event."""
        self._says = what
        return drawn(page)

    def chooses(self, page: AppTest, *indices: int) -> AppTest:
        """Draw around some images."""
        bits = component.packed(np.array(indices, int), 48)
        return self.says(page, chosen={"bits": bits, "count": len(indices)})

    @property
    def legend(self) -> dict[str, int]:
        """Titles and counts of the groups."""
        return {one["title"]: one["count"] for one in self.told["looks"]}


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of this test."""
    return Browser(monkeypatch)


def drawn(page: AppTest) -> AppTest:
    """Draw the page; it must be without an error."""
    page.run()
    assert not page.exception and not page.error
    return page


def address(page: AppTest, name: str) -> str:
    """A value in the address; empty for none."""
    value = page.query_params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def test_pixels_come_without_a_scan_and_are_kept(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """Without findings and features there is one plane, in the colours of the classes, said in words as well."""
    page = open_page(PAGE, dataset="tiny", view="map")
    assert not page.exception
    assert [one["colour"] for one in browser.told["looks"]] == [one.colour for one in tiny.classes]
    assert browser.told["label"].startswith("Map of 48 images by pixels: 7 Basophil")
    assert room.kept(tiny, "pixels") is not None
    assert "A deep scan adds what a network sees" in words(page)
    assert "of what sets the pixels apart" in words(page)
    assert page.segmented_control(key="map-colour-box").options == ["Class", "Decision"]


def test_what_is_chosen_is_said_and_opened_in_the_gallery(
    found: Dataset, open_page: Open, browser: Browser
) -> None:
    """How many, what most of them are; the primary button leads to the gallery with these alone."""
    page = open_page(PAGE, dataset="tiny", view="map")
    assert page.button(key="map-open").disabled
    assert "Draw around points" in words(page)
    chosen = [0, 1, 2, 3, 4, 5, 6, 8, 9, 16]
    browser.chooses(page, *chosen)
    assert "10 images, 30 % Basophil, 20 % Eosinophil, 10 % Erythroblast" in words(page)
    page.button(key="map-open").click().run()
    assert not page.exception
    assert address(page, "view") == "gallery"
    np.testing.assert_array_equal(sets.read(found, address(page, "g_set")), chosen)


def test_one_is_opened(found: Dataset, open_page: Open, browser: Browser) -> None:
    """The image at the crosshair, in the gallery."""
    page = open_page(PAGE, dataset="tiny", view="map")
    browser.says(page, opened=7)
    assert address(page, "view") == "gallery"
    np.testing.assert_array_equal(sets.read(found, address(page, "g_set")), [7])


def test_what_is_chosen_is_excluded_or_flagged_as_one_decision(
    found: Dataset, open_page: Open, browser: Browser
) -> None:
    """One batch, so one undo; nothing is chosen afterwards, and the map shows what was decided."""
    page = open_page(PAGE, dataset="tiny", view="map", colour="decision")
    assert browser.legend == {"Open": 48}
    before = browser.told["round"]
    browser.chooses(page, 3, 4, 20)
    assert browser.told["round"] == before, "what the browser has reported is not sent back"
    page.button(key="map-exclude").click().run()
    batches = decisions.batches(found)
    assert batches[["action", "count", "why"]].to_numpy().tolist() == [["exclude", 3, "Chosen on the map"]]
    assert browser.legend == {"Open": 45, "Excluded": 3}
    assert browser.told["round"] != before and browser.told["chosen"] == ""
    assert page.button(key="map-exclude").disabled
    browser.chooses(page, 40)
    assert "1 image, Basophil" in words(page)


def test_colours(found: Dataset, open_page: Open, browser: Browser) -> None:
    """By finding above its threshold, by decision, by what a run predicted; the address holds the choice."""
    (make_run(found, "said").folder / "model.keras").write_bytes(b"some model")
    page = open_page(PAGE, dataset="tiny", view="map", colour="finding")
    assert browser.legend == {"Nothing found": 46, KINDS["blurred"].title: 2}
    open_page(PAGE, dataset="tiny", view="map", colour="prediction")
    assert browser.told["by"] == "prediction"
    assert 0 < browser.legend["Not asked"] < sum(browser.legend.values()) == 48
    page = open_page(PAGE, dataset="tiny", view="map", colour="nonsense", map="nowhere")
    assert browser.told["by"] == "class"
    page.segmented_control(key="map-colour-box").set_value("decision").run()
    assert address(page, "colour") == "decision" and browser.told["by"] == "decision"


def test_pointing_at_an_image_brings_its_picture(found: Dataset, open_page: Open, browser: Browser) -> None:
    """With its label, its place, what was decided and what was found; of what does not exist nothing."""
    decisions.record(found, [3], "exclude")
    page = open_page(PAGE, dataset="tiny", view="map")
    assert browser.told["picture"] is None
    browser.says(page, hover=3)
    told = browser.told["picture"]
    assert told["index"] == 3 and told["src"].startswith("data:image/jpeg") and told["out"]
    assert told["lines"][:2] == [found.classes[3].title, "image 3"]
    assert "excluded" in told["lines"] and KINDS["blurred"].title.lower() in told["lines"]
    browser.says(page, hover=48)
    assert browser.told["picture"] is None


def test_neighbours_are_laid_out_by_a_job(
    seen: Dataset, open_page: Open, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offered, begun, shown when done; what a network saw is there at once."""
    monkeypatch.setattr(room.unfolding, "_tsne", lambda table, seed: table[:, :2])
    page = open_page(PAGE, dataset="tiny", view="map")
    assert page.segmented_control(key="map-map-box").value == "features"
    assert not browser.told["equal"] and "the network of" in words(page) and "seer" in words(page)
    page = open_page(PAGE, dataset="tiny", view="map", map="neighbours")
    page.button(key="map-begin").click().run()
    job = room.job_of(seen)
    assert job is not None and job.state() == "queued"
    jobs.step()
    drawn(page)
    assert browser.told["equal"]
    assert "Who is near whom means something" in words(page)


def test_the_browser_is_given_bytes(found: Dataset) -> None:
    """Two for each coordinate, one for each group; what is chosen comes and goes as one bit an image."""
    places = component.points_file(np.array([[0, 0], [10, 1], [5, 0.5]], np.float32), equal=False)
    np.testing.assert_array_equal(np.frombuffer(places, "<u2"), [0, 0, 65535, 65535, 32768, 32768])
    equal = np.frombuffer(component.points_file(np.array([[0, 0], [10, 1]], np.float32), equal=True), "<u2")
    assert equal[3] - equal[1] == pytest.approx(6553, abs=2)
    assert component.points_file(np.zeros((0, 2), np.float32), equal=True) == b""
    colouring = by_class(np.array([0, -1, 2]), found.classes)
    assert component.groups_file(colouring, np.array([True, False, False])) == bytes([1 + 128, 0, 2])
    rng = np.random.default_rng(0)
    for some in ([], [0], [99_999], np.flatnonzero(rng.random(100_000) < 0.4)):
        bits = component.packed(np.array(some, np.int64), 100_000)
        np.testing.assert_array_equal(component.unpacked(bits, 100_000), some)
        assert len(base64.b64decode(bits)) == 12_500
    assert not len(component.unpacked("no base64", 9))
    assert not len(component.unpacked(component.packed(np.array([20]), 30), 10)), "of another dataset"


def test_groups_have_a_colour_and_a_shape_of_their_own(found: Dataset) -> None:
    """No two kinds of finding look alike; more classes than can be told apart are one group."""
    table = combined(
        [finding_table(kind, [place], 1.0, "so") for place, kind in enumerate(KINDS)]
        + [finding_table("dark", [0], 0.5, "so")]
    )
    colouring = by_finding(table, 20)
    assert len({(one.colour, one.shape) for one in colouring.groups}) == len(KINDS) + 1
    assert {one.shape for one in colouring.groups} == set(SHAPES)
    assert colouring.groups[colouring.ids[0]].key == next(iter(KINDS)), "the most urgent"
    many = by_class(np.arange(-1, 60), [found.classes[0]] * 60)
    assert len(many.groups) == MOST_GROUPS
    assert int(many.counts.sum()) == 61 and many.groups[-1].title == "Other classes"
    decisions.record(found, [1, 2, 3, 4], "keep")
    decisions.record(found, [2], "relabel", label=0)
    decisions.record(found, [3], "exclude")
    decisions.record(found, [4], "flag")
    judged = decisions.judge(found)
    decided = by_decision(judged, found.labels)
    assert [decided.groups[decided.ids[i]].key for i in range(5)] == [
        "open",
        "kept",
        "relabelled",
        "excluded",
        "flagged",
    ]
