"""What a corruption is: a change of an image at five severities, declared with its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = tuple[float, ...]
Draw = Callable[[Pixels, Values, np.random.Generator], Pixels]

SEVERITIES = 5


@dataclass(frozen=True)
class Corruption:
    """One corruption and how strong it is at each severity.

    Attributes:
        name: as in MedMNIST-C, where it has the corruption.
        title: as read.
        help: what happens at the microscope, in a sentence.
        unit: what the numbers of a severity are; "px" are pixels of a 224-pixel image, scaled to the image's side.
        severities: the numbers of severities 1 to 5, as used.
        published: those that MedMNIST-C gives for BloodMNIST, in its own units (`published_unit`); empty for our own.
        draw: paints one image uint8 (H, W, 3) with the numbers of a severity and a generator.
        published_unit: what they are; the same as `unit` unless told.
    """

    name: str
    title: str
    help: str
    unit: str
    severities: tuple[Values, ...]
    published: tuple[Values, ...]
    draw: Draw
    published_unit: str = ""


def amount(values: Values) -> str:
    """The numbers of a severity as text, `10, 9`."""
    return ", ".join(f"{value:g}" for value in values)


def each(*values: float) -> tuple[Values, ...]:
    """Severities of one number each."""
    return tuple((value,) for value in values)
