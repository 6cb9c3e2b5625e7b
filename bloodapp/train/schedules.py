"""How the learning rate goes over a training, as plain numbers: no state, so a continued training needs none.

A schedule is a function of where the training stands: the share of it that is done, 0–1, or the epochs done.
"""

import math
from collections.abc import Callable

from bloodapp.train.recipe import Recipe

LEAST = 1e-3  # of the peak: a rate of zero would waste the last steps
BEGIN = 0.02  # of the peak: where the warm-up begins

# Smith and Topin, "Super-Convergence", 2018; the numbers are those of PyTorch's OneCycleLR.
ONECYCLE_RISE, ONECYCLE_BEGIN, ONECYCLE_END = 0.3, 1 / 25, 1e-4
# Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3: a third or a quarter of the peak.
CYCLIC_LOW = 0.25

Place = Callable[[Recipe, float, float], float]


def rate(recipe: Recipe, share: float, epoch: float, peak: float | None = None, scale: float = 1.0) -> float:
    """The learning rate of a step.

    `share` is what is done of the training, of its epochs or of its minutes, whichever is further, 0–1; `epoch` the
    epochs done, a part of one included, from 0. `peak` is the highest rate, by default the recipe's (a phase may have
    its own), `scale` what plateaus have left of it.
    """
    peak = recipe.learning_rate if peak is None else peak
    return peak * scale * SCHEDULES[recipe.schedule](recipe, share, epoch)


def cosine(progress: float, warmup: float) -> float:
    """A linear rise to 1 at `warmup`, then a half cosine to near zero."""
    if progress < warmup:
        return max(progress / warmup, BEGIN)
    return max(0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))), LEAST)


def warm(share: float, warmup: float) -> float:
    """A linear rise to 1 at `warmup`, and 1 from there on."""
    return max(share / warmup, BEGIN) if share < warmup else 1.0


def exponential(epoch: float, after: int, kept: float) -> float:
    """1 for the first `after` epochs, then `kept` of the last epoch's in each further one, in steps."""
    return float(kept ** max(0, int(epoch) - after + 1)) if after else float(kept ** int(epoch))


def onecycle(share: float) -> float:
    """Linear from a 25th up to 1 at 30 % of the training, then a half cosine down to a 10,000th."""
    if share < ONECYCLE_RISE:
        return ONECYCLE_BEGIN + (1 - ONECYCLE_BEGIN) * share / ONECYCLE_RISE
    fall = 0.5 * (1 + math.cos(math.pi * min((share - ONECYCLE_RISE) / (1 - ONECYCLE_RISE), 1.0)))
    return ONECYCLE_END + (1 - ONECYCLE_END) * fall


def cyclic(epoch: float, length: int) -> float:
    """Triangles between a quarter and 1, each `length` epochs wide, beginning low."""
    place = (epoch / length) % 1.0
    return CYCLIC_LOW + (1 - CYCLIC_LOW) * (1 - abs(2 * place - 1))


SCHEDULES: dict[str, Place] = {
    "cosine": lambda recipe, share, epoch: cosine(share, recipe.warmup),
    "constant": lambda recipe, share, epoch: warm(share, recipe.warmup),
    "exponential": lambda recipe, share, epoch: (
        warm(share, recipe.warmup) * exponential(epoch, recipe.decay_after, recipe.decay)
    ),
    "onecycle": lambda recipe, share, epoch: onecycle(share),
    "cyclic": lambda recipe, share, epoch: cyclic(epoch, recipe.cycle),
}
