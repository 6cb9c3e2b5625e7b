"""The operations that a pipeline is made of, declared once: bounds, units and help, no TensorFlow.

`layers` builds each one under the same name; a test holds the two lists against each other.
"""

from dataclasses import dataclass, replace

from bloodapp.augment.corruptions import CORRUPTIONS


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
        neutral: the value at which it does nothing; None for a number that is no strength.
        words: names of the values 0, 1, 2, … that are written instead of the number; empty for a number.
        numbered: whether the numbers of words are understood as well, for texts written before there were words.
    """

    name: str
    default: float
    low: float
    high: float
    unit: str
    help: str
    whole: bool = False
    neutral: float | None = None
    words: tuple[str, ...] = ()
    numbered: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation of a pipeline.

    Attributes:
        name: as written in a pipeline's text.
        group: what it is about, one of GROUPS.
        help: one sentence on what it does to an image.
        parameters: its numbers, in the order of the text; those left out take their defaults.
        branches: how many nested pipelines it takes: 0, 1 (`sometimes`, `off`) or 2 = two or more (`oneof`).
        mixes: whether it mixes images, so that an image can end with the labels of two.
    """

    name: str
    group: str
    help: str
    parameters: tuple[Parameter, ...] = ()
    branches: int = 0
    mixes: bool = False


GROUPS = ("geometry", "colour", "focus and camera", "cover", "microscope", "policy", "mix", "choice")


def _choice(name: str, help_text: str, *words: str) -> Parameter:
    return Parameter(name, 0, 0, len(words) - 1, "", help_text, whole=True, words=words)


_FILL = replace(
    _choice(
        "fill",
        "What the corners show: the mirrored image, its stretched edge, black or white.",
        *("mirror", "edge", "black", "white"),
    ),
    numbered=True,
)
_PER = _choice("per", "Drawn for each image, or once for the whole batch.", "image", "batch")


def _amount(default: float, high: float, text: str, unit: str = "") -> Parameter:
    return Parameter("amount", default, 0, high, unit, text, neutral=0)


def _share(default: float = 1.0, text: str = "Share of the images that it is done to.") -> Parameter:
    return Parameter("share", default, 0, 1, "", text, neutral=0)


_GEOMETRY = (
    Operation(
        "flip",
        "geometry",
        "Mirror left–right, top–bottom, or both, each drawn for itself.",
        (
            _share(0.5, "Share of the images that are mirrored, along each axis."),
            _choice("axes", "Which mirrors.", "both", "horizontal", "vertical"),
        ),
    ),
    Operation(
        "quarterturn",
        "geometry",
        "Turn by 0, 90, 180 or 270 degrees; exact, no pixel is made up.",
        (_share(),),
    ),
    Operation(
        "rotate",
        "geometry",
        "Turn by a random angle.",
        (Parameter("angle", 180, 0, 180, "degrees", "Largest turn to either side.", neutral=0), _FILL),
    ),
    Operation(
        "shift",
        "geometry",
        "Move sideways and up or down.",
        (_amount(0.1, 0.5, "Largest move, as a share of the image's side."), _FILL),
    ),
    Operation(
        "zoom",
        "geometry",
        "Enlarge or shrink about the centre, height and width alike.",
        (_amount(0.2, 0.6, "Shows 1 ± amount times as much of the image."), _FILL),
    ),
    Operation(
        "crop",
        "geometry",
        "Cut a random part out and resize it to the full image.",
        (
            _amount(0.3, 0.9, "Largest share of the area that is cut away."),
            Parameter(
                "aspect",
                0,
                0,
                0.5,
                "",
                "Largest change of the part's aspect ratio to either side.",
                neutral=0,
            ),
        ),
    ),
    Operation("shear", "geometry", "Slant sideways and upwards.", (_amount(0.15, 0.5, "Largest slant."),)),
)

