"""What to train with against a corruption: an operation of a pipeline, as strong as the severity that shall be met.

Where an ordinary operation does the same kind of thing it is taken, drawn from nothing up to the severity's strength:
what a network learns from it is not the corruption itself, so that the suite still says something about it. Where there
is none, the corruption is. Every remedy is drawn for half of the images, so that clean ones stay in the training.
"""

from collections.abc import Callable

from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.augment.deposits import SIDE
from bloodapp.augment.pipelines import resolve, text
from bloodapp.augment.severities import Values
from bloodapp.errors import NotFound

_SHARE = 0.5  # of the images


def _itself(name: str) -> Callable[[Values, int, int], str]:
    return lambda values, severity, size: f"corrupt({name}, {severity})"


# From the numbers of a severity, the severity, and the side of the images in pixels.
REMEDIES: dict[str, Callable[[Values, int, int], str]] = {
    "pixelate": _itself("pixelate"),
    "jpeg_compression": lambda values, severity, size: f"jpeg({values[0]:g})",
    # A disk of radius r is as wide as a Gaussian of r / 2.
    "defocus_blur": lambda values, severity, size: f"blur({values[0] / 2 * size / SIDE:.2g})",
    "motion_blur": _itself("motion_blur"),
    # A factor moves white by (factor - 1) of the range, and `brightness` moves all grey levels alike, either way.
    "brightness_up": lambda values, severity, size: f"brightness({values[0] - 1:.2g})",
    "brightness_down": lambda values, severity, size: f"brightness({1 - values[0]:.2g})",
    "contrast_up": lambda values, severity, size: f"contrast({values[0] - 1:.2g})",
    "contrast_down": lambda values, severity, size: f"contrast({1 - values[0]:.2g})",
    "saturate": _itself("saturate"),
    "stain_deposit": _itself("stain_deposit"),
    "bubble": _itself("bubble"),
    "stain_shift": lambda values, severity, size: f"stain({values[0]:g})",
    "noise": lambda values, severity, size: f"noise({values[0]:g})",
    "rotation": lambda values, severity, size: f"rotate({values[0]:g})",
    "zoom": lambda values, severity, size: f"zoom({values[0] - 1:.2g})",
}
"""The operation against each corruption."""


def remedy(name: str, severity: int, size: int) -> str:
    """The step against a corruption up to a severity (1 to 5) for images of `size` pixels, as canonical text."""
    if name not in REMEDIES:
        raise NotFound("corruption", name, REMEDIES)
    operation = REMEDIES[name](ALL_CORRUPTIONS[name].severities[severity - 1], severity, size)
    return text(resolve(f"sometimes({_SHARE:g}; {operation})"))


def mended(pipeline: str, name: str, severity: int, size: int) -> str:
    """The pipeline, a name or a text, with the remedy after its last step, as canonical text; raises PipelineError.

    One that has this step already is given back as it is.
    """
    steps, added = resolve(pipeline), resolve(remedy(name, severity, size))
    if added.steps[0] in steps.steps:
        return text(steps)
    return text(type(steps)((*steps.steps, *added.steps)))
