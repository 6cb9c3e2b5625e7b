"""A group side by side and keeper rules for all groups of a kind, through AppTest and on the command line."""

import io
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bloodapp.cli import main
from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.findings import combined, finding_table, write_findings
from bloodapp.ui.review import group
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/1_Review.py"


@pytest.fixture
def found(tiny: Dataset) -> Dataset:
    """Three groups of exact copies, the second without a majority, and two near ones; 0, 46 and 47 are one picture."""
    tables = [
        finding_table("exact_duplicate", [0, 46, 47], [0.02, 0.97, 0.97], "same", group=0),
        finding_table("exact_duplicate", [9, 10], [0.02, 0.97], "same", group=9),
        finding_table("exact_duplicate", [16, 24, 32], [0.02, 0.97, 0.97], "same", group=16),
        finding_table("near_duplicate", [3, 4], [0.02, 0.97], "nearly", group=3),
    ]
    write_findings(tiny.path, combined(tables), fingerprint=tiny.fingerprint)
    return tiny


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the component was given last; an `act` put into it is done at the next run, as if it had been pressed."""
    seen: dict = {}
    whole = group.beside

    def spy(data: dict, *, key: str, on_act: Callable[[dict], None]) -> None:
        act = seen.pop("act", None)
        seen.clear()
        seen.update(data)
        if act is not None:
            on_act(act)
        whole(data, key=key, on_act=on_act)

    monkeypatch.setattr(group, "beside", spy)
    return seen


def opened(page: AppTest, card: str) -> AppTest:
    """Open a group's dialog."""
    page.button(key=f"closer-{card}").click().run()
    assert not page.exception
    return page


def test_a_group_opens_with_what_differs(found: Dataset, open_page: Open, shown: dict) -> None:
    """The kept one, the others once for each label, the differing data marked, and what stands behind."""
    opened(open_page(PAGE, dataset="tiny"), "group-0")
    assert (shown["kept"]["id"], shown["total"], shown["pages"]) == (0, 2, 1)
    assert [one["id"] for one in shown["others"]] == [47, 46]
    other = shown["others"][0]
    assert (other["words"], other["figures"], other["heat"]) == ("identical in every pixel", "", "")
    facts = {name: (left, right, differs) for name, left, right, differs in other["facts"]}
    assert facts["Label"] == ("Basophil", "Platelet", True)
    assert facts["Part"] == ("none", "none", False)
    assert facts["Sharpness"][0] == facts["Sharpness"][1] and not facts["Sharpness"][2]
    assert shown["whole"] == "Keep image 0, exclude 2"


def test_different_pictures_come_with_a_heat_map_and_outlines(
    found: Dataset, open_page: Open, shown: dict
) -> None:
    """The heat is transparent where nothing differs, amplified as said, and every place has an outline."""
    opened(open_page(PAGE, dataset="tiny", finding="near_duplicate"), "group-3")
    (other,) = shown["others"]
    assert other["outline"].startswith("M") and "changed in" in other["words"] and other["size"] == 96
    heat = np.asarray(Image.open(io.BytesIO(b64decode(other["heat"].split(",")[1]))).convert("RGBA"))
    assert heat.shape == (96, 96, 4) and other["times"] >= 1
    same = (found.images[3] == found.images[4]).all(axis=2)
    assert (heat[~same][:, 3] > 0).mean() > 0.9


def test_many_identical_images_stand_behind_one(
    home: Path, tmp_path: Path, open_page: Open, shown: dict
) -> None:
    """Of 300 copies under two labels two are shown; the rest is a number, and one press is about all like it."""
    rng = np.random.default_rng(3)
    images = np.repeat(rng.integers(0, 255, (1, 96, 96, 3), np.uint8), 300, axis=0)
    labels = np.where(np.arange(300) < 100, 0, 3)
    np.savez(tmp_path / "many.npz", images=images, labels=labels[:, None])
    dataset = import_source(tmp_path / "many.npz", name="many")
    table = finding_table("exact_duplicate", range(300), 0.97, "same", group=0)
    write_findings(dataset.path, combined([table]), fingerprint=dataset.fingerprint)
    opened(open_page(PAGE, dataset="many"), "group-0")
    assert [(one["id"], one["number"]) for one in shown["others"]] == [(100, 200), (1, 99)]
    assert shown["folded"].startswith("299 are identical to image 0 in every pixel. 297 images stand behind")


