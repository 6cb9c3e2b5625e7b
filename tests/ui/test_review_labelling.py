"""Labelling through AppTest: what the browser sends and what it is told. Keys are in tests/browser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from streamlit.testing.v1 import AppTest

from bloodapp.data import decisions, readings
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.jobs.job import list_jobs
from bloodapp.review import labelling, proposals
from bloodapp.review.adjudication import LABEL, disagreements
from bloodapp.review.label_table import label_table
from bloodapp.review.reading_table import COLUMNS, reading_table
from bloodapp.runs.run import Run, open_run
from bloodapp.ui.review.labelling import component, windows
from tests.made import make_run
from tests.review.unlabelled import Guesses, Said, without_labels
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"
BLIND = {"i", "pos", "block", "cell", "label", "included", "flagged", "done"}


class Browser:
    """Stands for the component: notes what it is told, and says what a test has it say.

    Attributes:
        told: what it was told last.
        says: what it says with every run.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: dict[str, Any] = {}
        self.says: dict[str, Any] = {}
        self.silent()
        monkeypatch.setattr(component, "_component", lambda: self._draw)

    def _draw(self, *, key: str, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.told = data
        self.key = key
        return self.says

    def silent(self) -> None:
        """Have nothing to say any more."""
        self.says = {"acts": [], "at": None, "look": None}

    def send(self, page: AppTest, *acts: dict[str, Any], **more: Any) -> AppTest:
        """Say this, as the real one does: before the page is drawn."""
        self.says = {"acts": [{**self.told.get("also", {}), **act} for act in acts], "at": None, "look": None}
        self.says |= more
        page.session_state[self.key] = self.says
        return drawn(page)

    def wish(self, page: AppTest, number: int, **what: object) -> dict[str, Any]:
        """Wish for another image, and give where to go."""
        self.send(page, at={"n": number, "token": self.told["token"], **what})
        goto: dict[str, Any] = self.told["goto"]
        return goto

    def item(self, index: int) -> dict[str, Any]:
        """What is told of an image."""
        return next(item for item in self.told["items"] if item["i"] == index)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The browser of this test."""
    return Browser(monkeypatch)


@pytest.fixture
def half(tiny: Dataset) -> Dataset:
    """The tiny dataset again, of whose 48 images only the first 20 have a label."""
    return without_labels(tiny)


@pytest.fixture
def run(half: Dataset) -> Run:
    """A run that has proposed labels for all of it."""
    made = make_run(half, "made")
    keep(half, made)
    return made


def keep(dataset: Dataset, run: Run) -> None:
    """Have a run propose labels for all images, without the wait for a network."""
    if not run.model_path.exists():
        run.model_path.write_bytes(run.name.encode())
    guesses = Guesses(dataset.classes)
    proposals.keep(dataset, run, np.arange(len(dataset)), guesses, Said(dataset.path.parent / "job"))


def drawn(page: AppTest) -> AppTest:
    """Draw the page; it must be without an error."""
    page.run()
    assert not page.exception and not page.error
    return page


def act(name: str, does: str, *on: int, **more: object) -> dict[str, object]:
    """An act as the browser sends it."""
    return {"id": name, "does": does, "on": list(on), **more}


def buttons(page: AppTest) -> set[str]:
    """The keys of all buttons."""
    return {button.key for button in page.button if button.key}


# The queue


def test_without_proposals_one_can_begin_at_once(half: Dataset, open_page: Open, browser: Browser) -> None:
    """In the order of the files, with a way to ask a run, which becomes a job."""
    page = open_page(PAGE, dataset="half", view="label")
    assert not page.exception and browser.told["mode"] == "queue"
    assert [item["i"] for item in browser.told["items"]] == list(range(20, 48))
    assert browser.told["goto"]["i"] == 20 and browser.item(20)["proposal"] == -1
    assert (browser.told["all"], browser.told["left"]) == (28, 28)
    page.button(key="label-ask").click().run()
    assert not page.exception
    (job,) = [job for job in list_jobs() if job.kind == proposals.KIND]
    assert job.params["dataset"] == "half" and "It is looking at the images" in words(page)


def test_the_least_certain_come_first(half: Dataset, run: Run, open_page: Open, browser: Browser) -> None:
    """The order is the room's, and each image comes with what the run says of it."""
    open_page(PAGE, dataset="half", view="label", l_run="made")
    says = proposals.find(half, run)
    wanted = labelling.queue(half, decisions.judge(half), says)
    assert [item["i"] for item in browser.told["items"]] == wanted.index.tolist()
    first = browser.item(int(wanted.index[0]))
    assert first["proposal"] == int(wanted.proposal[0]) and len(first["probs"]) == 8
    assert sum(first["probs"]) == pytest.approx(1, abs=0.002)


def test_what_is_decided_leaves_the_order_as_it_is(
    half: Dataset, run: Run, open_page: Open, browser: Browser
) -> None:
    """Labels, exclusions and flags are written down once; nothing moves; progress and share taken follow."""
    page = open_page(PAGE, dataset="half", view="label", l_run="made")
    order = [item["i"] for item in browser.told["items"]]
    a, b, c, d = order[:4]
    taken = browser.item(a)["proposal"]
    other = (browser.item(b)["proposal"] + 1) % 8
    sent = (
        act("1", "relabel", a, label=taken, why="as Made proposes"),
        act("2", "relabel", b, label=other),
        act("3", "exclude", c),
        act("4", "flag", d, why="Ask an expert"),
    )
    browser.send(page, *sent)
    browser.send(page, *sent)
    judged = decisions.judge(half)
    assert (judged.labels[a], judged.labels[b]) == (taken, other)
    assert not judged.included[c] and judged.flagged[d]
    assert len(decisions.log(half)) == 4
    assert [item["i"] for item in browser.told["items"]] == order
    assert [browser.item(one)["done"] for one in (a, b, c, d)] == [True, True, True, False]
    assert set(browser.told["done"]) == {"1", "2", "3", "4"} and not browser.told["failed"]
    assert (browser.told["all"], browser.told["left"]) == (27, 25)
    said = words(page)
    assert "Of 2 labelled here <b>1</b> are as it proposes" in said and "50 %" in said
    assert "25 left, 1 of them put aside" in said
    # The next look goes past what is done and what was put aside.
    assert browser.wish(page, 1, after=-1, passed=[])["i"] == order[4]


def test_what_is_taken_back_is_open_again_also_when_it_left_the_order(
    half: Dataset, open_page: Open, browser: Browser
) -> None:
    """After a reload the order is without what was decided: an image that is taken back comes as a guest."""
    decisions.record(half, [20], "relabel", label=3, once="before")
    page = open_page(PAGE, dataset="half", view="label")
    assert 20 not in [item["i"] for item in browser.told["items"]]
    browser.send(page, {"id": "u", "does": "undo", "act": "before"})
    assert decisions.judge(half).labels[20] == -1
    goto = browser.wish(page, 5, image=20)
    assert goto == {"n": 5, "i": 20, "exact": True}
    guest = browser.item(20)
    assert guest["pos"] < 0 and browser.told["blocks"][guest["block"]]["src"]


def test_passed_over_images_come_again_at_the_end(half: Dataset, open_page: Open, browser: Browser) -> None:
    """Then those put aside; behind the last comes the first that is open; none is told as such."""
    page = open_page(PAGE, dataset="half", view="label")
    assert browser.wish(page, 1, after=47 - 20, passed=[20, 21])["i"] == 22
    browser.send(page, act("all", "relabel", *range(22, 48), label=0))
    assert browser.wish(page, 2, after=-1, passed=[20, 21])["i"] == 20
    browser.send(page, act("rest", "relabel", 20, 21, label=0))
    assert browser.wish(page, 3, after=-1, passed=[])["i"] == -1
    assert browser.told["left"] == 0


def test_the_browser_holds_a_stretch(home: Any, tiny: Dataset) -> None:
    """Two blocks, the one with the image that is wished for first; an answer of another order counts for nothing."""
    order = np.arange(1000)
    done = order < 300
    window = windows.look("none", "t", order, done, np.zeros(1000, bool))
    assert (window.start, window.end, window.goto["i"]) == (288, 336, 300)
    assert window.images(order)[12] == (300, 300.0, 0, 12)


def test_enlarged_beside_labelled_ones(half: Dataset, open_page: Open, browser: Browser) -> None:
    """The images most like it are looked for among those with a label alone."""
    page = open_page(PAGE, dataset="half", view="label")
    page.session_state["kept.label-look"] = 30
    drawn(page)
    near = browser.told["look"]["near"]
    assert browser.told["look"]["index"] == 30 and near
    assert all(one["i"] < 20 and one["label"] >= 0 for one in near)


def test_training_says_what_is_missing_and_what_has_learned_is_asked(
    half: Dataset, run: Run, open_page: Open, browser: Browser
) -> None:
    """Not enough: a sentence, and no button to press; a run that has learned: one click lets it propose."""
    page = open_page(PAGE, dataset="half", view="label")
    assert page.button(key="label-onward").disabled and "a training needs 10 images of each class" in words(
        page
    )
    learned = make_run(half, "learned", recipe={"weights": "run:made"})
    learned.model_path.write_bytes(b"learned")
    drawn(page)
    assert "has learned from your labels" in words(page)
    page.button(key="label-learned-ask").click().run()
    assert page.query_params["l_run"] in ("learned", ["learned"])
    assert [job.params["run"] for job in list_jobs() if job.kind == proposals.KIND] == ["learned"]
    # While it is at work the other's proposals stay; when it is done, they are its own.
    assert browser.told["run"] == run.title
    keep(half, learned)
    drawn(page)
    assert browser.told["run"] == open_run("learned").title


def test_with_nothing_to_label_it_says_what_to_do(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """A dataset with labels leads to the second reader."""
    page = open_page(PAGE, dataset="tiny", view="label")
    assert "Every image came with a label" in words(page)
    page.button(key="label-nothing-reader").click().run()
    assert not page.exception and "label-draw" in buttons(page)


def test_without_any_run_one_labels_by_hand(
    half: Dataset, nothing_shipped: None, open_page: Open, browser: Browser
) -> None:
    """No run knows a class of it: the queue is there all the same."""
    page = open_page(PAGE, dataset="half", view="label")
    assert "No finished run knows a class" in words(page) and "label-ask" not in buttons(page)
    browser.send(page, act("1", "relabel", 20, label=2))
    assert decisions.judge(half).labels[20] == 2


# The second reader


def test_a_sample_is_drawn_and_read_blindly(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """The browser is told nothing about an image but its pixels and what this reader has said."""
    page = open_page(PAGE, dataset="tiny", view="label", l_part="reader")
    page.text_input(key="label-who").set_value("Ana").run()
    page.number_input(key="label-draw-size").set_value(12).run()
    page.button(key="label-draw").click().run()
    assert not page.exception
    (sample,) = readings.samples(tiny)
    assert len(sample) == 12
    assert browser.told["mode"] == "blind" and set(browser.told) & {"history", "suggested"} == set()
    assert all(set(item) == BLIND and item["label"] == readings.UNREAD for item in browser.told["items"])
    assert [item["i"] for item in browser.told["items"]] == sample.index.tolist()
    first, second = (int(one) for one in sample.index[:2])
    browser.send(page, act("1", "read", first, label=3), act("2", "read", second, label=-1))
    browser.send(page, {"id": "3", "does": "undo", "act": "1"})
    said = readings.answers(tiny, sample)["Ana"]
    assert said.tolist() == [readings.UNREAD, readings.CANNOT_TELL, *([readings.UNREAD] * 10)]
    assert browser.told["left"] == 11 and browser.item(second)["done"]


def test_an_act_is_its_readers_whoever_reads_by_now(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """What Ana's browser still had to send when Ben took over is Ana's."""
    sample = readings.draw(tiny, 10, name="twice")
    page = open_page(PAGE, dataset="tiny", view="label", l_part="reader")
    page.text_input(key="label-who").set_value("Ben").run()
    late = act("late", "read", int(sample.index[0]), label=1, sample="twice", reader="Ana")
    browser.send(page, {**browser.told["also"], **late})
    assert list(readings.answers(tiny, sample)) == ["Ana"]
    assert browser.told["left"] == 10


# Agreement


@pytest.fixture
def read_twice(tiny: Dataset) -> readings.Sample:
    """A sample of 30 that Ana and Ben have read, with some mistakes."""
    sample = readings.draw(tiny, 30, name="twice", seed=1)
    for reader, every in (("Ana", 5), ("Ben", 7)):
        for place, (index, label) in enumerate(zip(sample.index, sample.labels, strict=True)):
            answer = int(label) if place % every else (int(label) + every) % 8
            readings.record_reading(tiny, "twice", int(index), answer, reader=reader)
    return sample


def test_kappa_is_scikit_learns(
    tiny: Dataset, read_twice: readings.Sample, open_page: Open, browser: Browser
) -> None:
    """Two readers by default; either beside the labels at the time by choice."""
    said = readings.answers(tiny, read_twice)
    page = open_page(PAGE, dataset="tiny", view="label", l_part="agreement")
    assert f'<b class="kappa">{cohen_kappa_score(said["Ana"], said["Ben"]):.3f}</b>' in words(page)
    page.selectbox(key="label-l_one").set_value(LABEL).run()
    assert not page.exception
    assert f'<b class="kappa">{cohen_kappa_score(read_twice.labels, said["Ben"]):.3f}</b>' in words(page)


def test_a_disagreement_is_settled_and_opened_again(
    tiny: Dataset, read_twice: readings.Sample, open_page: Open, browser: Browser
) -> None:
    """By a class, by keeping the label, and taken back; each counts on the page."""
    page = open_page(PAGE, dataset="tiny", view="label", l_part="agreement")
    found = disagreements(tiny, read_twice, "Ben", "Ana")
    assert [item["i"] for item in browser.told["items"]] == [one.index for one in found]
    assert browser.item(found[0].index)["said"] == [found[0].first, found[0].second]
    first, second = found[0].index, found[1].index
    browser.send(
        page, act("1", "settle", first, label=6), act("2", "settle", second, label=int(tiny.labels[second]))
    )
    now = {one.index: one for one in disagreements(tiny, read_twice, "Ben", "Ana")}
    assert now[first].settled == 6 and now[second].settled == int(tiny.labels[second])
    assert f"2 of {len(found)} settled" in words(page)
    browser.send(page, {"id": "3", "does": "undo", "act": "1"})
    assert browser.told["left"] == len(found) - 1
    assert decisions.judge(tiny).labels[first] == tiny.labels[first]


def test_without_readings_it_leads_to_the_reader(tiny: Dataset, open_page: Open, browser: Browser) -> None:
    """No sample, a sample that nobody has read: each says what to do."""
    page = open_page(PAGE, dataset="tiny", view="label", l_part="agreement")
    assert "No sample has been read yet" in words(page)
    readings.draw(tiny, 5, name="new")
    drawn(page)
    assert "Nobody has read new yet" in words(page)


def test_readings_go_out_as_a_table(tiny: Dataset, read_twice: readings.Sample) -> None:
    """A row for each image and reader, with the answer that counts."""
    index = int(read_twice.index[0])
    readings.record_reading(tiny, "twice", index, readings.CANNOT_TELL, reader="Ana")
    table = reading_table(tiny, read_twice)
    assert tuple(table.columns) == COLUMNS and len(table) == 60
    row: pd.Series = table[(table["index"] == index) & (table["reader"] == "Ana")].iloc[0]
    assert row["answer"] == "cannot_tell" and row["place"] == 1
    assert row["sha256"] == open_dataset("tiny").items["sha256"].iloc[index]


def test_enough_labels_start_a_training_from_the_run_that_proposes(
    tiny: Dataset, open_page: Open, browser: Browser
) -> None:
    """Ten of two classes will do: the press queues a training from the starter's weights, and the page shows it."""
    half = without_labels(tiny, labelled=0)
    for label in (0, 1):
        decisions.record(half, range(12 * label, 12 * label + 12), "relabel", label=label)
    page = open_page(PAGE, dataset="half", view="label")
    assert "Label 10 more of Erythroblast" in words(page)
    page.button(key="label-onward").click().run()
    assert not page.exception and not page.error
    (job,) = [job for job in list_jobs() if job.kind == "train"]
    run = open_run(job.params["run"])
    assert run.config["recipe"]["weights"] == "run:starter" and run.dataset == "half"
    assert "label-train-stop" in buttons(page) and "label-onward" not in buttons(page)


def test_labels_go_out_as_a_table_and_come_back(half: Dataset, open_page: Open, browser: Browser) -> None:
    """What it would change is said before anything changes; taken, it is one batch that can be undone."""
    page = open_page(PAGE, dataset="half", view="label")
    table = label_table(half, decisions.judge(half), None, waiting=True)
    table["label"] = ["monocyte"] * 5 + [""] * (len(table) - 5)
    content = table.to_csv(index=False).encode()
    page.file_uploader(key="label-csv-back").set_value(("filled.csv", content, "text/csv")).run()
    assert not page.exception and not page.error
    assert "<b>5 labels</b> would change" in words(page) and "23 have no label" in words(page)
    assert not len(decisions.log(half))
    page.button(key="label-csv-take").click().run()
    assert not page.exception and not page.error
    assert decisions.judge(half).labels[20:25].tolist() == [5] * 5
    assert decisions.log(half)["batch"].nunique() == 1


def test_a_table_of_other_images_is_refused(half: Dataset, open_page: Open, browser: Browser) -> None:
    """In one sentence, and nothing is taken."""
    page = open_page(PAGE, dataset="half", view="label")
    content = b"index,name,label\n20,elsewhere.png,monocyte\n"
    page.file_uploader(key="label-csv-back").set_value(("other.csv", content, "text/csv")).run()
    assert not page.exception
    assert "Nothing was taken" in page.error[0].value and "label-csv-take" not in buttons(page)
