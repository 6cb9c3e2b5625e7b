"""The deep scan on the drawn sample: what a network adds, what it puts right, and what happens when it cannot."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.data.sample import draw_sample
from bloodapp.errors import NotFound, Stopped
from bloodapp.review import deep
from bloodapp.review.features import ABOUT
from bloodapp.review.features import FILE as FEATURES
from bloodapp.review.findings import FILE, combined, finding_table
from bloodapp.review.planting import plant
from bloodapp.review.scan import DEEP, read_findings, scan
from bloodapp.review.scoreboard import score
from bloodapp.review.thresholds import above, thresholds
from bloodapp.review.truth import known_faults
from tests.made import give_model, make_run

OF_A_CELL = ["blend", "blurred", "dark", "bright", "mislabelled"]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    """The drawn sample with 60 more faults in it, scanned with the starter's network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOODAPP_HOME", str(tmp_path_factory.mktemp("home")))
        dataset = plant(import_source("sample"), "planted", seed=5, faults=60)
        scan(dataset, deep=True)
        yield dataset


def counted(dataset: Dataset) -> pd.DataFrame:
    """The findings that reach their thresholds."""
    found = read_findings(dataset)
    assert found is not None
    return above(found, thresholds(dataset))


def known(dataset: Dataset) -> pd.DataFrame:
    """The truth."""
    assert dataset.truth is not None
    return known_faults(dataset.truth, dataset.labels)


def test_the_file_says_which_network_looked(scanned: Dataset) -> None:
    """The starter, as no other was named; and its features are kept with the images."""
    found = read_findings(scanned)
    assert found is not None and found.attrs["deep"] == "starter"
    assert len(np.load(scanned.path / FEATURES)) == len(scanned)
    assert set(DEEP) <= set(found["kind"])


@pytest.mark.parametrize(
    ("kind", "recall", "precision"),
    [
        ("exact_duplicate", 1.0, 1.0),
        ("near_duplicate", 0.95, 0.95),
        ("foreign", 0.95, 0.8),
        ("blurred", 0.9, 0.8),
        ("dark", 0.9, 0.8),
        ("bright", 0.9, 0.8),
        ("blend", 0.7, 0.7),
        ("mislabelled", 0.6, 0.6),
    ],
)
def test_drawn_faults_are_found(scanned: Dataset, kind: str, recall: float, precision: float) -> None:
    """The network never saw a drawn cell, and tells most faults all the same."""
    found = read_findings(scanned)
    assert found is not None
    one = score(found, known(scanned), kind, 0.5)
    assert one.recall is not None and one.recall >= recall, one.missed.tolist()
    assert one.precision is not None and one.precision >= precision, one.wrong.tolist()


def test_suggested_labels_are_those_that_the_cells_have(scanned: Dataset) -> None:
    """Of the wrong labels that are found, most get the true one suggested."""
    found, truth = counted(scanned), known(scanned)
    wrong = truth[truth["kind"] == "mislabelled"].set_index("index")["true_label"]
    doubted = found[(found["kind"] == "mislabelled") & found["index"].isin(wrong.index)]
    assert (wrong[doubted["index"]].to_numpy() == doubted["suggested"].to_numpy()).mean() >= 0.8


def test_a_foreign_picture_has_no_fault_of_a_cell(scanned: Dataset) -> None:
    """What counts as foreign counts as nothing that only a cell can be, whether it is one or not."""
    found = counted(scanned)
    foreign = set(found.loc[found["kind"] == "foreign", "index"])
    assert foreign.isdisjoint(found.loc[found["kind"].isin(OF_A_CELL), "index"])


def test_a_spoilt_cell_has_no_doubtful_label(scanned: Dataset) -> None:
    """Of a blend, or of what is blurred or badly lit, nobody can tell from afar whether its label is right."""
    found = counted(scanned)
    spoilt = set(found.loc[found["kind"].isin(OF_A_CELL[:-1]), "index"])
    assert spoilt.isdisjoint(found.loc[found["kind"] == "mislabelled", "index"])


