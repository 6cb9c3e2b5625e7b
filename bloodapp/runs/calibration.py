"""What makes a run's probabilities mean what they say: a temperature and a bar for sets of classes, calibration.json.

Both are fitted on the run's `val` part, which its weights did not learn from (of folds, on what each network said
about images that it had not seen). A training fits them when it has written its predictions; `of` fits them for older
runs, and anew when the predictions have changed. Fitting needs NumPy and SciPy alone. Who classifies reads them
here; how far they can be believed is judged in `evaluate`, on images that had no part in it.

Temperature scaling: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
Sets: least ambiguous set-valued classifiers of M. Sadinle, J. Lei, L. Wasserman, J. Am. Stat. Assoc. 114, 2019, as
split conformal prediction: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005.
"""

import hashlib
import math
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bloodapp import workspace
from bloodapp.errors import BloodappError, InvalidValue, NotFound, Unreadable
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.predictions import Predictions, read_predictions
from bloodapp.runs.run import Run

FILE = "calibration.json"

PART = "val"
"""The part that all is fitted on."""

FEWEST = 50
"""Images of val below which nothing is fitted: one temperature needs few, but not none."""

SET_PROMISE = 0.95
"""The share of images whose set holds the true class, as `predict` and Classify promise it."""

BINS = 15
"""Bins of the expected calibration error, as many as Guo et al. take."""

LEAST = float(np.finfo(np.float32).tiny)
"""What a probability of 0 counts as: the smallest that float32 holds with all its digits."""

