"""Faults of light, focus and colour: pure functions from measures to findings.

Quality is judged against the dataset itself: by how many robust standard deviations (1.4826 x the median
absolute deviation) a measure lies from the median of the distinct pictures, as P. J. Rousseeuw and C. Croux,
"Alternatives to the Median Absolute Deviation", JASA 88 (1993) describe it. The limits below were set on
11,959 real cells of the eight classes, of which they should flag next to none, and on the same cells blurred,
darkened and brightened. A score is 0.5 at a limit, nears 1 far beyond it and falls to `FLOOR` half-way to it.

In all of them `distinct` (N,) marks one image of every picture: copies do not make a fault usual.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.review.findings import finding_table
from bloodapp.review.measures import Floats, Measures
from bloodapp.review.robust import middle_and_spread, scored
from bloodapp.review.thresholds import FLOOR

Mask = NDArray[np.bool_]


def dark(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images whose lit background is much darker than usual, or that are dark all over.

    The brightest 1 % of the pixels is the empty glass, whatever the cell, so that large dark nuclei are no fault.
    """
    middle, spread = _usual(measures.light, distinct, 4)
    mean, mean_spread = _usual(measures.mean, distinct, 5)
    light = (middle - measures.light) / max(0.16 * middle, 6 * spread, 1)
    below = (mean - measures.mean) / (6.5 * mean_spread)
    shares = measures.light / max(middle, 1)
    return _beyond(
        "dark",
        np.maximum(light, below),
        np.where(
            light >= below,
            [f"Its brightest parts have {share:.0%} of the usual light" for share in shares],
            "Dark all over, far below the other images",
        ),
    )


def bright(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images whose background is burnt out, or that are bright all over."""
    upper, upper_spread = _usual(measures.upper, distinct, 2)
    mean, mean_spread = _usual(measures.mean, distinct, 5)
    over = (measures.upper - upper) / max(14, 6 * upper_spread)
    above = (measures.mean - mean) / (4.5 * mean_spread)
    return _beyond(
        "bright",
        np.maximum(over, above),
        np.where(
            over >= above,
            "Its background is burnt out: brighter than that of the other images",
            "Bright all over, far above the other images",
        ),
    )


def blurred(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images far softer than the others, by any of four measures.

    `detail` sees the lightest blur, `lines` and `slant` a movement in one direction, `coarse` a blur that noise
    or compression has covered.
    """
    beyond = np.zeros(len(measures))
    for values, floor, limit in (
        (measures.detail, 0.08, 5.0),
        (measures.lines, 0.15, 5.5),
        (measures.slant, 0.2, 5.5),
        (measures.coarse, 0.2, 4.8),
    ):
        middle, spread = _usual(values, distinct, floor)
        beyond = np.fmax(beyond, (middle - values) / (limit * spread))
    far = np.where(beyond >= 1.5, "Far softer than the other images", "Softer than the other images")
    return _beyond("blurred", beyond, far)


def low_information(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images of nearly one colour.

    Contrast is relative to the light and so not a matter of the lamp; entropy is in bits, about 6.4 for a
    cell and above 2.9 for the smallest platelet on an empty field.
    """
    contrast, _ = _usual(measures.contrast, distinct, 0.02)
    entropy, spread = _usual(measures.entropy, distinct, 0.3)
    pale = 0.36 * contrast / np.maximum(measures.contrast, 1e-3)
    plain = (entropy - measures.entropy) / max(entropy - 2.7, 6.5 * spread, 0.5)
    reason = np.where(
        measures.contrast < 0.02,
        "Nothing but one colour",
        np.where(pale >= plain, "Hardly any contrast: perhaps an empty field", "Few shades, little detail"),
    )
    return _beyond("low_information", np.maximum(_steep(pale), plain), reason)


def colour_cast(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images whose lit background has another colour than usual.

    Slides of one laboratory differ by a log ratio of 0.3 between two channels and are no fault.
    """
    beyond = np.zeros(len(measures))
    towards = np.full(len(measures), "", object)
    for values, more, less in (
        (measures.red, "red", "green and blue"),
        (measures.blue, "blue", "yellow"),
    ):
        middle, spread = _usual(values, distinct, 0.01)
        off = (values - middle) / max(0.42, 8 * spread)
        towards = np.where(np.abs(off) > beyond, np.where(off > 0, more, less), towards)
        beyond = np.maximum(beyond, np.abs(off))
    reason = [f"Its background leans to {colour}, unlike that of the other images" for colour in towards]
    return _beyond("colour_cast", beyond, reason)


def grey(measures: Measures, distinct: Mask) -> pd.DataFrame:
    """Images without colour where the others have it: their channels differ by next to nothing."""
    middle, _ = _usual(measures.chroma, distinct, 1)
    limit = 0.12 * middle
    beyond = np.where(limit > 2, limit / np.maximum(measures.chroma, 0.25), 0)
    return _beyond("grey", _steep(beyond), "Grey, where the other images have colour")


def seamed(measures: Measures) -> pd.DataFrame:
    """Blends of two pictures side by side: a straight line from edge to edge, sharper than what lies beside it.

    Of 11,959 real cells none has one along more than 40 % of its length; two cells put together have at least 42 %.
    """
    return _beyond("blend", (measures.seam / 0.41) ** 4, "Two pictures side by side: a seam runs through it")


def odd_size(width: NDArray[np.integer], height: NDArray[np.integer]) -> pd.DataFrame:
    """Images whose original had another size or shape than the others; (N,) pixels each.

    Judged on the logarithms of area and aspect: at a limit the area is four times as large or small as usual,
    or the picture half as wide again, and a set of many sizes allows for more.
    """
    everyone = np.ones(len(width), bool)
    wide, high = np.maximum(width, 1).astype(np.float64), np.maximum(height, 1).astype(np.float64)
    beyond = np.zeros(len(width))
    for values, least in ((np.log(wide * high), np.log(4)), (np.log(wide / high), np.log(1.5))):
        middle, spread = _usual(values.astype(np.float32), everyone, 0.02)
        beyond = np.maximum(beyond, np.abs(values - middle) / max(least, 6 * spread))
    reason = [f"Its original had {w} x {h} pixels" for w, h in zip(width, height, strict=True)]
    return _beyond("odd_size", beyond, reason)


def _usual(values: Floats, distinct: Mask, floor: float) -> tuple[float, float]:
    """Median and robust standard deviation (at least `floor`) of the distinct pictures that have the measure."""
    known = values[distinct & np.isfinite(values)]
    if not len(known):
        return 0.0, np.inf
    return middle_and_spread(known, floor)


def _steep(ratio: NDArray[np.floating]) -> NDArray[np.floating]:
    """A ratio of limit to value, made to fall off quickly below 1: twice the limit is no near miss."""
    return np.where(ratio < 1, ratio**2, ratio)


def _beyond(kind: str, beyond: NDArray[np.floating], reason: object) -> pd.DataFrame:
    """The findings of a kind from how far each image is beyond its limit (N,), 1 at the limit."""
    score = scored(beyond)
    index = np.flatnonzero(score >= FLOOR)
    return finding_table(
        kind, index, score[index], np.broadcast_to(np.asarray(reason, object), len(score))[index]
    )
