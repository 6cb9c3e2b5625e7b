"""Features of a dataset's images from a run's network, computed once and kept in the dataset's folder."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset
from bloodapp.data.images import to_square
from bloodapp.errors import BloodappError, NotFound, Unreadable
from bloodapp.review.measures import Floats
from bloodapp.runs.run import Run, list_runs, open_run
from bloodapp.workspace import read_json, replacing, write_json

FILE = "features.npy"
ABOUT = "features.json"
STARTER = "starter"
_BLOCK = 512

Progress = Callable[[int, int], None]


class Features:
    """What a run's network sees in images.

    Attributes:
        run: whose network it is.
    """

    def __init__(self, run: Run) -> None:
        """Load the run's model, which imports TensorFlow; raises NotFound and Unreadable.

        Raises BloodappError where TensorFlow cannot be loaded.
        """
        try:
            from bloodapp.classify.predictor import Predictor
        except ImportError as error:
            raise BloodappError(
                f"A deep scan needs TensorFlow, which cannot be loaded here ({error}): install it as the README "
                "says, or scan without a network."
            ) from error

        self.run = run
        self._predictor = Predictor(run)

    def of(self, images: NDArray[np.uint8]) -> Floats:
        """Features float32 (N, D) of images uint8 (N, S, S, 3) of any size."""
        side = self._predictor.size
        if images.shape[1] != side:
            images = np.stack([to_square(image, side) for image in images])
        return self._predictor.stages(images)

    def of_dataset(self, dataset: Dataset, progress: Progress, check: Callable[[], None]) -> Floats:
        """Features float32 (N, D) of all images of a dataset, read from its folder if they are this run's.

        `progress(done, total)` is called now and then; `check()` may raise to break it off.
        """
        about = {"run": self.run.name, "created": self.run.created, "fingerprint": dataset.fingerprint}
        if (kept := _kept(dataset, about)) is not None:
            return kept
        blocks = []
        for start, images in dataset.blocks(_BLOCK):
            check()
            progress(start, len(dataset))
            blocks.append(self.of(images).astype(np.float16))
        features = np.concatenate(blocks)
        (dataset.path / ABOUT).unlink(missing_ok=True)
        with replacing(dataset.path / FILE) as temporary, temporary.open("wb") as stream:
            np.save(stream, features, allow_pickle=False)
        write_json(dataset.path / ABOUT, about)
        return features.astype(np.float32)


def kept_for(dataset: Dataset) -> tuple[NDArray[np.float16], str] | None:
    """The features that the last deep scan left, float16 (N, D), mapped, and whose network it was; else None."""
    try:
        there = read_json(dataset.path / ABOUT)
        features = np.load(dataset.path / FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, Unreadable):
        return None
    fits = there.get("fingerprint") == dataset.fingerprint and len(features) == len(dataset)
    return (features, str(there.get("run"))) if fits and features.ndim == 2 else None


def feature_runs() -> list[Run]:
    """The runs whose features can be taken: the starter first, then the newest first."""
    able = [run for run in list_runs() if run.finished and not run.parent]
    return sorted(able, key=lambda run: run.name != STARTER)


def feature_run(name: str | None = None) -> Run:
    """The run whose features are taken: the named one, else the starter, else the newest with a model.

    Raises NotFound when there is none.
    """
    if name is not None:
        run = open_run(name)
        if not run.model_path.exists():
            raise NotFound("a model in the run", run.name, (one.name for one in feature_runs()))
        return run
    able = feature_runs()
    if not able:
        raise NotFound("a finished run", STARTER)
    return able[0]


def _kept(dataset: Dataset, about: dict[str, str]) -> Floats | None:
    try:
        there = read_json(dataset.path / ABOUT)
        if any(there.get(name) != value for name, value in about.items()):
            return None
        features = np.load(dataset.path / FILE, allow_pickle=False)
    except (OSError, EOFError, ValueError, Unreadable):
        return None
    return features.astype(np.float32) if len(features) == len(dataset) else None
