"""Review through AppTest: scanning, deciding, undoing, filtering, choosing and exporting."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bloodapp import jobs
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.review.scan import read_findings, scan
from bloodapp.ui.review import closer, side
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def scanned(tiny: Dataset) -> Dataset:
    """The tiny dataset with its findings: images 0, 46 and 47 are one picture, 47 under a wrong label."""
    scan(tiny)
    return tiny


def find(dataset: Dataset, *tables: object) -> None:
    """Put these findings into a dataset's folder."""
    write_findings(dataset.path, combined(tables), fingerprint=dataset.fingerprint)


def click(page: AppTest, key: str) -> AppTest:
    """Click the button of that key; the page must draw without an error."""
    page.button(key=key).click().run()
    assert not page.exception and not page.error
    return page


def choose(page: AppTest, key: str, place: int) -> AppTest:
    """Choose an entry of a menu by its place."""
    page.menu_button(key=key).click(page.menu_button(key=key).options[place]).run()
    assert not page.exception and not page.error
    return page


def keys(page: AppTest) -> set[str]:
    """The keys of all buttons."""
    return {button.key for button in page.button if button.key}


def test_without_a_dataset_it_says_what_to_do(empty_home: Path, open_page: Open) -> None:
    """An empty workspace leads to Home."""
    page = open_page(PAGE)
    assert not page.exception
    assert "No dataset yet" in words(page)


def test_before_a_scan_there_is_one_thing_to_do(tiny: Dataset, open_page: Open, idle_runner) -> None:
    """One button scans in the background; done, the queue is there."""
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert page.button(key="scan").label == "Scan 48 images"
    click(page, "scan")
    assert idle_runner.woken == 1
    assert "scan" not in keys(page) and "scan-stop" in keys(page)
    assert jobs.step() is not None
    page.run()
    assert not page.exception
    assert "Conflicting labels" in words(page)


def test_before_a_scan_it_can_be_decided_and_exported(tiny: Dataset, open_page: Open, tmp_path: Path) -> None:
    """Beside the first scan stand what remains, the export and the decisions, and while it works, too."""
    decisions.record(tiny, [3, 4], "exclude")
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert {"scan", "export-write", "undo-1", "history-all"} <= keys(page)
    assert "<b>46</b> of 48 images" in words(page)
    outside = [button.key for button in page.button if button.proto.type == "primary"]
    assert outside == ["scan", "export-write"]  # the second behind the popover
    field = next(field for field in page.text_input if str(field.key).startswith("export-path"))
    field.set_value(str(tmp_path / "unscanned.npz")).run()
    click(page, "export-write")
    assert jobs.step() is not None
    assert "46 images" in page.run().success[0].value
    with np.load(tmp_path / "unscanned.npz") as written:
        assert len(written["images"]) == 46
    click(page, "undo-1")
    assert "<b>48</b> of 48 images" in words(page)
    click(page, "scan")
    assert {"scan-stop", "export-write"} <= keys(page) and "scan" not in keys(page)
    assert "What the scan finds will stand here" in words(page)


def test_a_scan_that_failed_says_so_and_can_be_tried_again(tiny: Dataset, open_page: Open) -> None:
    """The reason stands on the page with a way on."""
    page = open_page(PAGE, dataset="tiny")
    click(page, "scan")
    images = tiny.path / "images.npy"
    images.rename(images.with_suffix(".away"))
    jobs.step()
    page.run()
    assert not page.exception
    assert "import it again" in page.error[0].value
    assert "scan-resume" in keys(page)


def test_the_first_scan_may_look_deeper(tiny: Dataset, open_page: Open, idle_runner) -> None:
    """What a deep scan adds is said; its button asks for the starter's network and for turned copies."""
    page = open_page(PAGE, dataset="tiny")
    assert "A deep scan also looks for" in words(page) and "Doubtful labels" in words(page)
    assert page.selectbox(key="deep-run-first").value == "starter"
    page.checkbox(key="scan-turned").check().run()
    click(page, "deep-scan-first")
    assert idle_runner.woken == 1
    (job,) = [job for job in jobs.list_jobs() if job.kind == "scan"]
    assert job.params == {"dataset": "tiny", "deep": True, "run": "starter", "turned": True}
    assert "deep-scan-first" not in keys(page) and "scan-stop" in keys(page)


