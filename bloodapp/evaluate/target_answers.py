"""What a run says of unlabelled images, beside what it learned and what it said of images of its own."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp.data.counts import wilson
from bloodapp.evaluate.evaluate import parts_of
from bloodapp.runs.run import Run

Floats = npt.NDArray[np.float32]
Shares = npt.NDArray[np.float64]

FEWEST = 20
"""Images below which nothing is said of the accuracy to expect."""

BINS = 20
"""Of the histogram of confidence, from 0 to 1."""


def answers(run: Run, probabilities: Floats) -> dict[str, Any]:
    """Counts by class, the training's shares, confidence, and an estimate of the accuracy, as plain JSON.

    Keys: predicted (a list by class: key, n, share, low, high, and training, the share among the images that it learned
    from), confidence (median, the histogram's shares, and the same of the run's own part, clean), accuracy (see
    `expected`, or None).
    """
    best, sure = probabilities.argmax(1), probabilities.max(1)
    counts = np.bincount(best, minlength=len(run.classes))
    split = run.split()
    learned = np.bincount(
        split.loc[split["part"] == "train", "label"].to_numpy(np.int64), minlength=len(run.classes)
    )
    predicted = []
    for place, each in enumerate(run.classes):
        share, low, high = wilson(int(counts[place]), len(best))
        training = learned[place] / learned.sum() if learned.sum() else float("nan")
        row = {"key": each.key, "n": int(counts[place]), "share": share, "low": low, "high": high}
        predicted.append({**row, "training": float(training)})
    own = _own(run)
    confidence = {"median": float(np.median(sure)), "shares": histogram(sure), "own_median": None}
    if own is not None:
        confidence |= {"own_median": float(np.median(own.max(1))), "own_shares": histogram(own.max(1))}
    return {"predicted": predicted, "confidence": confidence, "accuracy": expected(run, sure)}


def histogram(confidence: npt.NDArray[np.floating[Any]]) -> list[float]:
    """The share of answers in each of BINS equal parts from 0 to 1."""
    counts = np.histogram(confidence, bins=BINS, range=(0, 1))[0]
    return (counts / max(len(confidence), 1)).tolist()


def expected(run: Run, confidence: Floats) -> dict[str, Any] | None:
    """The accuracy to expect by how sure the run is, and what the same estimate says where the truth is known.

    Average thresholded confidence (S. Garg et al., "Leveraging unlabeled data to predict out-of-distribution
    performance", ICLR 2022): the threshold above which as many of its `val` answers lie as are right; the share of
    the target's answers above it is the estimate. Keys: value, low, high (95 %, by the
    number of images alone); shifted and shifted_true, the estimate and the truth on the run's own images under the
    shift, or None. None for a run without answers on val, and for fewer than FEWEST images.
    """
    predictions = run.predictions()
    if predictions is None or "val" not in parts_of(run) or len(confidence) < FEWEST:
        return None
    val = predictions.only("val")
    right = float((val.probabilities.argmax(1) == val.label).mean())
    threshold = float(np.quantile(val.probabilities.max(1), 1 - right))
    value, low, high = wilson(int((confidence >= threshold).sum()), len(confidence))
    found: dict[str, Any] = {
        "value": value,
        "low": low,
        "high": high,
        "shifted": None,
        "shifted_true": None,
    }
    known = predictions.only(parts_of(run)[0])
    if known.shifted is not None:
        found["shifted"] = float((known.shifted.max(1) >= threshold).mean())
        found["shifted_true"] = float((known.shifted.argmax(1) == known.label).mean())
    return found


def _own(run: Run) -> Floats | None:
    """The run's answers on its own test part, or on val; None where it has none."""
    predictions, parts = run.predictions(), parts_of(run)
    return predictions.only(parts[0]).probabilities if predictions is not None and parts else None
