"""The operations that a pipeline is made of, declared once: bounds, units and help, no TensorFlow.

`layers.py` builds each one under the same name; a test holds the two lists against each other.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One number of an operation.

    Attributes:
        name: as people read it.
        default: the value taken when the text leaves it out.
        low: smallest value allowed.
        high: largest value allowed.
        unit: what the number counts; empty for a plain factor.
        help: one sentence.
        whole: whether only whole numbers make sense.
    """

    name: str
    default: float
    low: float
    high: float
    unit: str
    help: str
    whole: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation of a pipeline.

    Attributes:
        name: as written in a pipeline's text.
        help: one sentence on what it does to an image.
        parameters: its numbers, in the order of the text; those left out take their defaults.
        branches: how many nested pipelines it takes: 0, 1 (`sometimes`) or 2 = two or more (`oneof`).
    """

    name: str
    help: str
    parameters: tuple[Parameter, ...] = ()
    branches: int = 0


_FILL = Parameter(
    "fill", 0, 0, 3, "", "What the corners show: 0 mirror, 1 stretched edge, 2 black, 3 white.", whole=True
)


def _amount(default: float, high: float, text: str, unit: str = "") -> Parameter:
    return Parameter("amount", default, 0, high, unit, text)


_DECLARED = (
    Operation("flip", "Mirror left–right and top–bottom, each for half of the images."),
    Operation(
        "rotate",
        "Turn by a random angle.",
        (Parameter("angle", 180, 0, 180, "degrees", "Largest turn to either side."), _FILL),
    ),
    Operation(
        "shift",
        "Move sideways and up or down.",
        (_amount(0.1, 0.5, "Largest move, as a share of the image's side."), _FILL),
    ),
    Operation(
        "zoom",
        "Enlarge or shrink about the centre.",
        (_amount(0.2, 0.6, "Largest change of scale to either side."), _FILL),
    ),
    Operation("shear", "Slant sideways or upwards.", (_amount(0.15, 0.5, "Largest slant."),)),
    Operation(
        "brightness",
        "Lighten or darken.",
        (_amount(0.2, 0.8, "Largest change, as a share of the full range of grey levels."),),
    ),
    Operation("contrast", "Strengthen or weaken the contrast.", (_amount(0.3, 0.9, "Factor 1 ± amount."),)),
    Operation(
        "saturation",
        "Strengthen or fade the colours.",
        (_amount(0.3, 0.9, "0 none, 0.9 nearly grey to lurid."),),
    ),
    Operation(
        "hue", "Turn the colours around the wheel.", (_amount(0.05, 0.5, "Share of the colour wheel."),)
    ),
    Operation(
        "channelshift",
        "Shift red, green and blue, each by its own amount: another stain, another lamp.",
        (_amount(0.15, 0.6, "Largest shift, as a share of the full range of grey levels."),),
    ),
    Operation("grayscale", "Take the colour away altogether."),
    Operation("sharpness", "Soften or sharpen the edges.", (_amount(0.5, 1.0, "0 none, 1 strongest."),)),
    Operation(
        "blur",
        "Gaussian blur, as of a microscope out of focus.",
        (Parameter("sigma", 1.0, 0, 5, "pixels", "Largest standard deviation."),),
    ),
    Operation(
        "noise",
        "Gaussian noise, as of a camera in poor light.",
        (Parameter("sigma", 12, 0, 80, "grey levels", "Largest standard deviation."),),
    ),
    Operation(
        "jpeg",
        "Compress and open again.",
        (Parameter("quality", 30, 5, 95, "", "Lowest JPEG quality; 95 is the highest.", whole=True),),
    ),
    Operation(
        "cutout",
        "Cover a rectangle with grey, black or white.",
        (_amount(0.3, 0.7, "Longest side, as a share of the image's side."),),
    ),
    Operation(
        "gridmask", "Cover a grid of squares.", (_amount(0.4, 0.9, "Share of each grid cell covered."),)
    ),
    Operation("solarize", "Turn bright pixels into their negative."),
    Operation(
        "posterize", "Keep few grey levels.", (Parameter("bits", 4, 1, 8, "bits", "Per colour.", whole=True),)
    ),
    Operation(
        "randaugment",
        "A few operations of a fixed list, drawn anew for each image (Cubuk et al., 2019).",
        (
            Parameter("magnitude", 0.3, 0, 1, "", "Strength of each operation."),
            Parameter("count", 3, 1, 8, "operations", "How many are drawn for an image.", whole=True),
        ),
    ),
    Operation(
        "sometimes",
        "Apply what is inside with a probability, drawn for each group of eight images.",
        (Parameter("probability", 0.5, 0, 1, "", "How often."),),
        branches=1,
    ),
    Operation("oneof", "Apply one of the branches, drawn for each group of eight images.", branches=2),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _DECLARED}
