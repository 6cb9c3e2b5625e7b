"""A file dropped onto the import form, and an import stopped by one click, in a real browser."""

import base64
import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from bloodapp.data.dataset import Dataset, list_datasets, open_dataset
from tests.browser.conftest import Server, settled
from tests.sources_made import arrays, folder, picture

DROPPING = """
([base64, name]) => {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
    const dropped = new DataTransfer()
    dropped.items.add(new File([bytes], name))
    return dropped
}
"""


def test_a_dropped_file_becomes_the_chosen_dataset(
    tiny: Dataset, tmp_path: Path, server: Server, tab: Page
) -> None:
    """A `.npz` of BloodMNIST dropped onto Home's form is imported under its name, parts and all."""
    tab.goto(f"{server.url}/?dataset={tiny.name}")
    settled(tab)
    tab.get_by_role("button", name="Import a dataset").click()
    tab.get_by_role("tab", name="Upload").click()
    images = np.repeat(tiny.images[:, ::4, ::4], 1, axis=0)
    parts = {"train": slice(0, 30), "val": slice(30, 38), "test": slice(38, 48)}
    content = {f"{part}_images": images[cut] for part, cut in parts.items()}
    content |= {f"{part}_labels": tiny.labels[cut][:, None] for part, cut in parts.items()}
    file = arrays("bloodmnist.npz", **content)(tmp_path)
    dropped = tab.evaluate_handle(DROPPING, [base64.b64encode(file.read_bytes()).decode(), file.name])
    zone = tab.get_by_role("dialog").get_by_test_id("stFileUploaderDropzone")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": dropped})
    expect(tab.get_by_role("dialog").get_by_text("bloodmnist.npz")).to_be_visible()
    tab.get_by_role("dialog").get_by_role("button", name="Import", exact=True).last.click()
    expect(tab.get_by_role("heading", name="bloodmnist")).to_be_visible(timeout=60_000)
    dataset = open_dataset("bloodmnist")
    assert dataset.classes == tiny.classes
    assert np.array_equal(dataset.labels, tiny.labels)
    assert (dataset.parts == "test").sum() == 10


def test_a_long_import_says_how_long_and_stops_at_once(
    tiny: Dataset, tmp_path: Path, server: Server, tab: Page
) -> None:
    """Progress and the time left are shown; one click ends it, and nothing of it is kept."""
    content = picture(1)
    source = folder({f"{('ig', 'platelet')[n % 2]}/{n:06}.png": content for n in range(20_000)}, "many")(
        tmp_path
    )
    tab.goto(f"{server.url}/?dataset={tiny.name}")
    settled(tab)
    tab.get_by_role("button", name="Import a dataset").click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_label("Path of a file or folder").fill(str(source))
    dialog.get_by_label("Path of a file or folder").press("Tab")
    dialog.get_by_role("button", name="Import", exact=True).first.click()
    expect(tab.get_by_text(re.compile(r"Reading images.* left"))).to_be_visible(timeout=60_000)
    tab.get_by_role("button", name="Stop").click()
    expect(tab.get_by_text("Import of many was stopped.")).to_be_visible(timeout=20_000)
    assert list_datasets() == ["tiny"]


def test_what_was_passed_over_is_listed(home: Path, tmp_path: Path, server: Server, tab: Page) -> None:
    """Home says how many files were passed over, and by a click or a key which and why."""
    from bloodapp.data.importing import import_source

    files = {"ig/a.png": picture(), "ig/b.png": b"text", "ig/c.png": b""}
    import_source(folder(files)(tmp_path), name="cells")
    tab.goto(f"{server.url}/?dataset=cells")
    settled(tab)
    why = tab.get_by_text("'ig/b.png' is not a picture, whatever its name says")
    expect(why).to_be_hidden()
    tab.get_by_text("2 files", exact=True).focus()
    tab.keyboard.press("Enter")
    expect(why).to_be_visible()
