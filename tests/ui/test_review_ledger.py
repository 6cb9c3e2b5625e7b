"""The ledger through AppTest: filters in the address, single images undone, logs that travel, two reviewers."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, log, record, undo
from bloodapp.data.exchange import COLUMNS, export_log
from bloodapp.data.importing import import_source
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.ui.review import replay
from tests.ui.conftest import words
from tests.ui.test_review import click, find, keys

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """The tiny dataset with four single findings."""
    find(tiny, finding_table("blurred", [3, 4, 5, 6], [0.9, 0.8, 0.7, 0.6], "soft"))
    return tiny


@pytest.fixture
def varied(found: Dataset) -> Dataset:
    """It with four batches of two people; the third is undone."""
    record(found, [1, 2, 3], "exclude", why="Blurred", who="Ada")
    record(found, [3], "relabel", label=4, why="Conflicting labels", who="Bo")
    record(found, [2], "keep", why="sharp enough", who="Bo")
    undo(found, batch=3, who="Ada", why="no, it is not")
    record(found, [7], "flag", why="Ask an expert", who="Ada")
    return found


def ledger(open_page: Open, **address: str) -> AppTest:
    """The ledger, drawn without an error."""
    page = open_page(PAGE, dataset="tiny", view="ledger", **address)
    assert not page.exception and not page.error
    return page


def shown(page: AppTest) -> list[int]:
    """The batches that have a row."""
    return sorted(int(key.removeprefix("open-")) for key in keys(page) if key.startswith("open-"))


def test_an_empty_ledger_leads_to_the_queue(found: Dataset, open_page: Open) -> None:
    """Nothing decided is said, with the one thing to do."""
    page = ledger(open_page)
    assert "Nothing decided yet" in words(page)
    click(page, "ledger-queue")
    assert "exclude-image-3" in keys(page)


def test_who_when_what_why_and_what_became_of_it(varied: Dataset, open_page: Open) -> None:
    """Each decision has its row, by day; an undone one says who undid it."""
    page = ledger(open_page)
    assert shown(page) == [1, 2, 3, 5]
    said = words(page)
    assert "4 decisions by 2 reviewers · 1 undone" in said
    assert ">Today<" in said or ">Yesterday<" in said
    for text in (">Ada<", "Excluded</em>3 images", "Conflicting labels", "undone by Ada", "Kept</em>1 image"):
        assert text in said
    assert varied.classes[4].title in said
    assert {"ledger-undo-1", "ledger-redo-3"} <= keys(page)


def test_a_batch_is_undone_and_redone_out_of_order(varied: Dataset, open_page: Open) -> None:
    """The oldest goes and comes back while the newer ones stay."""
    page = ledger(open_page)
    click(page, "ledger-undo-1")
    assert judge(varied).included.all() and judge(varied).labels[3] == 4
    click(page, "ledger-redo-1")
    assert np.flatnonzero(~judge(varied).included).tolist() == [1, 2, 3]
    click(page, "ledger-redo-3")
    assert np.flatnonzero(~judge(varied).included).tolist() == [1, 3]


def test_a_decision_opens_to_its_images_and_each_is_undone_by_itself(
    varied: Dataset, open_page: Open
) -> None:
    """Open, one image goes and comes back; the row says so, and the trail remembers both."""
    page = ledger(open_page)
    page.text_input(key="who-field").set_value("Cy").run()
    click(page, "open-1")
    assert page.query_params["opened"] == "1"
    click(page, "undo-event-2")
    assert np.flatnonzero(~judge(varied).included).tolist() == [1, 3]
    assert "1 of 3 undone by Cy" in words(page)
    click(page, "redo-event-2")
    assert np.flatnonzero(~judge(varied).included).tolist() == [1, 2, 3]
    assert "undid 1 image" in words(page) and "did it again for 1 image" in words(page)
    click(page, "open-1")
    assert "undo-event-2" not in keys(page) and "opened" not in page.query_params


def test_a_relabel_shows_before_and_after(varied: Dataset, open_page: Open) -> None:
    """The label that was and the one that became, by their names."""
    page = ledger(open_page, opened="2")
    said = words(page).partition('class="ledger-image')[2]
    before, after = (varied.classes[label].title for label in (int(varied.labels[3]), 4))
    assert said.index(before) < said.index(f'background:{varied.classes[4].colour}"></i>{after}')


@pytest.mark.parametrize(
    ("address", "batches"),
    [
        ({"reviewer": "Bo"}, [2, 3]),
        ({"decision": "flag"}, [5]),
        ({"reason": "conflict"}, [2]),
        ({"about": "3"}, [1, 2]),
        ({"standing": "undone"}, [3]),
        ({"since": "2020-01-01", "until": "2100-01-01"}, [1, 2, 3, 5]),
        ({"since": "2020-01-01", "until": "2020-01-02"}, []),
        ({"about": "three"}, []),
        ({"reviewer": "nobody", "decision": "?", "standing": "?", "since": "?", "leaf": "?"}, [1, 2, 3, 5]),
    ],
)
def test_filters_come_from_the_address(
    varied: Dataset, open_page: Open, address: dict[str, str], batches: list[int]
) -> None:
    """A link shows what it was made of; what does not exist is passed over."""
    page = ledger(open_page, **address)
    assert shown(page) == batches
    assert ("Nothing here" in words(page)) == (not batches)


def test_filters_go_to_the_address_and_are_cleared(varied: Dataset, open_page: Open) -> None:
    """What is chosen stands in the address; one button shows everything again."""
    page = ledger(open_page)
    page.selectbox(key="reviewer-box").set_value("Ada").run()
    page.segmented_control(key="standing-box").set_value("held").run()
    page.text_input(key="about-box").set_value("2").run()
    assert not page.exception
    assert shown(page) == [1]
    assert {name: page.query_params[name] for name in ("reviewer", "standing", "about")} == {
        "reviewer": "Ada",
        "standing": "held",
        "about": "2",
    }
    click(page, "ledger-clear")
    assert shown(page) == [1, 2, 3, 5] and "reviewer" not in page.query_params
    assert "ledger-clear" not in keys(page)


def test_a_long_ledger_has_pages(found: Dataset, open_page: Open) -> None:
    """Twenty decisions a page; the images of a large one have pages of their own."""
    record(found, range(48), "flag")
    for index in range(24):
        record(found, [index], "keep")
    page = ledger(open_page)
    assert shown(page) == list(range(6, 26))
    page.pagination(key="leaf-1-2").set_value(2).run()
    assert shown(page) == [1, 2, 3, 4, 5]
    click(page, "open-1")
    assert "undo-event-24" in keys(page) and "undo-event-25" not in keys(page)
    page.pagination(key="images-1-1-2").set_value(2).run()
    assert not page.exception
    assert "undo-event-48" in keys(page) and "undo-event-24" not in keys(page)


def test_a_reason_in_ones_own_words_goes_with_every_decision(found: Dataset, open_page: Open) -> None:
    """While the field is filled: with a decision, a flag, an undo; emptied, no more."""
    page = open_page(PAGE, dataset="tiny")
    page.text_input(key="reason-field").set_value(" second look ").run()
    click(page, "exclude-image-3")
    click(page, "flag-image-4")
    click(page, "undo-1")
    assert page.text_input(key="reason-field").value == "second look"
    page.text_input(key="reason-field").set_value("").run()
    click(page, "keep-image-5")
    assert log(found)["why"].tolist()[::-1] == [
        "Blurred: second look",
        "Look again later: second look",
        "second look",
        "Blurred",
    ]


def test_what_another_reviewer_did_meanwhile_is_said_and_both_stand(found: Dataset, open_page: Open) -> None:
    """Anna decides after Bo's page was drawn; Bo's click is recorded as well, and the page tells him."""
    page = open_page(PAGE, dataset="tiny")
    page.text_input(key="who-field").set_value("Bo").run()
    record(found, [3], "exclude", who="Anna")
    click(page, "keep-image-3")
    assert "Kept 1 image. Anna excluded it " in page.toast[0].value
    assert "s ago, both stand in the ledger" in page.toast[0].value
    assert log(found)[["who", "action"]].to_numpy().tolist() == [["Bo", "keep"], ["Anna", "exclude"]]
    assert judge(found).included[3]
    click(page, "keep-image-4")
    assert page.toast[0].value == "Kept 1 image"


def test_the_log_is_exported_when_it_is_asked_for(varied: Dataset, open_page: Open) -> None:
    """What the button gives is the log that a replay takes; drawing the page writes nothing."""
    page = ledger(open_page)
    (button,) = page.get("download_button")
    assert button.proto.deferred_file_id, "the file is written at the click"
    rows = list(csv.DictReader(io.StringIO(replay._csv(varied).decode())))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == len(log(varied))


def test_an_import_says_what_it_would_change_before_it_does(
    varied: Dataset, open_page: Open, tmp_path: Path
) -> None:
    """New, here already, lacking: counted first, applied by the primary button, and then nothing is new."""
    export_log(varied, tmp_path / "log.csv")
    np.savez(tmp_path / "few.npz", images=varied.images[2:][::-1], labels=varied.labels[2:][::-1])
    few = import_source(tmp_path / "few.npz", name="few")
    write_findings(few.path, combined([]), fingerprint=few.fingerprint)
    record(few, [0], "keep", who="Di")
    page = open_page(PAGE, dataset="few", view="ledger")
    page.file_uploader(key="ledger-file").upload(
        "log.csv", (tmp_path / "log.csv").read_bytes(), "text/csv"
    ).run()
    assert not page.exception
    assert (
        "7 decisions: 6 new, 1 about images or classes that this dataset lacks. 2 images would change."
        in words(page)
    )
    assert len(log(few)) == 1
    click(page, "ledger-replay")
    assert len(log(few)) == 7
    assert page.toast[0].value == "Replayed 6 decisions"
    assert "6 already here" in words(page) and "ledger-replay" not in keys(page)
    page.file_uploader(key="ledger-file").upload("other.csv", b"a,b\n1,2\n", "text/csv").run()
    assert not page.exception
    assert "'other.csv' is no exported log" in page.error[0].value


def test_decisions_about_replaced_images_are_offered(
    varied: Dataset, open_page: Open, tmp_path: Path
) -> None:
    """After a replacing import the page offers the old decisions, before a scan and after; then no more."""
    held = judge(varied)
    np.savez(tmp_path / "new.npz", images=varied.images[::-1], labels=varied.labels[::-1])
    new = import_source(tmp_path / "new.npz", name="tiny", replace=True)
    (kept,) = new.path.glob("decisions-before-*.csv")
    offer = f"replay-{kept.stem}"
    page = open_page(PAGE, dataset="tiny")
    assert {"scan", offer} <= keys(page)
    find(new)
    page = ledger(open_page)
    assert page.button(key=offer).label == "Replay the 7 decisions taken before the images were replaced"
    click(page, offer)
    assert (judge(new).included == held.included[::-1]).all()
    assert (judge(new).labels == held.labels[::-1]).all()
    assert offer not in keys(page) and shown(page) == [1, 2, 3, 5]


def test_what_people_wrote_is_text(found: Dataset, open_page: Open) -> None:
    """Names and reasons are shown as they are written, never as markup."""
    record(found, [1], "exclude", why="<img src=x onerror=alert(1)>", who="<script>")
    undo(found, seq=1, who="<b>bold", why="<i>why")
    decisions.redo(found, seq=1, who="", why="")
    page = ledger(open_page, opened="1")
    assert not any(tag in words(page) for tag in ("<img src=x", "<script>", "<b>bold", "<i>why"))
