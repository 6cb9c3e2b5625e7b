"""The weights that `keras.applications` publishes, by network: where they are, and their download. No TensorFlow.

Names, addresses and hashes are those of keras.applications in Keras 3.15, of the files without a head. They lie in its
folder, too, so that nothing is fetched twice.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py

from bloodapp import workspace
from bloodapp.data.download import FAILURES, Progress, download, intact, reason
from bloodapp.errors import SourceError
from bloodapp.train.networks import network_named
from bloodapp.train.recipe import Recipe

MIRROR = "BLOODAPP_WEIGHTS_URL"
"""The environment variable with the address that is asked in place of Google's."""

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
_EFFICIENTNET = "https://storage.googleapis.com/keras-applications/"
_ORDER = "weights_tf_dim_ordering_tf_kernels"
_SIDES = (96, 128, 160, 192, 224)
_LEFT_SECONDS = 3600


@dataclass(frozen=True)
class Published:
    """One published file.

    Attributes:
        address: below the folder of keras.applications.
        digest: MD5 or SHA-256 in hexadecimal; empty where none is published.
        base: the address of that folder.
    """

    address: str
    digest: str
    base: str = _KERAS

    @property
    def url(self) -> str:
        """Where it is fetched from: the mirror of the environment, else Google."""
        return f"{os.environ.get(MIRROR, self.base).rstrip('/')}/{self.address}"

    @property
    def path(self) -> Path:
        """Where it lies, or will."""
        return folder() / self.address.rpartition("/")[2]


FILES: dict[str, Published] = {
    "vgg16": Published(f"vgg16/vgg16_{_ORDER}_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": Published(f"vgg19/vgg19_{_ORDER}_notop.h5", "253f8cb515780f3b799900260a226db6"),
    "resnet50": Published(f"resnet/resnet50_{_ORDER}_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet50v2": Published(f"resnet/resnet50v2_{_ORDER}_notop.h5", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": Published(f"resnet/resnet101v2_{_ORDER}_notop.h5", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "inceptionv3": Published(
        f"inception_v3/inception_v3_{_ORDER}_notop.h5", "bcbd6486424b2319ff4ef7d526e38f63"
    ),
    "mobilenetv2": Published(f"mobilenet_v2/mobilenet_v2_{_ORDER}_1.0_224_no_top.h5", ""),
    "efficientnetb3": Published("efficientnetb3_notop.h5", "af6d107764bb5b1abb91932881670226", _EFFICIENTNET),
    "efficientnetv2b0": Published(
        "efficientnet_v2/efficientnetv2-b0_notop.h5", "893217f2bb855e2983157299931e43ff"
    ),
    "efficientnetv2s": Published(
        "efficientnet_v2/efficientnetv2-s_notop.h5", "af0682fb74e8c54910f2d4393339c070"
    ),
    "convnexttiny": Published(
        "convnext/convnext_tiny_notop.h5", "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"
    ),
    "convnextsmall": Published(
        "convnext/convnext_small_notop.h5", "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"
    ),
    "convnextbase": Published(
        "convnext/convnext_base_notop.h5", "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"
    ),
    "convnextlarge": Published(
        "convnext/convnext_large_notop.h5", "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd"
    ),
    "convnextxlarge": Published(
        "convnext/convnext_xlarge_notop.h5",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}


def folder() -> Path:
    """Where keras.applications keeps its weights: `models` in $KERAS_HOME, else in `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"


def file_for(recipe: Recipe) -> Published:
    """The published file that a recipe's network starts from."""
    published = FILES[recipe.model]
    if recipe.model == "mobilenetv2":
        # Published for five sides. As keras.applications does, that of the images is taken, 224 for any other.
        side = recipe.resize or recipe.size
        address = published.address.replace("_224_", f"_{side if side in _SIDES else 224}_")
        return Published(address, published.digest, published.base)
    return published


def fetch(recipe: Recipe, progress: Progress | None = None) -> Path:
    """The file of a recipe's published weights, downloaded unless it is there already and whole.

    Raises SourceError that names what was tried and what else can be done; nothing half is left behind. What
    `progress` raises breaks the download off.
    """
    published, title = file_for(recipe), network_named(recipe.model).title
    if published.path.is_file() and _intact(published.path, published.digest):
        return published.path
    _sweep(published.path)
    try:
        with workspace.replacing(published.path) as temporary:
            download(published.url, temporary, f"Fetching the ImageNet weights of {title}", progress)
            if not _intact(temporary, published.digest):
                raise OSError("what came is not the published file")
    except FAILURES as error:
        raise SourceError(
            f"The ImageNet weights of {title} could not be fetched from {published.url} ({reason(error)}). "
            f"Put the file at {published.path} by hand, or set weights to the path of a file, to run:NAME (a finished "
            f"run of the same network, such as an own one on blood cells), or to none."
        ) from error
    return published.path


def _sweep(path: Path) -> None:
    """Remove what downloads of a file left that were killed: nothing was written to it for an hour."""
    for left in path.parent.glob(f".{path.name}-*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                left.unlink()


def _intact(path: Path, digest: str) -> bool:
    """Whether a file is the published one; where no hash is, whether it opens and nothing of it is missing."""
    if not digest:
        try:
            with h5py.File(path):  # it knows how long it is, and does not open when cut short
                return True
        except OSError:
            return False
    return intact(path, digest)
