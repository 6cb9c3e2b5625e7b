"""The drawn sample: a small dirty dataset with a known truth, painted by our own code.

390 images, shuffled. 320 good cells (30 basophils, 46 eosinophils, 36 erythroblasts, 44 immature granulocytes,
32 lymphocytes, 36 monocytes, 56 neutrophils, 40 platelets), and 70 images with a planted fault:

    10  mislabelled      further cells, each under a wrong label that a tired person might give
     8  blurred          further cells, out of focus
     6  dark             further cells, too little light
     4  bright           further cells, too much light
    10  exact_duplicate  copies of 8 good cells (two of them twice), same label
     6  label_conflict   copies of 6 other good cells, each under another label
     9  near_duplicate   9 other good cells again: 3 recompressed, 3 brighter, 3 shifted by one pixel
    17  foreign          no cells: one cartoon 12 times and one 5 times, under random labels

Near copies are 0 to 6 of 64 bits of the perceptual hash apart, strangers 8 and more: a scan that stops at 4
misses some shifted ones.

The truth has one row per (index, kind). Every member of a group of duplicates has its row, the good cell
included, for nobody can tell which was first; a label conflict and a repeated cartoon are exact duplicates
as well. `true_label` is what the image shows, -1 for no cell; it tells which side of a conflict is wrong.
"""

import io
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from bloodapp.classes import DEFAULT_CLASSES, CellClass
from bloodapp.data.cells import draw_cell
from bloodapp.data.drawing import GROUND, SIZE, Slide, textures
from bloodapp.data.memes import duck, space_cat

Image8 = NDArray[np.uint8]

GOOD_CELLS: tuple[int, ...] = (30, 46, 36, 44, 32, 36, 56, 40)
"""How many good cells of each class, in the order of `DEFAULT_CLASSES`."""

MISLABELLED: tuple[tuple[int, int], ...] = (
    (6, 1), (1, 6), (6, 3), (3, 5), (5, 4), (4, 2), (2, 4), (0, 3), (7, 2), (5, 6),
)  # fmt: skip
"""(true, given) label of every mislabelled cell."""

BLURRED = 8
DARK = 6
BRIGHT = 4
EXACT_COPIES: tuple[int, ...] = (2, 2, 1, 1, 1, 1, 1, 1)
CONFLICTS = 6
NEAR_EACH = 3
CARTOONS: tuple[int, ...] = (12, 5)

SLIDES: tuple[Slide, ...] = (
    Slide(GROUND, (1.0, 1.0, 1.0)),
    Slide((254, 230, 204), (1.06, 1.02, 0.98)),
    Slide((251, 223, 196), (0.95, 0.99, 1.05)),
    Slide((252, 226, 207), (1.04, 1.05, 1.0)),
    Slide((215, 212, 226), (0.82, 0.84, 0.86)),
)
"""Five slides of the same laboratory; the last was rinsed too long and is lilac."""

_SLIDE_SHARES = (0.34, 0.24, 0.2, 0.18, 0.04)


@dataclass(frozen=True)
class Sample:
    """The drawn dataset and what is wrong with it.

    Attributes:
        images: (N, 96, 96, 3) uint8 RGB.
        labels: (N,) int16, the given labels.
        truth: index int64, kind str, group int64 (-1 none), true_label int16 (-1 no cell); sorted by index and kind.
        classes: the eight default classes.
    """

    images: Image8
    labels: NDArray[np.int16]
    truth: pd.DataFrame
    classes: tuple[CellClass, ...]


@dataclass
class _Pile:
    """Images in the order they were made, before the shuffle; `rows` are (position, kind, group, true label)."""

    images: list[Image8] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    rows: list[tuple[int, str, int, int]] = field(default_factory=list)
    groups: int = 0

    def add(self, image: Image8, label: int) -> int:
        self.images.append(image)
        self.labels.append(label)
        return len(self.images) - 1

    def group(self, positions: list[int], kinds: tuple[str, ...], true_label: int) -> None:
        """Note that these images belong together."""
        for kind in kinds:
            self.rows += [(position, kind, self.groups, true_label) for position in positions]
        self.groups += 1