def test_scanning_again_offers_the_same_choices(scanned: Dataset, open_page: Open, idle_runner) -> None:
    """A fast scan says that it was one; again, with turned copies, and while it runs there is no second one."""
    page = open_page(PAGE, dataset="tiny")
    assert "scanned just now" in words(page) and "This was a fast scan." in words(page)
    page.checkbox(key="rescan-turned").check().run()
    click(page, "rescan-start")
    (job,) = [job for job in jobs.list_jobs() if job.kind == "scan"]
    assert job.params == {"dataset": "tiny", "turned": True}
    assert page.button(key="rescan-busy").disabled and "rescan-start" not in keys(page)
    assert jobs.step() is not None
    page.run()
    assert "scanned just now, turned copies too" in words(page)


def test_a_deep_scan_says_so_and_promises_no_more(tiny: Dataset, open_page: Open) -> None:
    """The heading names the network, nothing points deeper, and scanning again begins as the last scan was."""
    write_findings(tiny.path, combined([]), fingerprint=tiny.fingerprint, deep="starter", turned=False)
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "deep scan with starter, just now" in words(page)
    assert "fast scan" not in words(page) and "queue-deeper" not in keys(page)
    assert page.button_group(key="rescan-way").value == "deep"
    click(page, "deep-scan-again")
    assert [job.params["run"] for job in jobs.list_jobs() if job.kind == "scan"] == ["starter"]


def test_a_deep_scan_without_its_network_says_so(scanned: Dataset, open_page: Open) -> None:
    """The run is gone when its turn comes: one sentence, and it can be put away or done without a network."""
    jobs.submit("scan", {"dataset": "tiny", "deep": True, "run": "gone"}, title="Deep scan of tiny")
    jobs.step()
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "Can't find run 'gone'" in page.error[0].value and "starter" in page.error[0].value
    assert {"scan-resume", "rescan-start"} <= keys(page)
    click(page, "scan-away")
    assert not page.error and "scan-resume" not in keys(page)


def test_a_group_is_excluded_by_one_click_and_comes_back_by_one(scanned: Dataset, open_page: Open) -> None:
    """The card says what was found; excluded, undone and redone, the ledger and the page agree."""
    page = open_page(PAGE, dataset="tiny")
    assert "The same picture as 2 others, which carry 2 different labels." in words(page)
    assert "<b>48</b> of 48 images" in words(page)
    click(page, "exclude-group-0")
    assert np.flatnonzero(~decisions.judge(scanned).included).tolist() == [0, 46, 47]
    assert "<b>45</b> of 48 images" in words(page) and "Excluded 3 images" in words(page)
    assert page.toast[0].value == "Excluded 3 images"
    click(page, "undo-1")
    assert decisions.judge(scanned).included.all()
    assert "· undone" in words(page)
    click(page, "redo-1")
    assert (~decisions.judge(scanned).included).sum() == 3


def test_the_advice_keeps_the_label_that_most_agree_on(scanned: Dataset, open_page: Open) -> None:
    """Of three copies, two labelled alike: one click keeps one of these and settles the card."""
    page = open_page(PAGE, dataset="tiny")
    assert page.button(key="as-0-group-0").label == "Keep Basophil"
    click(page, "as-0-group-0")
    assert np.flatnonzero(~decisions.judge(scanned).included).tolist() == [46, 47]
    assert "as-0-group-0" not in keys(page)


def test_decisions_carry_why_and_who(scanned: Dataset, open_page: Open) -> None:
    """The kinds of finding are the reason; the name field signs."""
    page = open_page(PAGE, dataset="tiny")
    page.text_input(key="who-field").set_value("  Ada  ").run()
    click(page, "keep-group-0")
    entry = decisions.log(scanned).iloc[0]
    assert (entry["who"], entry["action"]) == ("Ada", "keep")
    assert "Conflicting labels" in entry["why"] and "Exact duplicates" in entry["why"]
    assert "Ada" in words(page)


def test_a_single_image_is_kept_excluded_relabelled_or_flagged(tiny: Dataset, open_page: Open) -> None:
    """Each of four images gets another decision; the queue empties card by card."""
    find(tiny, finding_table("blurred", [3, 4, 5, 6], [0.9, 0.8, 0.7, 0.6], "soft"))
    page = open_page(PAGE, dataset="tiny")
    click(page, "class-2-image-3")
    click(page, "keep-image-4")
    choose(page, "flag-why-image-6", 1)
    click(page, "exclude-image-5")
    now = decisions.judge(tiny)
    assert now.labels[3] == 2 and now.decided[[3, 4, 5]].all() and now.flagged[6]
    assert np.flatnonzero(~now.included).tolist() == [5]
    assert decisions.log(tiny).set_index("index").loc[6, "why"] == "Ask an expert"
    assert "All decided" in words(page) and "1 card put aside" in words(page)


