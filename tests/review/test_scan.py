"""The scan: on a small dataset in full, on the drawn sample against its truth, on the real cells with its limits."""

import os
from pathlib import Path

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge
from bloodapp.data.importing import import_source
from bloodapp.errors import NotFound, Stopped, Unreadable
from bloodapp.review.findings import COLUMNS, FILE, KINDS
from bloodapp.review.queue import cards
from bloodapp.review.scan import DEEP, DETECTED, current_findings, read_findings, scan, work
from bloodapp.review.thresholds import FLOOR, choose_threshold, reach
from tests.made import give_model, make_run

REAL_CELLS = 11_959


class Watcher:
    """A job's context that remembers."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.seen: list[tuple[int, int, str]] = []
        self.stop_after = stop_after

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Remember how far it is."""
        self.seen.append((done, total, text))

    def stopped(self) -> bool:
        """Whether enough was seen."""
        return len(self.seen) >= self.stop_after


def test_the_planted_copies_are_found(tiny: Dataset) -> None:
    """Images 46 and 47 are image 0 again, 47 under a wrong label: one group, one label in doubt."""
    found = scan(tiny)
    copies = found[found["kind"] == "exact_duplicate"]
    assert sorted(copies["index"]) == [0, 46, 47]
    conflict = found[found["kind"] == "label_conflict"].set_index("index")
    assert sorted(conflict.index) == [0, 46, 47]
    assert conflict["suggested"].to_dict() == {0: -1, 46: -1, 47: 0}
    assert conflict["score"].idxmax() == 47
    assert copies.loc[copies["index"] == 0, "score"].item() < FLOOR


def test_findings_are_a_table_in_the_agreed_form(tiny: Dataset) -> None:
    """One row for an image and a kind, most urgent first, scores within 0 and 1, words in every row."""
    found = scan(tiny)
    assert {name: str(kind) for name, kind in found.dtypes.items()}.keys() == COLUMNS.keys()
    assert found["score"].between(0, 1).all() and found["score"].is_monotonic_decreasing
    assert not found.duplicated(["index", "kind"]).any()
    assert found["kind"].isin(DETECTED).all() and found["reason"].str.len().gt(0).all()
    assert (reach(found) >= FLOOR).all()


def test_the_vocabulary_names_every_kind_that_is_looked_for() -> None:
    """What every scan looks for and what only a deep one does are all the kinds there are, none twice."""
    assert sorted((*DETECTED, *DEEP)) == sorted(KINDS)


def test_findings_are_kept_with_the_images_they_speak_of(tiny: Dataset) -> None:
    """They are read back as written, with their time; those of other images are none."""
    assert read_findings(tiny) is None
    written = scan(tiny)
    again = read_findings(tiny)
    assert again is not None and again.equals(written)
    assert again.attrs["scanned"].endswith("Z")
    assert (again.attrs["deep"], again.attrs["turned"]) == ("", False)
    other = Dataset(tiny.path, tiny.name, tiny.classes, tiny.size, "another", tiny.source, tiny.facts)
    assert read_findings(other) is None


def test_a_damaged_file_is_said_to_be_damaged(tiny: Dataset) -> None:
    """A cut file of findings gives one sentence that says what to do."""
    scan(tiny)
    file = tiny.path / FILE
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(Unreadable, match="scan it again"):
        read_findings(tiny)


def test_what_counts_moves_with_the_thresholds(tiny: Dataset) -> None:
    """The file holds all down to the floor; what counts is read from it without another scan."""
    assert current_findings(tiny) is None
    written = scan(tiny)
    counted = current_findings(tiny)
    assert counted is not None and counted.attrs["scanned"] == written.attrs["scanned"]
    assert counted.equals(written[reach(written) >= 0.5].reset_index(drop=True))
    for kind in KINDS:
        choose_threshold(tiny, kind, FLOOR)
    everything = current_findings(tiny)
    assert everything is not None and everything.equals(written)
    choose_threshold(tiny, "exact_duplicate", 1.0)
    fewer = current_findings(tiny)
    assert fewer is not None and "exact_duplicate" not in set(fewer["kind"])


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_stopped_scan_changes_nothing(tiny: Dataset, after: int) -> None:
    """Stopped at any moment, the earlier findings stay."""
    scan(tiny)
    before = (tiny.path / FILE).read_bytes()
    watcher = Watcher(stop_after=after)
    with pytest.raises(Stopped):
        scan(tiny, watcher.progress, watcher.stopped)
    assert (tiny.path / FILE).read_bytes() == before


def test_turned_copies_are_found_on_demand(tiny: Dataset, tmp_path: Path) -> None:
    """A mirrored and a turned copy: unseen by default, near duplicates when asked for, and the file says so."""
    images = np.concatenate([tiny.images[:40], tiny.images[3][:, ::-1][None], np.rot90(tiny.images[4])[None]])
    file = tmp_path / "turned.npz"
    np.savez(file, images=images, labels=np.zeros((42, 1), np.uint8))
    dataset = import_source(file)
    plain, turned = scan(dataset), scan(dataset, turned=True)
    assert not plain["index"][plain["kind"] == "near_duplicate"].isin([40, 41]).any()
    near = turned[turned["kind"] == "near_duplicate"].set_index("index")["group"]
    assert near.to_dict() == {3: 3, 40: 3, 4: 4, 41: 4}
    found = read_findings(dataset)
    assert found is not None and found.attrs["turned"] is True


