"""The learning-rate finder as everybody sees it: queue the search, read what it found. The search is in `rates`."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, Unreadable
from bloodapp.jobs.job import Job
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import settings
from bloodapp.workspace import read_json, write_json

FILE = "rates.json"
LOWEST, HIGHEST = 1e-7, 10.0
STEPS = 120
SMOOTHING = 3.0
"""Steps that a loss is evened out over, to either side."""

DIVERGED = 3.0
"""A smoothed loss so many times the least one ends the search."""

_REACH = 8  # steps to either side, half a decade: single batches have slopes of their own
_LEAST_STEPS = 10  # before anything is suggested or called divergence

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """What a search found.

    Attributes:
        rates: the learning rates that were tried, rising.
        losses: the smoothed loss at each; None where it was no number.
        suggested: the rate to take as the recipe's highest.
        steepest: where the smoothed loss fell fastest.
        tenth: a tenth of the rate of the least loss.
    """

    rates: tuple[float, ...]
    losses: tuple[float | None, ...]
    suggested: float
    steepest: float
    tenth: float


def submit(dataset: Dataset, recipe: Recipe) -> Job:
    """Queue the search for the recipe's learning rate on the dataset's training part."""
    return jobs.submit(
        "rates",
        {"dataset": dataset.name, "recipe": settings(recipe)},
        title=f"Learning rates for {recipe.name} on {dataset.name}",
    )


def read(job: Job) -> Rates | None:
    """What a search found; None until it has. Raises Unreadable for a damaged file."""
    try:
        content = read_json(job.folder / FILE)
    except FileNotFoundError:
        return None
    try:
        tried, losses = tuple(content["rates"]), tuple(content["losses"])
        return Rates(tried, losses, *(content[key] for key in ("suggested", "steepest", "tenth")))
    except (KeyError, TypeError) as error:
        raise Unreadable(f"{FILE} of '{job.id}' is incomplete: search again.") from error


def write(folder: Path, found: Rates) -> None:
    """Keep what a search found in the folder of its job."""
    write_json(folder / FILE, asdict(found))


def rising(steps: int = STEPS) -> Floats:
    """The rates that are tried, equally far apart in their logarithm."""
    return np.geomspace(LOWEST, HIGHEST, steps)


def smoothed(losses: npt.NDArray[np.floating], width: float = SMOOTHING) -> Floats:
    """Losses (N,) evened out: the geometric mean of the neighbours, by a Gaussian of so many steps.

    Looks ahead as much as back, so that nothing is shown at a higher rate than where it happened. Not a number where
    a loss is none.
    """
    known = np.isfinite(losses)
    logs = np.log(np.maximum(np.where(known, losses, 1.0), 1e-12))
    places = np.arange(len(losses))
    near = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2) * known
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, np.exp(near @ logs / near.sum(1)), np.nan)


def diverged(losses: npt.NDArray[np.floating]) -> bool:
    """Whether losses (N,), as they came, have risen so far above their least that no higher rate need be tried."""
    if not len(losses) or not np.isfinite(losses[-1]):
        return bool(len(losses))
    even = smoothed(losses)
    return len(even) > _LEAST_STEPS and bool(even[-1] > DIVERGED * even[_LEAST_STEPS // 2 :].min())


def suggest(rates: npt.NDArray[np.floating], losses: npt.NDArray[np.floating]) -> Rates:
    """The rate to train with, by the losses (N,) that rising rates (N,) brought.

    The lower of two: where the smoothed loss falls fastest over the logarithm of the rate, and a tenth of where it is
    least (after Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3; the two rules are
    fastai's). Raises InvalidValue where the loss fell at no rate.
    """
    even = smoothed(losses)
    known = np.flatnonzero(np.isfinite(even))
    if len(known) <= _LEAST_STEPS:
        raise InvalidValue(
            "The loss was no number almost from the start: try another precision, or set clip, and search again."
        )
    least = int(known[np.argmin(even[known])])
    if np.searchsorted(known, least) < _LEAST_STEPS // 2 + 1:
        raise InvalidValue(
            "The loss fell at no learning rate: the network may know these images already, or nothing in it learns."
        )
    falling = known[known <= least]
    steepest = float(rates[falling[np.argmin(_slopes(even[falling]))]])
    tenth = float(rates[least] / 10)
    kept = [None if not np.isfinite(loss) else float(loss) for loss in even]
    return Rates(tuple(rates.tolist()), tuple(kept), min(steepest, tenth), steepest, tenth)


def _slopes(losses: Floats) -> Floats:
    """The slope of losses (N,) at each step, of the line through its neighbours of half a decade on either side.

    Not defined where there are too few of them; a zero there, which is never the steepest fall.
    """
    reach = min(_REACH, (len(losses) - 1) // 2)
    around = np.arange(-reach, reach + 1)
    out = np.zeros(len(losses))
    lines = np.lib.stride_tricks.sliding_window_view(losses, 2 * reach + 1) @ around
    out[reach : len(losses) - reach] = lines
    return out