def draw_sample(seed: int = 7) -> Sample:
    """Draw the sample; the same seed gives the same pixels. About a second of one core."""
    rng = np.random.default_rng([seed, 0])
    sheets = textures(seed)

    def cell(label: int, number: int) -> Image8:
        own = np.random.default_rng([seed, 2, number])
        return draw_cell(label, own, sheets, SLIDES[own.choice(len(SLIDES), p=_SLIDE_SHARES)])

    pile = _Pile()
    for label, count in enumerate(GOOD_CELLS):
        for _ in range(count):
            pile.add(cell(label, len(pile.images)), label)
    good = len(pile.images)
    for true, given in MISLABELLED:
        pile.rows.append((pile.add(cell(true, len(pile.images)), given), "mislabelled", -1, true))
    for kind, count, spoil in (
        ("blurred", BLURRED, _blurred),
        ("dark", DARK, _dark),
        ("bright", BRIGHT, _bright),
    ):
        for i in range(count):
            label = (3 * i + len(kind)) % len(GOOD_CELLS)
            image = spoil(cell(label, len(pile.images)), rng)
            pile.rows.append((pile.add(image, label), kind, -1, label))
    _add_copies(pile, rng.permutation(good).tolist(), rng)
    for picture, count in zip((duck(SIZE), space_cat(SIZE)), CARTOONS, strict=True):
        given = rng.permutation(np.arange(count) % len(GOOD_CELLS)).tolist()
        pile.group(
            [pile.add(picture, label) for label in given],
            ("foreign", "exact_duplicate", "label_conflict"),
            -1,
        )
    return _shuffled(pile, rng)


def _add_copies(pile: _Pile, sources: list[int], rng: np.random.Generator) -> None:
    """Add the exact copies, the conflicts and the near copies of good cells, each of another cell."""
    for copies in EXACT_COPIES:
        first = sources.pop()
        image, label = pile.images[first], pile.labels[first]
        pile.group([first] + [pile.add(image, label) for _ in range(copies)], ("exact_duplicate",), label)
    for _ in range(CONFLICTS):
        first = sources.pop()
        true = pile.labels[first]
        given = int((true + rng.integers(1, len(GOOD_CELLS))) % len(GOOD_CELLS))
        pile.group([first, pile.add(pile.images[first], given)], ("exact_duplicate", "label_conflict"), true)
    for change in (_recompressed, _brighter, _shifted):
        for _ in range(NEAR_EACH):
            first = sources.pop()
            label = pile.labels[first]
            pile.group([first, pile.add(change(pile.images[first]), label)], ("near_duplicate",), label)


def _shuffled(pile: _Pile, rng: np.random.Generator) -> Sample:
    order = rng.permutation(len(pile.images))
    place = np.argsort(order)
    truth = pd.DataFrame(pile.rows, columns=["index", "kind", "group", "true_label"])
    truth["index"] = place[truth["index"].to_numpy()]
    truth = truth.astype({"index": np.int64, "group": np.int64, "true_label": np.int16})
    truth = truth.sort_values(["index", "kind"], ignore_index=True)
    images = np.stack(pile.images)[order]
    labels = np.array(pile.labels, np.int16)[order]
    return Sample(images, labels, truth, DEFAULT_CLASSES)


def _blurred(image: Image8, rng: np.random.Generator) -> Image8:
    soft = gaussian_filter(image.astype(np.float32), (rng.uniform(2.6, 3.4),) * 2 + (0,))
    return np.clip(soft + 0.8 * rng.standard_normal(soft.shape, dtype=np.float32) + 0.5, 0, 255).astype(
        np.uint8
    )


def _dark(image: Image8, rng: np.random.Generator) -> Image8:
    return (image * np.float32(rng.uniform(0.2, 0.34))).astype(np.uint8)


def _bright(image: Image8, rng: np.random.Generator) -> Image8:
    return np.clip(image * np.float32(rng.uniform(1.15, 1.25)) + 40, 0, 255).astype(np.uint8)


def _recompressed(image: Image8) -> Image8:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=55)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _brighter(image: Image8) -> Image8:
    return np.clip(image * np.float32(1.05) + 2, 0, 255).astype(np.uint8)


def _shifted(image: Image8) -> Image8:
    return np.concatenate([image[:, :1], image[:, :-1]], axis=1)
