"""What has to be said beside the figures of a drop, in the same words on the page and on the command line."""

from typing import Any

from bloodapp.evaluate.target_cover import COVERED, HALF, LARGE
from bloodapp.evaluate.target_distance import FEWEST

TOO_FEW = f"Too few images to say how far this microscope is: drop at least {FEWEST}, better 100."

RULE = (
    f"Advised is what covers {100 * COVERED:.0f} % or more in all that moved, or where nothing does "
    f"{100 * HALF:.0f} % or more, the nearest first. Apart: how far your images lie "
    "from the nearest that the pipeline makes, in all measures at once; 1 is as near as unseen training "
    "images. Left out is what comes no nearer than the training images as they are or than the run’s own pipeline, "
    f"and what stays more than {LARGE:g} apart, or clearly farther than the nearest of these."
)

NONE_ADVISED = (
    "No pipeline that was tried makes the training images like these, nearer than the run’s own does: label images "
    "of your own."
)

_MANY_SEEN = 100  # one in so many is told


def few(content: dict[str, Any]) -> bool:
    """Whether there are too few images to compare with those that the run learned from."""
    return bool(content["n"] < FEWEST)


def seen_before(content: dict[str, Any]) -> str:
    """The warning that the run learned from these very images; empty where it did from fewer than one in a hundred."""
    training = content["training"]
    if not training or not training["seen"] or _MANY_SEEN * training["seen"] < content["n"]:
        return ""
    seen = training["seen"]
    if few(content):
        effect = "what it says of them is no test."
    else:
        effect = (
            "that makes the distance look smaller, and the accuracy to expect higher, than of unseen images."
        )
    are = "is" if seen == 1 else "are"
    if content["n"] == 1:
        return f"This image is among the training images: {effect}".replace("of them", "of it")
    return f"{seen:,} of these {content['n']:,} images {are} among the training images: {effect}"


def accuracy_to_expect(content: dict[str, Any]) -> str:
    """The accuracy to expect by how sure the run is, with its interval and what it is worth; empty where unknown."""
    found = content["answers"]["accuracy"]
    if not found or found.get("low") is None:
        return ""
    said = (
        f"Accuracy to expect by how sure it is: {100 * found['value']:.1f} % (95 % interval from the number of images "
        f"alone: {100 * found['low']:.1f} to {100 * found['high']:.1f} %). No measurement: on images far away it may "
        "err, in either direction, by more than that interval."
    )
    if found["shifted"] is not None:
        said += (
            f" Of the run’s own images under the shift it says {100 * found['shifted']:.0f} %, and "
            f"{100 * found['shifted_true']:.0f} % is true."
        )
    return f"{said} Labels of some of the images tell more."
