"""What the detectors find of faults that are known, kind by kind, beside CleanVision on the same images."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source
from bloodapp.review.findings import combined, finding_table
from bloodapp.review.planting import plant
from bloodapp.review.scan import scan
from bloodapp.review.scoreboard import Score, average_precision, budget, scores
from bloodapp.review.thresholds import above, thresholds
from bloodapp.review.truth import known_faults
from tests.benchmarks.measure import PATIENCE_S, in_new_process
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)

FAULTS, SEED = 500, 11
LOOKED_AT = (300, 600)
ISSUES = {
    "exact_duplicates": "exact_duplicate",
    "near_duplicates": "near_duplicate",
    "dark": "dark",
    "light": "bright",
    "blurry": "blurred",
    "low_information": "low_information",
    "odd_size": "odd_size",
    "grayscale": "grey",
}
"""CleanVision's issues and our kinds; foreign pictures, blends and wrong labels it does not look for."""


@pytest.fixture(scope="module")
def planted(bench_home: Path, cells_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The 1,712 real cells of the val part with 500 faults among them."""
    folder = tmp_path_factory.mktemp("cells")
    with zipfile.ZipFile(cells_archive) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("val/")])
    cells = import_source(folder / "val", name="quality-cells")
    return plant(cells, "quality", seed=SEED, faults=FAULTS)


def test_quality(planted: Dataset, tmp_path: Path) -> None:
    """Precision, recall and average precision of every kind, and what the first images of the queue hold."""
    assert planted.truth is not None
    known = known_faults(planted.truth, planted.labels)
    ours = scan(planted, deep=True)
    limits = thresholds(planted)
    judged = {one.kind: one for one in scores(ours, known, limits)}
    _table("bloodapp", ours, known, judged)
    order = above(ours, limits)["index"]

    pytest.importorskip("cleanvision", reason="compared only where cleanvision is installed")
    theirs = _cleanvision(planted, tmp_path)
    peer = {one.kind: one for one in scores(theirs, known, limits)}
    _table("cleanvision", theirs, known, peer)
    for kind in sorted(set(judged) & set(peer)):
        if judged[kind].recall and peer[kind].recall:
            mine, other = ([100 * (one[kind].recall or 0)] for one in (judged, peer))
            row(f"recall, {kind}", mine, other, unit="%", than="cleanvision", images=len(planted))
    for number in LOOKED_AT:
        held = [
            100 * budget(one, known, len(planted)).share(number)
            for one in (order, above(theirs, limits)["index"])
        ]
        what = f"faults that the first {number} images hold"
        row(what, held[:1], held[1:], unit="%", than="cleanvision", images=len(planted))


def _cleanvision(dataset: Dataset, folder: Path) -> pd.DataFrame:
    """What CleanVision's `find_issues` says, as findings: flagged from 0.5 on, its worst scores first."""
    for number, image in enumerate(dataset.images):
        Image.fromarray(image).save(folder / f"{number:06}.png", compress_level=1)
    found = folder / "issues.csv"
    in_new_process(
        "from cleanvision import Imagelab",
        """
        lab = Imagelab(data_path=sys.argv[1])
        lab.find_issues(verbose=False)
        lab.issues.to_csv(sys.argv[2])
        """,
        folder,
        found,
    )
    issues = pd.read_csv(found, index_col=0)
    index = np.array([int(Path(name).stem) for name in issues.index])
    tables = []
    for issue, kind in ISSUES.items():
        flagged = issues[f"is_{issue}_issue"].to_numpy(bool)
        score = 0.5 * flagged + 0.5 * (1 - issues[f"{issue}_score"].to_numpy(float).clip(0, 1))
        tables.append(finding_table(kind, index[score > 0], score[score > 0], issue))
    return combined(tables)


def _table(who: str, findings: pd.DataFrame, known: pd.DataFrame, judged: dict[str, Score]) -> None:
    print(f"\n{who:<16} {'planted':>8} {'flagged':>8} {'precision':>10} {'recall':>8} {'AP':>6}")
    for kind, one in judged.items():
        shares = [f"{100 * share:.1f}" if share is not None else "-" for share in (one.precision, one.recall)]
        area = f"{average_precision(findings, known, kind):.3f}" if one.planted else "-"
        print(f"{kind:<16} {one.planted:>8} {one.flagged:>8} {shares[0]:>10} {shares[1]:>8} {area:>6}")