def test_a_menu_gives_another_label_to_a_whole_group(tiny: Dataset, open_page: Open) -> None:
    """The suggested label comes first in the menu and says that it is."""
    find(
        tiny,
        finding_table("exact_duplicate", [9, 10, 11, 12], 0.99, "same", group=9),
        finding_table("label_conflict", [1, 2], 0.6, "conflict", group=1, suggested=5),
    )
    page = open_page(PAGE, dataset="tiny")
    assert page.menu_button(key="relabel-group-1").options[0] == "Monocyte (suggested)"
    choose(page, "relabel-group-1", 0)
    assert (decisions.judge(tiny).labels[[1, 2]] == 5).all()


def test_filters_show_and_never_decide(tiny: Dataset, open_page: Open) -> None:
    """Kind, state and class choose cards; they are in the address, and no decision is lost by them."""
    find(
        tiny,
        finding_table("blurred", [8, 9], 0.7, "soft"),
        finding_table("dark", [10], 0.8, "dim"),
    )
    page = open_page(PAGE, dataset="tiny")
    click(page, "exclude-image-10")
    page.pills(key="finding-box").set_value("dark").run()
    assert "Nothing here" in words(page)
    assert page.query_params["finding"] == "dark"
    click(page, "clear-filters")
    page.segmented_control(key="show-box").set_value("decided").run()
    assert "exclude-image-10" in keys(page) and "exclude-image-8" not in keys(page)
    page.segmented_control(key="show-box").set_value("all").run()
    page.selectbox(key="labelled-box").set_value(tiny.classes[tiny.labels[9]].key).run()
    assert {"exclude-image-9"} <= keys(page) and "exclude-image-8" not in keys(page)
    assert not page.exception
    assert np.flatnonzero(~decisions.judge(tiny).included).tolist() == [10]


def test_an_address_with_filters_opens_with_them(tiny: Dataset, open_page: Open) -> None:
    """A link to a kind and a page shows these; nonsense in it is passed over."""
    find(tiny, finding_table("blurred", range(40), 0.7, "soft"), finding_table("dark", [41], 0.8, "dim"))
    page = open_page(PAGE, dataset="tiny", finding="blurred", sheet="2")
    assert not page.exception
    assert page.pills(key="finding-box").value == "blurred"
    assert "exclude-image-30" in keys(page) and "exclude-image-1" not in keys(page)
    page = open_page(PAGE, dataset="tiny", finding="no such kind", sheet="many", show="?", labelled="?")
    assert not page.exception
    assert "exclude-image-41" in keys(page)


def test_a_page_holds_at_most_120_pictures(tiny: Dataset, open_page: Open) -> None:
    """However much is found, a page stays light, and the next one shows the rest."""
    find(tiny, finding_table("blurred", range(48), np.linspace(0.9, 0.5, 48), "soft"))
    page = open_page(PAGE, dataset="tiny")
    assert words(page).count('<img class="cell') == 24
    page.pagination(key="sheet-1-2").set_value(2).run()
    assert not page.exception
    assert "exclude-image-47" in keys(page) and "exclude-image-0" not in keys(page)


def test_all_cards_of_a_filter_are_decided_at_once_and_undone_at_once(tiny: Dataset, open_page: Open) -> None:
    """The advice for all: singles go, of copies one stays; it is one entry in the history."""
    find(
        tiny,
        finding_table("blurred", [8, 9], 0.7, "soft"),
        finding_table("exact_duplicate", [1, 2, 3], 0.7, "same", group=1),
    )
    page = open_page(PAGE, dataset="tiny")
    choose(page, "all-cards", 0)
    assert np.flatnonzero(~decisions.judge(tiny).included).tolist() == [2, 3, 8, 9]
    assert "All decided" in words(page)
    click(page, "undo-1")
    assert decisions.judge(tiny).included.all()


def test_some_images_of_a_group_are_chosen(scanned: Dataset, open_page: Open) -> None:
    """In the closer look two of three are picked and excluded; then the page's keys work again."""
    page = open_page(PAGE, dataset="tiny")
    assert page.button(key="keep-group-0").proto.shortcut == "k"
    click(page, "closer-group-0")
    page.segmented_control(key="closer-view").set_value("some").run()
    assert page.button(key="closer-exclude").disabled
    assert not page.button(key="keep-group-0").proto.shortcut
    page.session_state[closer.PICKER] = {"picked": [46, 47]}
    page.run()
    assert "2 images chosen" in words(page)
    click(page, "closer-exclude")
    assert np.flatnonzero(~decisions.judge(scanned).included).tolist() == [46, 47]
    assert "closer-exclude" not in keys(page)