def test_leaks_and_odd_sizes_come_from_what_the_import_knows(tiny: Dataset, tmp_path: Path) -> None:
    """A picture in training and test is leakage; parts are given by the source."""
    file = tmp_path / "parts.npz"
    arrays = {
        "train_images": tiny.images[:30],
        "train_labels": tiny.labels[:30, None].astype(np.uint8),
        "test_images": np.concatenate([tiny.images[30:40], tiny.images[5:7]]),
        "test_labels": np.concatenate([tiny.labels[30:40], tiny.labels[5:7]])[:, None].astype(np.uint8),
    }
    np.savez(file, **arrays)
    found = scan(import_source(file))
    leaks = found[found["kind"] == "leakage"]
    assert sorted(leaks["index"]) == [5, 6, 40, 41]
    assert sorted(leaks.loc[leaks["score"] >= 0.5, "index"]) == [5, 6]


def test_the_job_counts_what_counts_and_tells_how_far_it_is(tiny: Dataset) -> None:
    """Progress never falls and ends at its total; the result counts by kind what reaches its threshold."""
    watcher = Watcher()
    result = work({"dataset": "tiny"}, watcher)
    counted = current_findings(tiny)
    assert counted is not None and result["findings"] == len(counted)
    assert result["kinds"]["exact_duplicate"] == 3
    done = [entry[0] for entry in watcher.seen]
    assert done == sorted(done) and watcher.seen[-1][0] == watcher.seen[-1][1]
    assert len({total for _, total, _ in watcher.seen}) == 1


def test_a_few_pictures_are_not_called_deeply_scanned(tiny: Dataset) -> None:
    """Nothing is usual among 46 distinct pictures: the network is not asked, and the findings do not name it."""
    assert scan(tiny, deep=True).attrs["deep"] == ""


def test_the_job_looks_as_it_is_told(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its params name a network and ask for turned copies; what they leave out is off."""
    give_model(make_run(tiny, "looker"))
    monkeypatch.setattr("bloodapp.review.scan.enough", lambda found: True)
    monkeypatch.setattr("bloodapp.review.scan.deepened", lambda reading, run, found: found)
    for params, expected in (
        ({"deep": True, "run": "looker", "turned": True}, ("looker", True)),
        ({"deep": True, "run": None}, ("starter", False)),
        ({"deep": False, "run": "looker"}, ("", False)),
        ({"turned": True}, ("", True)),
    ):
        work({"dataset": "tiny", **params}, Watcher())
        found = read_findings(tiny)
        assert found is not None
        assert (found.attrs["deep"], found.attrs["turned"]) == expected
    with pytest.raises(NotFound, match="nobody"):
        work({"dataset": "tiny", "deep": True, "run": "nobody"}, Watcher())


@pytest.mark.parametrize(
    "kind", ["exact_duplicate", "near_duplicate", "label_conflict", "dark", "bright", "blurred"]
)
def test_every_fault_planted_in_the_sample_is_found(sample: Dataset, kind: str) -> None:
    """On the drawn sample each detector finds all that was planted, and nothing else reaches its threshold."""
    found = current_findings(sample)
    assert found is not None and sample.truth is not None
    planted = sample.truth.loc[sample.truth["kind"] == kind, "index"]
    assert sorted(found.loc[found["kind"] == kind, "index"]) == sorted(planted)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The drawn sample, scanned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOODAPP_HOME", str(tmp_path_factory.mktemp("home")))
        dataset = import_source("sample")
        scan(dataset)
        return dataset


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The real cells with two pictures copied 1,800 times, scanned."""
    file = Path(os.environ.get("BLOODAPP_COURSE_NPZ", ""))
    if not file.is_file():
        pytest.skip("needs the real cells: set BLOODAPP_COURSE_NPZ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOODAPP_HOME", str(tmp_path_factory.mktemp("home")))
        dataset = import_source(file, name="course")
        scan(dataset)
        return dataset


def test_all_copied_pictures_are_found_and_hardly_a_real_cell(course: Dataset) -> None:
    """All 1,800 as copies under different labels; at most 40 real cells among the duplicates of any kind."""
    dataset = course
    found = current_findings(dataset)
    assert found is not None
    copied = np.arange(REAL_CELLS, len(dataset))
    for kind in ("exact_duplicate", "label_conflict"):
        assert np.isin(copied, found.loc[found["kind"] == kind, "index"]).all()
    kinds = found["kind"].isin(["exact_duplicate", "near_duplicate", "label_conflict"])
    real = found[kinds & (found["index"] < REAL_CELLS)]
    assert real["index"].nunique() <= 40


def test_the_copied_pictures_are_the_first_two_cards(course: Dataset) -> None:
    """Two cards hold them all, and they come first."""
    dataset = course
    found = current_findings(dataset)
    assert found is not None
    one, two = cards(found, judge(dataset))[:2]
    assert sorted([len(one.indices), len(two.indices)]) == [200, 1600]


def test_quality_detectors_leave_real_cells_alone(course: Dataset) -> None:
    """Of 11,959 real cells fewer than 12 (1 in 1,000) are called dark, bright, blurred or empty."""
    dataset = course
    found = current_findings(dataset)
    assert found is not None
    quality = found["kind"].isin(["dark", "bright", "blurred", "low_information"])
    assert found[quality & (found["index"] < REAL_CELLS)]["index"].nunique() < 12