@pytest.fixture
def small(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The tiny dataset with a run that can look, a lesson of a few pictures, and enough pictures for it."""
    monkeypatch.setattr(deep, "_FEWEST", 40)
    monkeypatch.setattr(deep, "_MADE", 10)
    monkeypatch.setattr(deep, "_MORE", {})
    give_model(make_run(tiny, "looker"))
    return tiny


def test_two_halves_are_a_blend_by_their_seam(small: Dataset, tmp_path: Path) -> None:
    """A network hardly sees it; the fast scan's finding stays in the deep one."""
    cells = draw_sample()
    good = np.setdiff1d(np.arange(len(cells.labels)), cells.truth["index"])[:80]
    images = cells.images[good].copy()
    images[7, :, 48:] = images[30, :, 48:]
    file = tmp_path / "halves.npz"
    np.savez(file, images=images, labels=cells.labels[good, None].astype(np.uint8))
    found = scan(import_source(file), deep=True, run="looker")
    blends = found[found["kind"] == "blend"].set_index("index")
    assert blends.loc[7, "score"] >= 0.5 and "a seam runs through it" in blends.loc[7, "reason"]


def test_a_later_fast_scan_says_that_it_was_fast(small: Dataset) -> None:
    """The deep kinds are gone, and so is the run's name; the features stay for the next deep scan."""
    scan(small, deep=True, run="looker")
    fast = scan(small)
    assert fast.attrs["deep"] == "" and not set(DEEP) & set(fast["kind"])
    assert (small.path / FEATURES).exists()


def test_the_same_scan_finds_the_same(small: Dataset) -> None:
    """Once with the features computed, once with those that were kept."""
    first = scan(small, deep=True, run="looker")
    assert scan(small, deep=True, run="looker").equals(first)


@pytest.mark.parametrize(
    "moment", ["Measuring", "Loading the network", "Looking with a network", "Spoiling", "Comparing with"]
)
def test_stopped_at_any_moment_it_leaves_what_was(small: Dataset, moment: str) -> None:
    """The earlier findings stay as they are, and there are no half features."""
    scan(small)
    before = (small.path / FILE).read_bytes()
    reached = []

    def progress(done: int, total: int, text: str) -> None:
        assert 0 <= done <= total
        if text.startswith(moment):
            reached.append(text)

    with pytest.raises(Stopped, match="nothing was changed"):
        scan(small, progress, lambda: bool(reached), deep=True, run="looker")
    assert reached
    assert (small.path / FILE).read_bytes() == before
    assert (small.path / FEATURES).exists() == (small.path / ABOUT).exists()
    if (small.path / FEATURES).exists():
        assert len(np.load(small.path / FEATURES)) == len(small)


def test_progress_rises_to_its_end(small: Dataset) -> None:
    """One total from the first word to the last, whatever is done in between."""
    seen: list[tuple[int, int]] = []
    scan(small, lambda done, total, text: seen.append((done, total)), deep=True, run="looker")
    done = [one for one, _ in seen]
    assert done == sorted(done) and len({total for _, total in seen}) == 1
    assert seen[-1][0] == seen[-1][1]


def test_any_finished_run_can_look(small: Dataset) -> None:
    """Even one that has learned nothing gives findings in the agreed form, and its name stands in them."""
    found = scan(small, deep=True, run="looker")
    assert found.attrs["deep"] == "looker"
    assert found["score"].between(0, 1).all() and not found.duplicated(["index", "kind"]).any()


def test_among_few_pictures_only_the_fast_findings(tiny: Dataset) -> None:
    """46 distinct pictures are too few to say what is unusual: the same findings, and no features."""
    fast = scan(tiny)
    assert scan(tiny, deep=True).equals(fast)
    assert not (tiny.path / FEATURES).exists()


@pytest.mark.usefixtures("nothing_shipped")
def test_without_any_network_it_says_so_before_it_begins(tiny: Dataset) -> None:
    """No finished run and no starter: a sentence at once, and nothing was looked at."""
    seen: list[str] = []
    with pytest.raises(NotFound, match="finished run"):
        scan(tiny, lambda done, total, text: seen.append(text), deep=True)
    with pytest.raises(NotFound, match="nobody"):
        scan(tiny, deep=True, run="nobody")
    assert not (tiny.path / FILE).exists() and not seen


def test_the_surer_of_two_findings_of_a_kind_counts() -> None:
    """What a measure says stays where it is surer than the network, and the reason with it."""
    kinds = ("blend", "blurred", "dark", "bright")
    group = np.arange(3)
    probabilities = np.array([[0.0, 0, 0, 1.0, 0], [0.4, 0, 0, 0.6, 0], [1.0, 0, 0, 0, 0]])
    seen = deep.Resemblance(kinds, probabilities, np.zeros(3), np.zeros(3))
    rule = finding_table("dark", [0, 1], [0.7, 0.9], "By its light")

    class Nothing:
        labels = np.full(3, -1, np.int16)
        classes = ()

    tables = deep._settled([rule], seen, np.zeros((3, 2), np.float32), group, Nothing())
    dark = best_of(tables, "dark")
    assert dark == {0: (1.0, "Looks too dark"), 1: (0.9, "By its light")}


def best_of(tables: list[pd.DataFrame], kind: str) -> dict[int, tuple[float, str]]:
    """The best score of each image of a kind, and its reason."""
    table = combined(tables)
    mine = table[table["kind"] == kind]
    return {
        index: (score, reason)
        for index, score, reason in zip(mine["index"], mine["score"], mine["reason"], strict=True)
    }
