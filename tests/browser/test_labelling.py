"""Labelling in a real browser by keys alone: two hundred cells through proposals, a blind reading by two, agreement."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sklearn.metrics import cohen_kappa_score

from bloodapp.data import decisions, readings
from bloodapp.data.cells import draw_cell
from bloodapp.data.dataset import Dataset
from bloodapp.data.drawing import textures
from bloodapp.data.importing import import_source
from bloodapp.data.sample import SLIDES
from bloodapp.review.adjudication import disagreements
from bloodapp.review.agreement import agree
from bloodapp.ui.text import count
from tests.browser.app import App
from tests.browser.conftest import LONG_MS, Server, settled

CELLS = 200
WRONG = 60
READ = 30
SAME_FRAME, LOOKED = 20, 30

ON_SHOW = """
() => {
  const host = [...document.querySelectorAll('*')].find(one => one.shadowRoot?.querySelector('.labeller'));
  const root = host?.shadowRoot.querySelector('.labeller') ?? document.querySelector('.labeller');
  const big = root?.querySelector('.big');
  if (!big || big.hidden) return null;
  const take = root.querySelector('.take b')?.textContent;
  const rows = [...root.querySelectorAll('.classes button')];
  const label = rows.find(row => take?.endsWith(row.querySelector('span').textContent))?.dataset.label;
  return [Number(big.dataset.index), Number(label ?? -1)];
}
"""
"""What is on show, as soon as there is something: [image or place, proposed class or -1]."""
PRESS_AND_LOOK = (
    "key => { document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})); "
    f"return ({ON_SHOW})(); }}"
)
"""A key, and what is on show before anything else has happened in the browser."""


class Labeller:
    """The labelling component in a tab, worked by keys."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.root = tab.get_by_role("region", name="Labelling")

    def on_show(self) -> tuple[int, int]:
        """The image on show and the class that is proposed, -1 for none; waits where the server is asked first."""
        image, label = self.tab.wait_for_function(ON_SHOW).json_value()
        return int(image), int(label)

    def press(self, key: str) -> None:
        """Press a key."""
        self.tab.keyboard.press(key)

    def saved(self) -> None:
        """Wait until the server has written everything down."""
        expect(self.root.get_by_text("All saved")).to_be_visible()


@pytest.fixture
def labeller(tab: Page) -> Labeller:
    """The component in this test's tab."""
    return Labeller(tab)


@pytest.fixture
def cells(home: Path, tmp_path: Path) -> tuple[Dataset, np.ndarray]:
    """Two hundred drawn cells without labels, a dataset called `slides`, and what each shows."""
    truth = np.random.default_rng(5).integers(0, 8, CELLS)
    sheets = textures(5)
    images = [
        draw_cell(int(label), np.random.default_rng([5, k]), sheets, SLIDES[k % 4])
        for k, label in enumerate(truth)
    ]
    np.savez(tmp_path / "slides.npz", images=np.stack(images))
    return import_source(tmp_path / "slides.npz", labelled=False), truth


def test_two_hundred_cells_are_labelled_by_keys(
    cells: tuple[Dataset, np.ndarray], server: Server, labeller: Labeller, tab: Page
) -> None:
    """The starter proposes, the truth decides; a reload in between, one answer taken back: all is there in the end."""
    dataset, truth = cells
    app = App(tab, server.url)
    app.open("Review", dataset="slides", view="label")
    assert labeller.on_show() == (0, -1)  # one can begin at once, in the order of the file
    app.click(app.button("Ask Starter about all images"))
    expect(labeller.root.locator(".take")).to_be_visible(timeout=LONG_MS)
    settled(tab)
    pressed: dict[int, int] = {}
    taken = 0
    while len(pressed) < CELLS:
        image, proposed = labeller.on_show()
        label = int(truth[image])
        if len(pressed) == WRONG:  # the wrong key, taken back: it comes back to this image
            labeller.press(str((label + 1) % 8 + 1))
            labeller.press("z")
            assert labeller.on_show()[0] == image
        if len(pressed) == LOOKED:
            labeller.press(" ")
            near = labeller.root.locator("dialog.look .near button")
            expect(near.first).to_be_visible()
            assert near.count() == 12
            labeller.press("Escape")
            expect(near.first).to_be_hidden()
        key = "s" if proposed == label else str(label + 1)
        if len(pressed) == SAME_FRAME:
            assert tab.evaluate(PRESS_AND_LOOK, key)[0] not in (image, *pressed), (
                "the next image was waited for"
            )
        else:
            labeller.press(key)
        pressed[image] = label
        taken += proposed == label
        if len(pressed) < CELLS:
            assert labeller.on_show()[0] not in pressed
        if len(pressed) == CELLS // 2:
            app.reload("Review")
    expect(labeller.root.get_by_text("Every image has a label")).to_be_visible()
    labeller.saved()
    assert taken > CELLS // 2, "hardly anything was as proposed: the test does not go through proposals"
    judged = decisions.judge(dataset)
    assert len(pressed) == CELLS
    assert judged.labels.tolist() == [pressed[image] for image in range(CELLS)] == truth.tolist()
    events = decisions.log(dataset)
    assert (events["action"] == "relabel").sum() == CELLS + 1 and (events["action"] == "undo").sum() == 1
    expect(app.main.get_by_text(f"{CELLS} of {CELLS}").first).to_be_visible()