def test_large_groups_are_paged(home: Path, tmp_path: Path, open_page: Open, shown: dict) -> None:
    """Twelve different pictures a page, the most different first; the page is the component's."""
    rng = np.random.default_rng(4)
    plain = rng.integers(60, 180, (24, 24, 3)).astype(np.float32).repeat(4, 0).repeat(4, 1)
    images = np.repeat(plain[None], 31, axis=0).astype(np.uint8)
    for number, image in enumerate(images):
        image[:, :number] = 240 - image[:, :number]
    np.savez(tmp_path / "noisy.npz", images=images, labels=np.zeros((31, 1), int))
    dataset = import_source(tmp_path / "noisy.npz", name="noisy")
    table = finding_table("near_duplicate", range(31), 0.97, "nearly", group=0)
    write_findings(dataset.path, combined([table]), fingerprint=dataset.fingerprint)
    page = opened(open_page(PAGE, dataset="noisy"), "group-0")
    assert (shown["total"], shown["pages"], len(shown["others"])) == (30, 3, 12)
    assert [one["id"] for one in shown["others"]] == list(range(30, 18, -1))
    page.session_state[group.KEY] = {"page": 3}
    page.run()
    assert not page.exception
    assert (shown["page"], shown["before"], [one["id"] for one in shown["others"]][-1]) == (3, 24, 1)


def test_what_is_pressed_is_recorded_and_undone(found: Dataset, open_page: Open, shown: dict) -> None:
    """Exclude, relabel, another one to keep, keep it and exclude the rest, undo: each is one batch of the ledger."""
    page = opened(open_page(PAGE, dataset="tiny"), "group-0")

    def act(**what: object) -> None:
        shown["act"] = what
        page.run().run()  # AppTest presses nothing in a component: done in the first run, shown in the second
        assert not page.exception

    act(action="exclude", id=47)
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [47]
    assert (
        shown["others"][0]["state"] == "excluded" and shown["said"] == "Excluded 1 image." and shown["undo"]
    )
    act(action="undo", id=47)
    assert decisions.judge(found).included.all() and not shown["undo"]
    act(action="relabel", id=46, label=3)
    assert decisions.judge(found).labels[46] == 3
    act(action="keeper", id=46)
    assert shown["kept"]["id"] == 46 and shown["whole"] == "Keep image 46, exclude 2"
    act(action="whole", id=0)
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [0, 47]
    assert decisions.log(found).iloc[0]["why"] == "Exact duplicates; one is kept"


def test_a_rule_says_what_it_would_do_and_does_it_at_once(found: Dataset, open_page: Open) -> None:
    """Nothing happens before the click; then one batch, which one undo takes back."""
    page = open_page(PAGE, dataset="tiny")
    page.selectbox(key="rules-rule").set_value("majority").run()
    said = "Keeps 2, excludes 4 of 6 images in 2 groups; 1 group has no majority and stays open."
    assert said in words(page)
    assert decisions.last_seq(found) == 0
    page.button(key="rules-do").click().run()
    assert not page.exception
    assert np.flatnonzero(~decisions.judge(found).included).tolist() == [24, 32, 46, 47]
    assert set(decisions.log(found)["batch"]) == {1}
    assert "2 groups are decided already" in words(page) and page.button(key="rules-do").disabled
    page.button(key="undo-1").click().run()
    assert decisions.judge(found).included.all()


def test_the_command_line_counts_the_same(
    found: Dataset, open_page: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run prints the page's sentence and decides nothing; the real one excludes as many."""
    from bloodapp.review.scan import current_findings

    table = current_findings(found)
    assert table is not None
    table.to_csv(tmp_path / "found.csv", index=False)
    page = open_page(PAGE, dataset="tiny")
    ask = ["decide", "tiny", "--from", str(tmp_path / "found.csv"), "--kind", "exact_duplicate"]
    for rule in ("advised", "first", "sharpest", "largest", "majority", "none"):
        page.selectbox(key="rules-rule").set_value(rule).run()
        assert main([*ask, "--action", f"keeper={rule}", "--dry-run"]) == 0
        assert capsys.readouterr().out.strip() in words(page), rule
    assert decisions.last_seq(found) == 0
    assert main([*ask, "--action", "keeper=majority"]) == 0
    assert capsys.readouterr().out.split() == ["batch", "1", "exclude", "4", "images"]
    assert main([*ask, "--action", "exclude", "--dry-run"]) == 2