_COLOUR = (
    Operation(
        "brightness",
        "colour",
        "Lighten or darken.",
        (_amount(0.2, 0.8, "Largest change, as a share of the full range of grey levels."),),
    ),
    Operation(
        "contrast", "colour", "Strengthen or weaken the contrast.", (_amount(0.3, 0.9, "Factor 1 ± amount."),)
    ),
    Operation(
        "saturation",
        "colour",
        "Strengthen or fade the colours.",
        (_amount(0.3, 0.9, "0 none, 0.9 nearly grey to lurid."),),
    ),
    Operation(
        "hue",
        "colour",
        "Turn the colours around the wheel.",
        (_amount(0.04, 0.5, "Largest turn to either side, as a share of the wheel."),),
    ),
    Operation(
        "jitter",
        "colour",
        "Brightness, contrast, saturation and hue together: a colour jitter.",
        (
            Parameter("brightness", 0.1, 0, 0.8, "", "As in `brightness`.", neutral=0),
            Parameter("contrast", 0.2, 0, 0.9, "", "As in `contrast`.", neutral=0),
            Parameter("saturation", 0.2, 0, 0.9, "", "As in `saturation`.", neutral=0),
            Parameter("hue", 0.03, 0, 0.5, "", "As in `hue`.", neutral=0),
        ),
    ),
    Operation(
        "channelshift",
        "colour",
        "Shift red, green and blue, each by its own amount: another stain, another lamp.",
        (_amount(0.08, 0.6, "Largest shift, as a share of the full range of grey levels."),),
    ),
    Operation("channelshuffle", "colour", "Exchange red, green and blue at random.", (_share(),)),
    Operation("grayscale", "colour", "Take the colour away.", (_share(),)),
    Operation(
        "solarize",
        "colour",
        "Turn pixels brighter than a random threshold into their negative.",
        (
            Parameter(
                "threshold", 96, 0, 256, "grey levels", "Lowest threshold; 256 turns nothing.", neutral=256
            ),
        ),
    ),
    Operation(
        "posterize",
        "colour",
        "Keep few grey levels.",
        (Parameter("bits", 4, 1, 8, "bits", "Per colour.", whole=True, neutral=8),),
    ),
    Operation("equalize", "colour", "Spread each colour's grey levels evenly.", (_share(),)),
    Operation("autocontrast", "colour", "Stretch each colour to the full range of grey levels.", (_share(),)),
    Operation("invert", "colour", "Turn the image into its negative.", (_share(),)),
    Operation(
        "scaleabs",
        "colour",
        "Stretch as |alpha · x + beta|, clipped (OpenCV's convertScaleAbs); the same for every image.",
        (
            Parameter("alpha", 1.5, 0, 3, "", "Factor.", neutral=1),
            Parameter("beta", 0, -128, 128, "grey levels", "Added after the factor.", neutral=0),
        ),
    ),
)

_FOCUS = (
    Operation(
        "sharpness",
        "focus and camera",
        "Soften or sharpen the edges.",
        (_amount(0.5, 1.0, "0 none, 1 strongest."),),
    ),
    Operation(
        "blur",
        "focus and camera",
        "Gaussian blur, as of a microscope out of focus.",
        (Parameter("sigma", 1.0, 0, 5, "pixels", "Largest standard deviation.", neutral=0),),
    ),
    Operation(
        "noise",
        "focus and camera",
        "Gaussian noise, as of a camera in poor light.",
        (
            Parameter("sigma", 12, 0, 80, "grey levels", "Largest standard deviation.", neutral=0),
            _choice(
                "strength", "Drawn for each image up to sigma, or sigma itself for all.", "drawn", "fixed"
            ),
        ),
    ),
    Operation(
        "jpeg",
        "focus and camera",
        "Compress and open again.",
        (
            Parameter(
                "quality",
                30,
                5,
                100,
                "",
                "Lowest JPEG quality; 100 leaves the image alone.",
                whole=True,
                neutral=100,
            ),
        ),
    ),
)

