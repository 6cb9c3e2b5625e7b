"""What the deep scan finds among real cells: the promises of the review, on faults it was not made for."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.planting import plant
from bloodapp.review.scan import read_findings, scan
from bloodapp.review.scoreboard import budget, score
from bloodapp.review.thresholds import above, thresholds
from bloodapp.review.truth import known_faults
from tests.conftest import archive_of_real_cells

SEED, FAULTS = 7, 500

PROMISED = {
    "exact_duplicate": 0.99,
    "near_duplicate": 0.95,
    "foreign": 0.98,
    "blurred": 0.95,
    "exposure": 0.95,
    "blend": 0.80,
    "mislabelled": 0.90,
}
"""The least recall of each fault; light is one promise, whether there is too little or too much of it."""

LEAST_PRECISION = 0.80
LOOKED_AT, SHARE = 600, 0.95


@dataclass(frozen=True)
class Judged:
    """A dataset with planted faults and what was found in it."""

    dataset: Dataset
    findings: pd.DataFrame
    known: pd.DataFrame


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """The 1,712 real cells of the val part with 500 faults among them, scanned deep once."""
    archive = archive_of_real_cells()
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("found")
        patch.setenv("BLOODAPP_HOME", str(folder / "home"))
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder, [name for name in opened.namelist() if name.startswith("val/")])
        dataset = plant(import_source(folder / "val", name="cells"), "planted", seed=SEED, faults=FAULTS)
        scan(dataset, deep=True, run="starter")
        findings = read_findings(dataset)
        assert findings is not None and dataset.truth is not None
        yield Judged(dataset, findings, known_faults(dataset.truth, dataset.labels))


@pytest.mark.parametrize("fault", PROMISED)
def test_each_fault_is_found_under_its_own_kind(judged: Judged, fault: str) -> None:
    """Recall as promised, at a precision of at least four in five; what was missed is said by its position."""
    kinds = ("dark", "bright") if fault == "exposure" else (fault,)
    limits = thresholds(judged.dataset)
    each = [score(judged.findings, judged.known, kind, limits[kind]) for kind in kinds]
    planted, flagged = sum(one.planted for one in each), sum(one.flagged for one in each)
    assert planted >= 20
    missed, wrong = (
        np.concatenate([getattr(one, name) for one in each]).tolist() for name in ("missed", "wrong")
    )
    assert 1 - len(missed) / planted >= PROMISED[fault], f"missed {missed}"
    assert 1 - len(wrong) / flagged >= LEAST_PRECISION, f"flagged wrongly {wrong}"


def test_the_first_six_hundred_images_hold_nearly_all_faults(judged: Judged) -> None:
    """Whoever looks at 600 of 1,900 images in the order of the findings has seen 95 % of the faults."""
    order = above(judged.findings, thresholds(judged.dataset))["index"]
    held = budget(order, judged.known, len(judged.dataset))
    assert held.faults >= 0.95 * FAULTS
    assert held.share(LOOKED_AT) >= SHARE


def test_a_foreign_picture_is_nothing_else_besides_a_copy(judged: Judged) -> None:
    """What shows no cell is neither dark nor blurred nor mislabelled: hardly any has a second fault of a cell."""
    planted = judged.known[judged.known["kind"] == "foreign"]["index"]
    counted = above(judged.findings, thresholds(judged.dataset))
    cells = counted[counted["kind"].isin(["blend", "blurred", "dark", "bright", "mislabelled"])]
    assert planted.isin(cells["index"]).mean() <= 0.05