def test_another_tab_sees_what_was_decided_here(scanned: Dataset, open_page: Open) -> None:
    """Decisions are on disk: a second tab shows them as soon as it is drawn, and may undo them."""
    here, there = open_page(PAGE, dataset="tiny"), open_page(PAGE, dataset="tiny")
    click(here, "exclude-group-0")
    there.run()
    assert "<b>45</b> of 48 images" in words(there)
    click(there, "undo-1")
    here.run()
    assert "<b>48</b> of 48 images" in words(here)


def test_undoing_what_another_tab_undid_is_said(scanned: Dataset, open_page: Open) -> None:
    """A click on a button that is out of date gives one sentence, and nothing happens twice."""
    page = open_page(PAGE, dataset="tiny")
    click(page, "exclude-group-0")
    decisions.undo(scanned, batch=1)
    page.button(key="undo-1").click().run()
    assert not page.exception
    assert "undone already" in page.error[0].value


def test_a_long_history_opens_in_full(tiny: Dataset, open_page: Open) -> None:
    """The side shows the newest entries, the ledger all of them."""
    find(tiny, finding_table("dark", [40], 0.8, "dim"))
    for index in range(side.RECENT + 3):
        decisions.record(tiny, [index], "keep")
    page = open_page(PAGE, dataset="tiny")
    assert "undo-9" in keys(page) and "undo-1" not in keys(page)
    click(page, "history-all")
    assert "ledger-undo-1" in keys(page) and page.query_params["view"] == "ledger"
    click(page, "ledger-undo-1")
    assert not decisions.judge(tiny).decided[0]


def test_what_remains_is_exported(scanned: Dataset, open_page: Open, tmp_path: Path) -> None:
    """A job writes the remaining images and labels; the page says where; nothing there is overwritten unasked."""
    page = open_page(PAGE, dataset="tiny")
    click(page, "exclude-group-0")
    out = tmp_path / "out" / "clean"
    page.text_input(key="export-path-tiny-clean.npz").set_value(str(out)).run()
    click(page, "export-write")
    assert page.button(key="export-write").disabled and "export-job-stop" in keys(page)
    assert jobs.step() is not None
    page.run()
    with np.load(out.with_suffix(".npz")) as written:
        assert written["images"].shape == (45, 96, 96, 3) and written["labels"].shape == (45, 1)
    assert "45 images" in page.success[0].value
    page.text_input(key="export-path-tiny-clean.npz").set_value(str(out)).run()
    page.button(key="export-write").click().run()
    assert "there already" in page.error[0].value
    page.checkbox(key="export-replace").check().run()
    click(page, "export-write")
    assert jobs.open_job(jobs.list_jobs()[0].id).params["replace"] is True


def test_what_remains_is_exported_as_pictures(scanned: Dataset, open_page: Open) -> None:
    """Another format has another place, suggested free; an export that failed says why and can be put away."""
    page = open_page(PAGE, dataset="tiny")
    page.selectbox(key="export-to").set_value("folders").run()
    folder = Path(page.text_input(key="export-path-tiny-clean").value)
    assert folder.name == "tiny-clean"
    click(page, "export-write")
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    jobs.step()
    page.run()
    assert "is a file, and a folder is to be written" in page.error[0].value
    page.button(key="export-job-away").click().run()
    assert Path(page.text_input(key="export-path-tiny-clean-2").value).name == "tiny-clean-2"
    click(page, "export-write")
    jobs.step()
    page.run()
    assert len(list(folder.with_name("tiny-clean-2").rglob("*.png"))) == 48
    assert "48 images" in page.success[0].value


def test_nothing_found_is_good_news(tiny: Dataset, open_page: Open) -> None:
    """A clean dataset says so, and what that does not prove."""
    find(tiny)
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "Nothing found" in words(page)


def test_damaged_findings_are_said_and_scanned_anew(scanned: Dataset, open_page: Open) -> None:
    """A cut file gives one sentence and the button that mends it."""
    file = scanned.path / "findings.parquet"
    file.write_bytes(file.read_bytes()[:50])
    page = open_page(PAGE, dataset="tiny")
    assert not page.exception
    assert "scan it again" in page.error[0].value
    assert "scan" in keys(page)


def test_names_of_classes_are_text_and_never_markup(home: Path, open_page: Open, tmp_path: Path) -> None:
    """A class called like a tag is shown as it is written."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    for folder in ("<img src=x onerror=alert(1)>", "plain"):
        (tmp_path / "set" / folder).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "set" / folder / "one.png")
    dataset = import_source(tmp_path / "set", name="odd")
    scan(dataset)
    found = read_findings(dataset)
    assert found is not None and "label_conflict" in set(found["kind"])
    page = open_page(PAGE, dataset="odd")
    assert not page.exception
    assert "<img src=x" not in words(page)