_COLDEST, _HOTTEST = 0.05, 20.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What was fitted for one run.

    Attributes:
        temperature: above 1 the network was too sure of itself, below 1 too careful.
        n: images of val that it was fitted on.
        threshold: the largest 1 - probability that a class of a set may have.
        promise: the share of sets that are to hold the true class.
        figures: for each part, `nll` and `ece` as [before, after].
        stamp: SHA-256 of the labels and probabilities that it was fitted on and judged by.
        when: UTC ISO.
    """

    temperature: float
    n: int
    threshold: float
    promise: float
    figures: dict[str, dict[str, list[float]]]
    stamp: str
    when: str

    def apply(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Calibrated probabilities, (N, C) → float32 (N, C); the order of a row's classes stays."""
        return tempered(probabilities, self.temperature).astype(np.float32)

    def sets(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """The classes likely enough for the promise, of probabilities as the network gave them: bool (N, C).

        Of an image without any, the fewest that hold as much probability as is promised, see `likely_set`. So every
        set names a class, an unsure image several, and the promise is kept or exceeded; how far, and what the bare
        sets do, is judged in `evaluate.conformal`.
        """
        calibrated = tempered(probabilities, self.temperature)
        chosen: npt.NDArray[np.bool_] = remainder(calibrated) <= self.threshold
        return np.where(chosen.any(1, keepdims=True), chosen, likely_set(calibrated, self.promise))


def likely_set(probabilities: npt.ArrayLike, mass: float = SET_PROMISE) -> npt.NDArray[np.bool_]:
    """The fewest classes that hold `mass` of each row's probability together: (N, C) → bool (N, C)."""
    table = np.asarray(probabilities, np.float64)
    order = np.argsort(-table, axis=1, kind="stable")
    ranked = np.take_along_axis(table, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    chosen = np.zeros(table.shape, bool)
    # A hair of slack: float32 probabilities need not sum to one.
    np.put_along_axis(chosen, order, before < mass - 1e-6, axis=1)
    return chosen


def tempered(probabilities: npt.ArrayLike, temperature: float) -> Floats:
    """Softmax of the log-probabilities divided by the temperature: (N, C) → float64 (N, C).

    A softmax forgets a constant in the logits only, so that of the logits would be the same.
    """
    logits = _log(probabilities) / temperature
    raised: Floats = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
    shares: Floats = raised / raised.sum(1, keepdims=True)
    return shares


def remainder(probabilities: npt.ArrayLike) -> Floats:
    """1 - p for each class, (N, C), as the sum of the others: so it tells apart what float32 rounds to 1."""
    table = np.asarray(probabilities, np.float64)
    others = table @ (1 - np.eye(table.shape[1]))
    left: Floats = others / (others + table)
    return left


def quantile(scores: npt.ArrayLike, promise: float) -> float:
    """The bar that a further score of the same kind stays below with at least this probability.

    The ⌈(n + 1) · promise⌉-th smallest of n scores; infinity where n is too small for the promise.
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    place = rank(len(ordered), promise)
    return float(ordered[place - 1]) if place <= len(ordered) else math.inf


def rank(n: int, promise: float) -> int:
    """Which of n ascending scores is the bar, counted from 1: ⌈(n + 1) · promise⌉, above n where n is too small."""
    # A hair less: 0.9 * 10 is 9.000000000000002 in floating point.
    return max(math.ceil((n + 1) * promise - 1e-9), 1)


def nll(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Mean negative log-likelihood of the true classes (N,) in nats; NaN without images."""
    return float(losses(labels, probabilities).mean()) if len(np.asarray(labels)) else math.nan


def losses(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Floats:
    """Negative log-likelihood of each image's true class, (N,)."""
    given = np.asarray(labels, np.int64)
    table = np.asarray(probabilities)
    return -_log(table[np.arange(len(given)), given])


def expected_calibration_error(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = BINS
) -> float:
    """How far confidence and accuracy lie apart on average, 0 to 1.

    The images are binned by the probability of the named class into `bins` of equal width; ECE is the mean over the
    images of |share right - mean confidence| of their bin: M. Pakdaman Naeini, G. Cooper, M. Hauskrecht, AAAI 2015,
    in the form of Guo et al. 2017.
    """
    table, given = np.asarray(probabilities, np.float64), np.asarray(labels)
    if not len(given):
        return math.nan
    sure, right = table.max(1), table.argmax(1) == given
    place = bin_of(sure, bins)
    apart = np.bincount(place, right - sure, minlength=bins)
    return float(np.abs(apart).sum() / len(given))


def bin_of(confidence: npt.ArrayLike, bins: int) -> npt.NDArray[np.int64]:
    """The bin of each confidence in 0..1, among bins of equal width, closed above as in Guo et al."""
    place = np.ceil(np.asarray(confidence, np.float64) * bins).astype(np.int64) - 1
    return np.clip(place, 0, bins - 1)


def best_temperature(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """The temperature, 0.05 to 20, that makes the negative log-likelihood of labels (N,) smallest.

    1 where no answer is wrong: the likelihood would then ask to be as sure as can be.
    """
    from scipy.optimize import minimize_scalar  # a quarter of a second that readers need not wait for

    given, table = np.asarray(labels, np.int64), np.asarray(probabilities)
    if (table.argmax(1) == given).all():
        return 1.0
    logits = _log(table)
    logits -= logits.max(1, keepdims=True)
    own = logits[np.arange(len(given)), given]

    def loss(log_temperature: float) -> float:
        scale = math.exp(-log_temperature)
        return float((np.log(np.exp(logits * scale).sum(1)) - own * scale).mean())

    bounds = (math.log(_COLDEST), math.log(_HOTTEST))
    return float(math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def fit(predictions: Predictions, stamp: str = "") -> Calibration:
    """Fit temperature and sets on val; raises InvalidValue, in a sentence, where there are too few images."""
    val = predictions.only(PART)
    if len(val) < FEWEST:
        has = f"only {len(val)} images" if len(val) else "no images"
        raise InvalidValue(
            f"Its validation part has {has}; to calibrate its probabilities it takes {FEWEST}: train with a larger one."
        )
    temperature = best_temperature(val.label, val.probabilities)
    doubt = remainder(tempered(val.probabilities, temperature))
    own = doubt[np.arange(len(val)), val.label.astype(np.int64)]
    figures = {}
    for part in (PART, "test"):
        if len(chosen := predictions.only(part)):
            after = tempered(chosen.probabilities, temperature)
            both = (chosen.probabilities, after)
            figures[part] = {
                "nll": [nll(chosen.label, table) for table in both],
                "ece": [expected_calibration_error(chosen.label, table) for table in both],
            }
    threshold = min(quantile(own, SET_PROMISE), 1.0)
    return Calibration(temperature, len(val), threshold, SET_PROMISE, figures, stamp, workspace.now())


def write(folder: Path, predictions: Predictions) -> Calibration | None:
    """Fit and store beside the predictions of a run folder; None, and nothing written, where val is too small."""
    try:
        made = fit(predictions, _stamp(folder))
    except InvalidValue:
        return None
    _store(folder, made)
    return made


def read(run: Run) -> Calibration | None:
    """What is stored for the run's predictions as they are now, else None; raises Unreadable when it is damaged."""
    try:
        content = workspace.read_json(run.folder / FILE)
        stamp = _stamp(run.folder)
    except FileNotFoundError:
        return None
    return _parsed(run, content) if content.get("predictions") == stamp else None


def of(run: Run) -> Calibration | None:
    """The run's calibration; fitted where there is none or an old one, and stored unless the run is read-only.

    None before the run has finished, and where it cannot be calibrated: `why_not` says why.
    """
    with suppress(Unreadable):  # fitted anew
        if found := read(run):
            return found
    try:
        made = _fitted(run)
    except BloodappError:
        return None
    if not run.shipped:
        with suppress(OSError):  # a folder that cannot be written to is read all the same
            _store(run.folder, made)
    return made


def why_not(run: Run) -> str:
    """Why a run has no calibration, in a sentence; empty when it can have one."""
    try:
        _fitted(run)
    except BloodappError as error:
        return str(error)
    return ""


def _fitted(run: Run) -> Calibration:
    predictions = run.predictions()
    if predictions is None:
        raise NotFound("predictions of the run", run.name)
    if run.series == "folds" and run.config["recipe"].get("vote") == "majority":
        raise InvalidValue(
            "This run answers by votes of its networks, and its validation images were seen by one network each: "
            "no temperature fits both. Train with vote=average for calibrated probabilities."
        )
    return fit(predictions, _stamp(run.folder))


def _store(folder: Path, made: Calibration) -> None:
    workspace.write_json(
        folder / FILE,
        {
            "temperature": made.temperature,
            "fitted_on": PART,
            "n": made.n,
            "figures": {
                part: {name: {"before": both[0], "after": both[1]} for name, both in each.items()}
                for part, each in made.figures.items()
            },
            "sets": {"method": "lac", "promise": made.promise, "threshold": made.threshold},
            "predictions": made.stamp,
            "when": made.when,
        },
    )


def _parsed(run: Run, content: dict[str, Any]) -> Calibration:
    try:
        return Calibration(
            float(content["temperature"]),
            int(content["n"]),
            float(content["sets"]["threshold"]),
            float(content["sets"]["promise"]),
            {
                part: {name: [both["before"], both["after"]] for name, both in each.items()}
                for part, each in content["figures"].items()
            },
            str(content["predictions"]),
            str(content["when"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"{FILE} in '{run.name}' is damaged: delete it, and it is made anew.") from error


def _stamp(folder: Path) -> str:
    """What calibration rests on, as SHA-256: labels and clean probabilities of each part; raises FileNotFoundError."""
    facts = (folder / PREDICTIONS).stat()
    return _stamp_of(folder, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=64)
def _stamp_of(folder: Path, changed: int, size: int) -> str:
    del changed, size  # part of the key only
    predictions = read_predictions(folder)
    if predictions is None:
        raise FileNotFoundError(folder / PREDICTIONS)
    digest = hashlib.sha256()
    for name in ("part", "label", "probabilities"):
        digest.update(np.ascontiguousarray(getattr(predictions, name)).tobytes())
    return digest.hexdigest()


def _log(probabilities: npt.ArrayLike) -> Floats:
    logs: Floats = np.log(np.clip(np.asarray(probabilities, np.float64), LEAST, 1.0))
    return logs
