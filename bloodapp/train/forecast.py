"""How long a training will take on this machine, from what finished runs measured here."""

from dataclasses import dataclass

from bloodapp.runs.run import list_runs
from bloodapp.train.recipe import Recipe

_DECIDE_SPEED = ("model", "width", "size", "small_size", "small_share", "batch", "pipeline", "precision")


@dataclass(frozen=True)
class Forecast:
    """What a training is expected to cost.

    Attributes:
        seconds: of training; None when nothing comparable has run here and the recipe sets no limit.
        epochs: passes over the training images that fit into it; None when unknown.
        basis: where the figure comes from, in words.
    """

    seconds: float | None
    epochs: float | None
    basis: str


def forecast(recipe: Recipe, train_images: int) -> Forecast:
    """The cost of the recipe on so many training images, by the speed of the newest like run on this machine."""
    limit = 60 * recipe.minutes or None
    speed, source = _measured_speed(recipe)
    if not speed:
        basis = (
            "the recipe's own limit; the speed here is not measured yet" if limit else "not measured here yet"
        )
        return Forecast(limit, None, basis)
    epoch = train_images / speed
    seconds = min(recipe.epochs * epoch, limit or float("inf"))
    return Forecast(
        seconds, min(recipe.epochs, seconds / epoch), f"{speed:.0f} images/s measured in {source}"
    )


def _measured_speed(recipe: Recipe) -> tuple[float | None, str]:
    like = {key: getattr(recipe, key) for key in _DECIDE_SPEED}
    for run in list_runs():
        used = run.config["recipe"]
        # A quick trial measures the start of TensorFlow rather than the training.
        if run.shipped or used.get("images") or any(used.get(key) != value for key, value in like.items()):
            continue
        speed = (run.report() or {}).get("images_per_s")
        if speed:
            return float(speed), run.name
    return None, ""
