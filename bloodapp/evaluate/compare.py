"""Two or more runs on the images that none of them has learned from: tests, paired differences, disagreements.

A run's test image may have been another's training image. So only images count that every run answered for without
having learned from them, and how many those are is said. From files and arrays alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom, chi2

from bloodapp.classes import CellClass
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.evaluate import metrics
from bloodapp.evaluate.metrics import Interval, Paired
from bloodapp.runs.predictions import Predictions
from bloodapp.runs.run import Run
from bloodapp.runs.unseen import learned, newest

LEVEL = 0.05
"""A difference counts as told from chance where its p-value is below this."""

TEST, HELD = "test", "held"
"""On which images: in the test part of all runs; or in test or val of each, which chose an epoch of some."""

Answers = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shared:
    """The images that several runs answered for and none learned from.

    Attributes:
        names: the runs, in the order asked for.
        classes: in the order of the probabilities.
        index: int64 (N,), rows of the dataset, ascending.
        labels: int64 (N,), as the run says that saw the most decisions.
        in_test: bool (N,), whether it is in the test part of all.
        answers: each run's probabilities, float32 (N, C).
        shifted: the same under the shift, of those that have them.
        left_out: images that the first answered for and another learned from, or never saw.
        relabelled: how many of the N have another label in another run.
    """

    names: tuple[str, ...]
    classes: tuple[CellClass, ...]
    index: Positions
    labels: Positions
    in_test: npt.NDArray[np.bool_]
    answers: dict[str, Answers]
    shifted: dict[str, Answers]
    left_out: int
    relabelled: int

    def __len__(self) -> int:
        return len(self.index)

    def only(self, which: str) -> "Shared":
        """Those in the test part of all, with `test`; all of them with `held`."""
        if which == HELD:
            return self
        rows = self.in_test
        return Shared(
            self.names,
            self.classes,
            self.index[rows],
            self.labels[rows],
            self.in_test[rows],
            {name: table[rows] for name, table in self.answers.items()},
            {name: table[rows] for name, table in self.shifted.items()},
            self.left_out,
            self.relabelled,
        )


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of whether two models are equally often right, from the images that one alone gets right.

    Attributes:
        first: images that only the first gets right.
        second: images that only the second gets right.
        exact: two-sided p-value, twice the smaller tail of the binomial distribution with one half.
        mid: the same with half the weight of what was seen (Lancaster's mid-p).
    """

    first: int
    second: int
    exact: float
    mid: float


