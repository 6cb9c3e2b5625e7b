"""Thresholds and keeper rules through AppTest: what moves, what is kept, what the queue makes of it."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.review.thresholds import thresholds
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """Soft images of falling score, three copies, and two doubtful labels."""
    tables = [
        finding_table("blurred", [3, 4, 5, 6], [0.9, 0.6, 0.4, 0.3], "Softer than the other images"),
        finding_table("exact_duplicate", [20, 21, 22], [0.0, 0.97, 0.97], "same", group=20),
        finding_table("mislabelled", [30, 31], [0.8, 0.7], "Looks like another class", suggested=[2, 4]),
    ]
    write_findings(tiny.path, combined(tables), fingerprint=tiny.fingerprint)
    return tiny


def keys(page: AppTest) -> set[str]:
    """The keys of all buttons."""
    return {button.key for button in page.button if button.key}


def choose(page: AppTest, key: str, words: str) -> AppTest:
    """Choose an entry of a menu."""
    page.menu_button(key=key).click(words).run()
    assert not page.exception and not page.error
    return page


def test_a_moved_threshold_says_what_it_catches_and_is_kept(found: Dataset, open_page: Open) -> None:
    """The count, the file and the queue follow the slider; the default is one click away."""
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "catches 2 images" in words(page) and "exclude-image-5" not in keys(page)
    page.slider(key="threshold-blurred").set_value(0.35).run()
    assert not page.exception
    assert "catches 3 images" in words(page) and "(default 2)" in words(page)
    assert thresholds(found)["blurred"] == 0.35
    assert "exclude-image-5" in keys(page) and "exclude-image-6" not in keys(page)
    page.slider(key="threshold-mislabelled").set_value(0.75).run()
    page.button(key="thresholds-back").click().run()
    assert not page.exception
    assert set(thresholds(found).values()) == {0.5}
    assert "exclude-image-5" not in keys(page)


def test_facts_have_no_threshold(found: Dataset, open_page: Open) -> None:
    """Exact copies cannot be hidden by a slider."""
    page = open_page(PAGE, dataset="tiny")
    assert {slider.key for slider in page.slider} == {"threshold-blurred", "threshold-mislabelled"}


def test_thresholds_above_everything_leave_a_way_back(tiny: Dataset, open_page: Open) -> None:
    """An empty queue still offers the thresholds, and to look around."""
    table = finding_table("blurred", [3], 0.6, "soft")
    write_findings(tiny.path, table, fingerprint=tiny.fingerprint)
    page = open_page(PAGE, dataset="tiny")
    page.slider(key="threshold-blurred").set_value(0.9).run()
    assert "Nothing found" in words(page)
    page.slider(key="threshold-blurred").set_value(0.5).run()
    assert "exclude-image-3" in keys(page)


def test_a_doubtful_label_is_changed_by_one_click(found: Dataset, open_page: Open) -> None:
    """The first offer relabels as suggested; all of them are relabelled by one menu."""
    page = open_page(PAGE, dataset="tiny", finding="mislabelled")
    button = page.button(key="suggested-image-30")
    assert (button.label, button.proto.shortcut, button.proto.type) == (
        f"Relabel as {found.classes[2].title}",
        "s",
        "primary",
    )
    button.click().run()
    assert decisions.judge(found).labels[30] == 2
    page = open_page(PAGE, dataset="tiny")
    choose(page, "all-cards", "Relabel as suggested")
    assert decisions.judge(found).labels[[30, 31]].tolist() == [2, 4]
    assert decisions.judge(found).included.all()


def test_the_rule_of_the_page_chooses_who_is_kept(found: Dataset, open_page: Open) -> None:
    """It is in the address, leads the offers of each group, and decides about all of them at once."""
    page = open_page(PAGE, dataset="tiny", finding="exact_duplicate")
    assert page.button(key="first-group-20").proto.type == "primary"
    page.selectbox(key="keeping-box").set_value("none").run()
    assert page.button(key="exclude-group-20").proto.type == "primary"
    page.selectbox(key="keeping-box").set_value("sharpest").run()
    assert not page.exception
    kept = page.button(key="sharpest-group-20")
    assert kept.proto.type == "primary"
    page = open_page(PAGE, dataset="tiny", keeping="none")
    choose(page, "all-cards", "Exclude what is advised; of copies keep none")
    gone = np.flatnonzero(~decisions.judge(found).included).tolist()
    assert gone == [3, 4, 20, 21, 22]


def test_one_group_is_decided_by_another_rule(found: Dataset, open_page: Open) -> None:
    """The menu of a card keeps one of its images, whatever the rule of the page is."""
    page = open_page(PAGE, dataset="tiny", keeping="none")
    choose(page, "keep-one-group-20", "The first")
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [21, 22]
    assert "one is kept" in decisions.log(found)["why"].iloc[0]