_COVER = (
    Operation(
        "cutout",
        "cover",
        "Cover a rectangle with grey, black or white.",
        (_amount(0.3, 0.7, "Longest side, as a share of the image's side."),),
    ),
    Operation(
        "gridmask",
        "cover",
        "Cover a grid of squares (GridMask, Chen et al., 2020).",
        (_amount(0.4, 0.9, "Largest share of a grid cell's side that is covered."),),
    ),
)

_MICROSCOPE = (
    Operation(
        "stain",
        "microscope",
        "Change how strongly each dye took, along the stain vectors of the dataset (Macenko et al., 2009).",
        (_amount(0.2, 0.8, "Largest change of each dye's concentration, as a share of it."),),
    ),
    Operation(
        "edges",
        "microscope",
        "Take the background away and draw the edges.",
        (_amount(1.0, 1.0, "0 the image itself, 1 edges on white alone; the same for every image."),),
    ),
    Operation(
        "corrupt",
        "microscope",
        "A corruption of MedMNIST-C for blood cells (Di Salvo et al., 2024), of a severity drawn up to this one.",
        (
            _choice("kind", "Which one; `any` draws one for each image.", "any", *CORRUPTIONS),
            Parameter("severity", 3, 0, 5, "", "Highest severity; 0 none.", whole=True, neutral=0),
        ),
    ),
)

_POLICY_STRENGTH = (
    "Strength of each operation; 0 leaves the image alone, just above it equalizes and stretches."
)

_POLICY = (
    Operation(
        "randaugment",
        "policy",
        "A few operations of a fixed list, drawn anew for each image (Cubuk et al., 2019).",
        (
            Parameter("magnitude", 0.3, 0, 1, "", _POLICY_STRENGTH, neutral=0),
            Parameter("count", 3, 1, 8, "operations", "How many are drawn for an image.", whole=True),
        ),
    ),
    Operation(
        "augmix",
        "policy",
        "Several chains of operations, mixed with each other and with the original (Hendrycks et al., 2020).",
        (
            Parameter("severity", 0.3, 0, 1, "", _POLICY_STRENGTH, neutral=0),
            Parameter("chains", 3, 1, 5, "chains", "How many are mixed.", whole=True),
        ),
    ),
)

_ALPHA = (
    "Parameter of the Beta distribution that the proportion is drawn from: small, mostly one image; 1, any."
)

_MIX = (
    Operation(
        "cutmix",
        "mix",
        "Put a rectangle of another image in, labels in proportion to the area (Yun et al., 2019).",
        (_share(), Parameter("alpha", 1.0, 0.05, 4, "", _ALPHA)),
        mixes=True,
    ),
    Operation(
        "mixup",
        "mix",
        "Blend with another image, labels in the same proportion (Zhang et al., 2018).",
        (_share(), Parameter("alpha", 0.2, 0.05, 4, "", _ALPHA)),
        mixes=True,
    ),
    Operation(
        "fouriermix",
        "mix",
        "Put parts of another image in along a random smooth border, labels in proportion (FMix, Harris et al., 2020).",
        (
            _share(),
            Parameter("alpha", 0.5, 0.05, 4, "", _ALPHA),
            Parameter("decay", 3, 1, 5, "", "How smooth the border is."),
        ),
        mixes=True,
    ),
)

_CHOICE = (
    Operation(
        "sometimes",
        "choice",
        "Apply what is inside with a probability.",
        (Parameter("probability", 0.5, 0, 1, "", "How often."), _PER),
        branches=1,
    ),
    Operation("oneof", "choice", "Apply one of the branches, drawn at random.", (_PER,), branches=2),
    Operation(
        "off", "choice", "Switched off: what is inside is kept in the text and does nothing.", branches=1
    ),
)

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (*_GEOMETRY, *_COLOUR, *_FOCUS, *_COVER, *_MICROSCOPE, *_POLICY, *_MIX, *_CHOICE)
}