@dataclass(frozen=True, eq=False)
class Difference:
    """The first run beside a second one, under one condition; changes are first minus second.

    Attributes:
        first: name of the run that is compared.
        second: name of the run that it is compared with.
        overall: accuracies and the change; `before` is the second, `after` the first.
        balanced: difference of the balanced accuracies.
        per_class: as `metrics.paired_per_class` gives it.
        test: McNemar's test.
        adjusted: its exact p-value after Holm's correction for all runs compared.
    """

    first: str
    second: str
    overall: Paired
    balanced: Interval
    per_class: pd.DataFrame
    test: McNemar
    adjusted: float

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `open`, for the first; never more than both test and interval say."""
        low, high = (round(100 * end, 1) for end in (self.overall.change.low, self.overall.change.high))
        if self.adjusted >= LEVEL:
            return "open"
        return "better" if low > 0 else "worse" if high < 0 else "open"


@dataclass(frozen=True, eq=False)
class Disagreements:
    """Positions of images by who is right; the surest wrong answers first.

    Attributes:
        first: only the first is right.
        second: only the second is right.
        neither: both are wrong.
        both: both are right.
    """

    first: Positions
    second: Positions
    neither: Positions
    both: Positions


def shared(runs: Sequence[Run]) -> Shared:
    """What the runs say of the images that all of them answered for and none learned from.

    Raises NotFound for a run without answers, InvalidValue for runs of different datasets or classes and where no
    such image is left.
    """
    given = [_answered(run) for run in runs]
    first = runs[0]
    for run in runs[1:]:
        if run.config["fingerprint"] != first.config["fingerprint"]:
            raise InvalidValue(
                f"'{first.title}' and '{run.title}' learned from different datasets: judge both on a third one, "
                "under Other labelled images, and compare their figures."
            )
        if [c.key for c in run.classes] != [c.key for c in first.classes]:
            raise InvalidValue(f"'{first.title}' and '{run.title}' tell different classes apart.")
    rows = np.unique(given[0].index)
    for run, one in zip(runs, given, strict=True):
        rows = np.setdiff1d(np.intersect1d(rows, one.index), _trained(run))
    if not len(rows):
        raise InvalidValue(
            "No image is left that none of these runs has learned from: train them with the same split, that is with "
            "the same seed and shares, or judge each on another dataset, under Other labelled images."
        )
    chosen = [_rows(one, rows) for one in given]
    labels = [one.label.astype(np.int64) for one in chosen]
    true = labels[newest(runs)]
    names = tuple(run.name for run in runs)
    pairs = list(zip(names, chosen, strict=True))
    return Shared(
        names,
        first.classes,
        rows,
        true,
        np.all([one.part == "test" for one in chosen], axis=0),
        {name: one.probabilities for name, one in pairs},
        {name: one.shifted for name, one in pairs if one.shifted is not None},
        len(given[0]) - len(rows),
        int(np.any([each != true for each in labels], axis=0).sum()),
    )


def differences(on: Shared, *, under_shift: bool = False) -> list[Difference]:
    """The first run beside each other one, on these images; those without answers under the shift are passed over."""
    tables = on.shifted if under_shift else on.answers
    if on.names[0] not in tables or not len(on):
        return []
    first = tables[on.names[0]].argmax(1)
    keys = [c.key for c in on.classes]
    made = []
    for name in on.names[1:]:
        if name not in tables:
            continue
        second = tables[name].argmax(1)
        overall = metrics.paired(on.labels, second, first)
        made.append(
            (
                name,
                overall,
                balanced_difference(on.labels, first, second, len(keys)),
                metrics.paired_per_class(on.labels, second, first, keys),
                mcnemar(overall.mended, overall.broken),
            )
        )
    adjusted = holm([test.exact for *_, test in made])
    return [Difference(on.names[0], *each, adjusted=p) for each, p in zip(made, adjusted, strict=True)]


def sentence(one: Difference, first: str, second: str, *, under_shift: bool = False) -> str:
    """The difference of the accuracies in one sentence that claims no more than test and interval; names as given."""
    where = " under the shift" if under_shift else ""
    if one.verdict == "open":
        return f"{first} and {second} cannot be told apart{where}: {amount(one)}."
    return f"{first} is {one.verdict} than {second}{where} by {amount(one)}."


def amount(one: Difference) -> str:
    """By how many points the accuracies differ, with interval and p; with a sign where neither is better."""
    change = one.overall.change
    signed = one.verdict == "open"
    ends = (change.low, change.high) if signed else sorted((abs(change.low), abs(change.high)))
    value = change.value if signed else abs(change.value)
    low, high = (points(end, signed=signed) for end in ends)
    return f"{points(value, signed=signed)} points ({low} to {high}); {p_words(one.adjusted)}"


def points(share: float, *, signed: bool = False) -> str:
    """A share as percentage points, `1.2`; signed `+1.2`, `−0.3`, `0.0`."""
    rounded = round(100 * share, 1)
    sign = "+" if signed and rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.1f}"


def p_words(p: float) -> str:
    """A p-value as people read it: `p = 0.004`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def mcnemar(first: int, second: int) -> McNemar:
    """The test for so many images that only the first, and only the second, gets right.

    Exact: McNemar, Psychometrika 12 (1947), with the binomial distribution in place of χ². Mid-p: Fagerland, Lydersen
    and Laake, BMC Medical Research Methodology 13:91 (2013), as twice the smaller mid-tail.
    """
    differ, least = first + second, min(first, second)
    if not differ:
        return McNemar(first, second, 1.0, 1.0)
    tail, seen = float(binom.cdf(least, differ, 0.5)), float(binom.pmf(least, differ, 0.5))
    return McNemar(first, second, min(1.0, 2 * tail), min(1.0, 2 * tail - seen))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the given order (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    found, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = highest
    return found


def cochran(right: npt.ArrayLike) -> tuple[float, float]:
    """Cochran's Q and its p-value: whether all of k models are equally often right; `right` is bool (N, k).

    Biometrika 37 (1950); χ² with k - 1 degrees of freedom. (0, 1) where no image tells the models apart.
    """
    table = np.asarray(right, np.float64)
    k, columns, rows = table.shape[1], table.sum(0), table.sum(1)
    below = k * rows.sum() - (rows**2).sum()
    if k < 2 or below == 0:
        return 0.0, 1.0
    q = (k - 1) * (k * (columns**2).sum() - columns.sum() ** 2) / below
    return float(q), float(chi2.sf(q, k - 1))


def balanced_difference(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    classes: int,
    *,
    draws: int = metrics.DRAWS,
    seed: int = 0,
) -> Interval:
    """Balanced accuracy of the first less that of the second with its paired 95 % bootstrap interval.

    All three are (N,) class numbers. What is resampled is the table of class by right and wrong of both. Where no
    image differs one way, resampling cannot draw one: the end reaches as far from the value as that of the accuracy.
    """
    given = np.asarray(labels)
    right, other = (np.asarray(one) == given for one in (first, second))
    cells = np.bincount(given * 4 + right * 2 + other, minlength=4 * classes).reshape(classes, 2, 2)

    def figure(table: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        size = table.sum((-2, -1))
        gain = (table[..., 1, 0] - table[..., 0, 1]) / np.maximum(size, 1)
        return np.asarray(gain.sum(-1) / np.maximum((size > 0).sum(-1), 1), np.float64)

    value = float(figure(cells))
    low, high = np.quantile(figure(metrics.bootstrap(cells, draws=draws, seed=seed)), (0.025, 0.975))
    overall = metrics.paired(given, second, first, draws=draws, seed=seed)
    if not overall.broken:
        low = min(low, value - (overall.change.value - overall.change.low))
    if not overall.mended:
        high = max(high, value + (overall.change.high - overall.change.value))
    return Interval(value, max(float(low), -1.0), min(float(high), 1.0))


def disagreements(labels: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> Disagreements:
    """Sort images (N,) by who of two is right, from their probabilities (N, C) each."""
    given, one, other = np.asarray(labels), np.asarray(first), np.asarray(second)
    right, also = one.argmax(1) == given, other.argmax(1) == given
    doubt = np.where(right, 0, one.max(1)) + np.where(also, 0, other.max(1))
    surest = np.argsort(-doubt, kind="stable")

    def those(chosen: npt.NDArray[np.bool_]) -> Positions:
        return surest[chosen[surest]]

    return Disagreements(
        those(right & ~also), those(~right & also), those(~right & ~also), np.flatnonzero(right & also)
    )


def _answered(run: Run) -> Predictions:
    predictions = run.predictions()
    if predictions is None or not len(predictions):
        raise NotFound("answers of the run to single images", run.name)
    return predictions


def _trained(run: Run) -> Positions:
    """Rows that whoever answered for them may have learned from: of folds none, another network answers for val."""
    return np.zeros(0, np.int64) if run.series == "folds" else learned(run)


def _rows(one: Predictions, rows: Positions) -> Predictions:
    order = np.argsort(one.index, kind="stable")
    places = order[np.searchsorted(one.index, rows, sorter=order)]
    shifted = None if one.shifted is None else one.shifted[places]
    return Predictions(
        one.index[places], one.part[places], one.label[places], one.probabilities[places], shifted
    )
