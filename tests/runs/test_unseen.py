"""Which images runs learned from, and which none of several has."""

import numpy as np
import pandas as pd

from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import Run, new_run, open_run
from bloodapp.runs.unseen import everything, learned, unseen
from tests.made import make_run, run_config


def split_run(dataset: Dataset, name: str, parts: dict[str, range], **more: object) -> Run:
    """A run whose split is given: rows by part; every label is the row's own, plus `plus`."""
    plus = int(more.pop("plus", 0))  # type: ignore[call-overload]
    frames = [
        pd.DataFrame({"index": list(rows), "part": part, "label": [(row + plus) % 8 for row in rows]})
        for part, rows in parts.items()
    ]
    new_run(run_config(dataset, **more), pd.concat(frames), name)
    return open_run(name)


def test_only_what_all_kept_aside_is_unseen(tiny: Dataset) -> None:
    """Test is what all kept for the test; what chose an epoch of one is val; what one learned from is neither."""
    one = split_run(tiny, "one", {"train": range(0, 20), "val": range(20, 30), "test": range(30, 40)})
    other = split_run(
        tiny, "other", {"train": range(10, 25), "val": range(35, 40), "test": [*range(5), *range(25, 35)]}
    )
    kept = unseen([one, other])
    assert kept.index.tolist() == list(range(25, 40)) and not kept.relabelled
    assert (kept.part == "test").tolist() == [False] * 5 + [True] * 5 + [False] * 5
    whole = everything([one, other], kept)
    assert whole["index"].is_unique
    assert set(whole.loc[whole["part"] == "train", "index"]) == set(range(25))
    assert set(whole.loc[whole["part"] != "train", "index"]) == set(range(25, 40))


def test_the_newest_decisions_label(tiny: Dataset) -> None:
    """Where labels differ, the run that saw more decisions is right, and the number is told."""
    one = split_run(tiny, "one", {"train": range(5), "test": range(5, 12)}, seq=3)
    other = split_run(tiny, "other", {"train": range(5), "test": range(5, 12)}, seq=7, plus=1)
    kept = unseen([one, other])
    assert kept.labels.tolist() == [(row + 1) % 8 for row in range(5, 12)] and kept.relabelled == 7
    whole = everything([one, other], kept)
    assert whole.loc[whole["index"] == 0, "label"].item() == 1


def test_what_the_first_weights_saw_counts(tiny: Dataset) -> None:
    """A run that started from another's weights has learned from that one's images, too; a circle ends."""
    split_run(tiny, "first", {"train": range(0, 10), "test": range(10, 20)})
    config = run_config(tiny)["recipe"]
    later = split_run(
        tiny,
        "later",
        {"train": range(15, 20), "test": range(5, 15)},
        recipe={**config, "weights": "run:first"},
    )
    assert learned(later).tolist() == [*range(10), *range(15, 20)]
    assert unseen([later]).index.tolist() == list(range(10, 15))
    itself = split_run(tiny, "itself", {"train": [1], "val": [2]}, recipe={**config, "weights": "run:itself"})
    assert learned(itself).tolist() == [1]
    gone = split_run(tiny, "gone", {"train": [1], "val": [2]}, recipe={**config, "weights": "run:nowhere"})
    assert learned(gone).tolist() == [1]


def test_nothing_in_common(tiny: Dataset) -> None:
    """What one kept aside the other has learned from: nothing is left, and nothing breaks."""
    one = split_run(tiny, "one", {"train": range(0, 20), "test": range(20, 40)})
    other = split_run(tiny, "other", {"train": range(20, 40), "test": range(0, 20)})
    assert len(unseen([one, other])) == 0


def test_made_runs_share_a_split(tiny: Dataset) -> None:
    """Two runs of one seed keep the same images aside."""
    runs = [make_run(tiny, "one"), make_run(tiny, "other")]
    kept, split = unseen(runs), runs[0].split()
    assert np.array_equal(kept.index, np.sort(split.loc[split["part"] != "train", "index"]))
