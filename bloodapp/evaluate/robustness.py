"""Figures of a corruption suite, from arrays, as MedMNIST-C defines them.

F. Di Salvo, S. Doerrich, C. Ledig, "MedMNIST-C: Comprehensive benchmark and improved classifier robustness by
simulating realistic image corruptions", 2024, after D. Hendrycks, T. Dietterich, "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations", ICLR 2019. With BE(s, c) the balanced error (1 - mean recall of the
classes) under corruption c at severity s, and BE(clean) that on the images as they are, the benchmark reports two
figures of a model f:

    BE_c(f)  = mean over s of BE(s, c; f)  /  mean over s of BE(s, c; AlexNet)
    rBE_c(f) = mean over s of (BE(s, c; f) - BE(clean; f))  /  mean over s of (BE(s, c; AlexNet) - BE(clean; AlexNet))

and their means over the corruptions. What is called mean corruption error in this app is the numerator's mean over the
eleven corruptions, divided by nothing: a share of wrong answers, which needs no baseline. `normalised` divides by a
baseline that is named: any judged run, or the benchmark's AlexNet, whose figures hold for the BloodMNIST of 224 pixels
and for the benchmark's own drawings, so that against other cells the quotient is a yardstick and no rank.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bloodapp.evaluate.metrics import Interval, bootstrap

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """What errors are divided by.

    Attributes:
        name: a run's name, or `alexnet`.
        title: as read.
        clean: balanced error on the images as they are.
        errors: balanced error under each corruption, the mean of the five severities, by name.
    """

    name: str
    title: str
    clean: float
    errors: Mapping[str, float]


ALEXNET = Baseline(
    "alexnet",
    "AlexNet on BloodMNIST-C, as published",
    0.0184,
    {
        "pixelate": 0.0598,
        "jpeg_compression": 0.1398,
        "defocus_blur": 0.2240,
        "motion_blur": 0.1845,
        "brightness_up": 0.0695,
        "brightness_down": 0.0790,
        "contrast_up": 0.0522,
        "contrast_down": 0.0797,
        "saturate": 0.0348,
        "stain_deposit": 0.1854,
        "bubble": 0.1290,
    },
)
"""From `medmnistc/utils/baselines.py` of github.com/francescodisalvo05/medmnistc-api, rounded."""


@dataclass(frozen=True)
class Normalised:
    """Errors divided by those of a baseline, see the module.

    Attributes:
        baseline: whose.
        balanced: BE_c by the corruption's name; NaN where the baseline makes no error.
        relative: rBE_c; NaN where the baseline loses nothing to the corruption.
        mean_balanced: mean of the known BE_c.
        mean_relative: mean of the known rBE_c.
    """

    baseline: Baseline
    balanced: dict[str, float]
    relative: dict[str, float]
    mean_balanced: float
    mean_relative: float


def class_errors(labels: npt.ArrayLike, answers: npt.ArrayLike, classes: int) -> Floats:
    """Share of each class that is named otherwise: labels (N,), answers (..., N) → (..., C); NaN without images."""
    given, named = np.asarray(labels, np.int64), np.asarray(answers)
    member = np.eye(classes)[given]
    support = member.sum(0)
    wrong = (named != given).astype(np.float64) @ member
    return np.divide(wrong, support, out=np.full(wrong.shape, np.nan), where=support > 0)


def balanced(errors: npt.ArrayLike) -> Floats:
    """Balanced error of errors by class (..., C) → (...): the mean over the classes that occur."""
    table = np.asarray(errors, np.float64)
    known = ~np.isnan(table)
    number = known.sum(-1)
    total = np.where(known, table, 0.0).sum(-1)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def mean_error(labels: npt.ArrayLike, wrong: npt.ArrayLike, classes: int, *, seed: int = 0) -> Interval:
    """Mean balanced error over any number of conditions, with the 95 % bootstrap interval over the images.

    `wrong` (N,) is the share of the conditions under which each image is named otherwise. The mean over conditions of
    balanced errors is the balanced mean of these shares, so that one draw of images serves all conditions: what an
    image does under one corruption and under another stays together. NaN without images.
    """
    given, share = np.asarray(labels, np.int64), np.asarray(wrong, np.float64)
    if not len(given):
        return Interval(float("nan"), float("nan"), float("nan"))
    # Images of one class that fail equally often are alike: what is drawn is how many of each kind there are.
    kinds, counts = np.unique(np.stack([given.astype(np.float64), share]), axis=1, return_counts=True)
    member = np.eye(classes)[kinds[0].astype(np.int64)]
    value = float(_balanced_mean(counts[None], kinds[1], member)[0])
    drawn = _balanced_mean(bootstrap(counts, seed=seed), kinds[1], member)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value, float(low), float(high))


def _balanced_mean(times: npt.ArrayLike, share: Floats, member: Floats) -> Floats:
    """Balanced mean of the shares (M,) when each kind of image counts so many `times` (D, M) → (D,)."""
    number = np.asarray(times, np.float64)
    support, wrong = number @ member, (number * share) @ member
    return balanced(np.divide(wrong, support, out=np.full(wrong.shape, np.nan), where=support > 0))


def normalised(clean: float, errors: Mapping[str, float], baseline: Baseline) -> Normalised:
    """BE_c and rBE_c of balanced errors by corruption (means of the severities) for those that the baseline has."""
    shared = [name for name in errors if name in baseline.errors]
    by = {name: _ratio(errors[name], baseline.errors[name]) for name in shared}
    relative = {name: _ratio(errors[name] - clean, baseline.errors[name] - baseline.clean) for name in shared}
    return Normalised(baseline, by, relative, _mean(by), _mean(relative))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _mean(figures: Mapping[str, float]) -> float:
    known = [figure for figure in figures.values() if figure == figure]
    return float(np.mean(known)) if known else float("nan")
