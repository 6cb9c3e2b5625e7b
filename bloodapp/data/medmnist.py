"""The sets of MedMNIST: which file is which, and what its classes are called.

The names are those of Yang et al., *MedMNIST v2*, Scientific Data 10, 41 (2023), and its package `medmnist`.
"""

import re
from pathlib import Path

from bloodapp.classes import DEFAULT_CLASSES, CellClass
from bloodapp.data.naming import named
from bloodapp.errors import SourceError

_ORGANS = (
    "bladder",
    "left femur",
    "right femur",
    "heart",
    "left kidney",
    "right kidney",
    "liver",
    "left lung",
    "right lung",
    "pancreas",
    "spleen",
)

SETS: dict[str, tuple[str, ...]] = {
    "pathmnist": (
        "adipose",
        "background",
        "debris",
        "lymphocytes",
        "mucus",
        "smooth muscle",
        "normal colon mucosa",
        "cancer-associated stroma",
        "colorectal adenocarcinoma epithelium",
    ),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("grade 0", "grade 1", "grade 2", "grade 3", "grade 4"),
    "breastmnist": ("malignant", "normal or benign"),
    "bloodmnist": tuple(cell_class.key for cell_class in DEFAULT_CLASSES),
    "tissuemnist": (
        "collecting duct, connecting tubule",
        "distal convoluted tubule",
        "glomerular endothelial cells",
        "interstitial endothelial cells",
        "leukocytes",
        "podocytes",
        "proximal tubule segments",
        "thick ascending limb",
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}
"""The two-dimensional sets that give each image one label, each with its classes in the order of their numbers."""

_FILE = re.compile(r"([a-z]+mnist(?:3d)?)(?![a-z])", re.IGNORECASE)


def set_of(path: Path) -> str:
    """The set that a file is by its name, `bloodmnist_64.npz`, or "" if none that can be imported.

    Raises SourceError for the sets of MedMNIST that give an image several labels, or hold volumes.
    """
    found = _FILE.match(path.stem)
    name = found.group(1).lower() if found else ""
    if name == "chestmnist":
        raise SourceError(
            f"'{path.name}' is ChestMNIST, which gives an image up to fourteen labels at once: "
            "choose a set with one label an image."
        )
    if name.endswith("mnist3d"):
        raise SourceError(
            f"'{path.name}' is a set of volumes, not of images: choose one of {', '.join(sorted(SETS))}."
        )
    return name if name in SETS else ""


def classes_of_set(name: str) -> tuple[CellClass, ...]:
    """The class list of one of SETS; those of BloodMNIST are the eight default classes."""
    if name == "bloodmnist":
        return DEFAULT_CLASSES
    titles = SETS[name]
    keys = [re.sub(r"[^a-z0-9]+", "_", title) for title in titles]
    return named(keys, [title[0].upper() + title[1:] for title in titles])