def test_typing_is_typing(tiny: Dataset, server: Server, labeller: Labeller, tab: Page) -> None:
    """Letters and digits that are typed into a field are no answers, and keys work again when the field is left."""
    readings.draw(tiny, READ, name="twice", who="test")
    app = App(tab, server.url)
    app.open("Review", dataset="tiny", view="label", l_part="reader")
    labeller.on_show()
    field = app.main.get_by_label("Who reads")
    field.fill("")
    field.press_sequentially("Dr 123 nz")
    expect(field).to_have_value("Dr 123 nz")
    field.press("Enter")
    settled(tab)
    assert readings.readings(tiny, "twice") == []
    field.blur()
    labeller.press("3")
    labeller.saved()
    expect(labeller.root.get_by_text(f"1 of {READ} read")).to_be_visible()
    (one,) = readings.readings(tiny, "twice")
    assert (one.reader, one.label) == ("Dr 123 nz", 2)


def test_two_read_blindly_and_what_they_disagree_about_is_settled(
    tiny: Dataset, server: Server, labeller: Labeller, tab: Page
) -> None:
    """Two scripted readers on one sample: kappa on the page is scikit-learn's; their disagreements end with keys."""
    app = App(tab, server.url)
    app.open("Review", dataset="tiny", view="label", l_part="reader")
    app.main.get_by_label("How many images").fill(str(READ))
    app.main.get_by_label("How many images").press("Enter")
    app.click(app.button("Draw the sample"))
    labeller.on_show()
    (sample,) = readings.samples(tiny)
    rng = np.random.default_rng(3)
    answers = {name: mistaken(sample.labels, rng, wrong) for name, wrong in (("Ana", 3), ("Ben", 5))}
    for name, said in answers.items():
        app.main.get_by_label("Who reads").fill(name)
        app.main.get_by_label("Who reads").press("Enter")
        expect(labeller.root.get_by_text(f"0 of {READ} read")).to_be_visible()
        settled(tab)
        app.main.get_by_label("Who reads").blur()
        for place, label in enumerate(said):
            assert labeller.on_show()[0] == place
            if place == 0:
                blind(labeller)
            labeller.press(str(label + 1))
        expect(labeller.root.get_by_text(f"{name} has read all {READ} images")).to_be_visible()
        labeller.saved()
    kept = readings.answers(tiny, sample)
    assert {name: kept[name].tolist() for name in answers} == {n: a.tolist() for n, a in answers.items()}

    app.click(app.keyed("label-part").get_by_text("Agreement"))
    named = (answers["Ana"] >= 0) & (answers["Ben"] >= 0)
    wanted = cohen_kappa_score(answers["Ana"][named], answers["Ben"][named])
    expect(app.main.locator(".kappa")).to_have_text(f"{wanted:.3f}")
    assert agree(answers["Ana"], answers["Ben"], 8).kappa.value == pytest.approx(wanted, abs=1e-12)

    found = disagreements(tiny, sample, "Ben", "Ana")
    assert len(found) > 2
    settled(tab)
    assert labeller.on_show()[0] == found[0].index
    labeller.press("6")  # as neither said
    assert labeller.on_show()[0] == found[1].index
    labeller.press("Enter")  # the label stays
    for one in found[2:]:
        assert labeller.on_show()[0] == one.index
        labeller.press("Enter")
    expect(labeller.root.get_by_text(f"All {count(len(found), 'disagreement')} are settled")).to_be_visible()
    labeller.saved()
    after = disagreements(tiny, sample, "Ben", "Ana")
    assert not any(one.open for one in after)
    assert after[0].settled == 5
    assert [one.settled for one in after[1:]] == [int(tiny.labels[one.index]) for one in after[1:]]
    expect(app.main.get_by_text(f"{len(found)} of {len(found)} settled").first).to_be_visible()


def test_a_server_that_is_killed_loses_no_answer(
    tiny: Dataset, start_server: Callable[..., Server], labeller: Labeller, tab: Page
) -> None:
    """What is read while the server is dead is written down by the next one, once."""
    sample = readings.draw(tiny, READ, name="twice", who="test")
    server = start_server()
    app = App(tab, server.url)
    app.open("Review", dataset="tiny", view="label", l_part="reader")
    labeller.on_show()
    labeller.press("1")
    labeller.saved()
    server.kill()
    for _ in range(9):
        labeller.press("2")
    expect(labeller.root.get_by_text("Saving")).to_be_visible()
    start_server(int(server.url.rsplit(":", 1)[1]))
    expect(labeller.root.get_by_text("All saved")).to_be_visible(timeout=LONG_MS)
    (said,) = readings.answers(tiny, sample).values()
    assert said.tolist() == [0] + 9 * [1] + 20 * [readings.UNREAD]
    assert len(readings.readings(tiny, "twice")) == 10


def mistaken(labels: np.ndarray, rng: np.random.Generator, wrong: int) -> np.ndarray:
    """The labels as somebody reads them who takes every so-manieth for another class, and cannot tell one."""
    said = labels.astype(np.int64)
    chosen = rng.permutation(len(said))[: len(said) // wrong]
    said[chosen] = (said[chosen] + rng.integers(1, 8, len(chosen))) % 8
    said[rng.integers(0, len(said))] = readings.CANNOT_TELL
    return said


def blind(labeller: Labeller) -> None:
    """Nothing on the page tells what an image was given, or which one it is."""
    words = labeller.root.inner_text()
    assert "1 of 30" in words
    assert not any(
        word in words for word in ("Image ", "proposes", "labelled", "learned", "%", "Most like it")
    )
    assert labeller.root.locator("[aria-pressed=true]").count() == 0
