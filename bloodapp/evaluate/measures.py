"""How bright and how sharp a dataset's images are: measured once, kept beside them."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from bloodapp.data.dataset import Dataset
from bloodapp.workspace import replacing

FILE = "measures.npz"
BLOCK = 64
"""Images at once, which stay in the processor's cache."""

# Rec. 601 luma in 1/256: 0.299, 0.587, 0.114.
_LUMA = (77, 150, 29)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Measures:
    """Measures of some images, in their order.

    Attributes:
        brightness: float32 (N,), mean luminance, 0 to 255.
        sharpness: float32 (N,), variance of the Laplacian of the luminance, in squared grey levels: the measure
            of focus of J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """

    brightness: Floats
    sharpness: Floats


def measured(dataset: Dataset, rows: npt.NDArray[np.int64]) -> Measures:
    """The measures of these images of a dataset; what has not been measured yet is, and is kept in its folder.

    The images never change, so a figure holds as long as the folder. Two that measure at once lose nothing but time.
    """
    kept = _kept(dataset.path / FILE, len(dataset))
    missing = np.unique(rows[np.isnan(kept[rows, 0])])
    if len(missing):
        blocks = [missing[start : start + BLOCK] for start in range(0, len(missing), BLOCK)]
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # NumPy lets others work meanwhile
            for block, found in zip(
                blocks, pool.map(lambda rows: measure(dataset.read(rows)), blocks), strict=True
            ):
                kept[block] = np.stack(found, axis=1)
        # A folder that cannot be written is measured again the next time.
        with suppress(OSError), replacing(dataset.path / FILE) as temporary:
            np.savez(temporary, measures=kept)
    return Measures(kept[rows, 0], kept[rows, 1])


def known(dataset: Dataset, rows: npt.NDArray[np.int64]) -> bool:
    """Whether all of these images have been measured before, so that `measured` takes no time."""
    return not np.isnan(_kept(dataset.path / FILE, len(dataset))[rows, 0]).any()


def measure(images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Brightness and sharpness of images uint8 (N, H, W, 3), H and W at least 3: float32 (N,) each."""
    luminance = images[..., 0] * np.uint16(_LUMA[0])
    luminance += images[..., 1] * np.uint16(_LUMA[1])
    luminance += images[..., 2] * np.uint16(_LUMA[2])
    grey = (luminance >> 8).astype(np.int16)
    laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1]
    laplacian += grey[:, 1:-1, :-2]
    laplacian += grey[:, 1:-1, 2:]
    laplacian -= 4 * grey[:, 1:-1, 1:-1]
    edges = laplacian.reshape(len(images), -1).astype(np.float32)
    brightness = grey.reshape(len(images), -1).mean(1, dtype=np.float64)
    return brightness.astype(np.float32), edges.var(1)


def _kept(path: Path, count: int) -> Floats:
    """What was measured before, (N, 2), NaN elsewhere; a damaged file is as good as none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kept: Floats = file["measures"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        kept = np.zeros((0, 2), np.float32)
    return kept if kept.shape == (count, 2) else np.full((count, 2), np.nan, np.float32)
