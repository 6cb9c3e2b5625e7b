"""A run's model, loaded once and asked many times. Imports TensorFlow.

`keras.Model.predict` is not safe from several threads (tensorflow#61298) and traces anew for each
batch shape, so here one traced function of two fixed shapes answers behind a lock.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bloodapp.errors import InvalidValue, NotFound, Unreadable
from bloodapp.runs.run import Run

EMBEDDING = "embedding"
BATCHES = (8, 128)
"""Shapes the model is traced for: a few dropped images do not wait for a padded batch of 128."""


class Predictor:
    """The model of one run.

    Attributes:
        run: the run it belongs to.
        classes: the run's classes, in the order of the probabilities.
        size: side of the images it takes, in pixels.
        model: the network itself; who asks it holds the lock.
        lock: held while the network answers.
    """

    def __init__(self, run: Run) -> None:
        """Load the run's model without running any code from its file.

        Raises NotFound if the run has none yet, Unreadable if it is damaged or does not fit the run.
        """
        if not run.model_path.exists():
            raise NotFound("a model in the run", run.name)
        self.run, self.classes, self.size = run, run.classes, run.size
        self.lock = threading.Lock()
        model = self.model = _load(run.model_path)
        if model.output_shape[-1] != len(self.classes):
            raise Unreadable(
                f"The model of run '{run.name}' tells {model.output_shape[-1]} classes apart, "
                f"but the run names {len(self.classes)}."
            )
        self._answers = {
            "probabilities": _traced(model, [model.output]),
            "stages": _traced(model, last_of_each_size(model)),
        }
        features = [model.get_layer(before + EMBEDDING).output for before in networks(model)]
        if features:
            self._answers["features"] = _traced(model, features)

    def predict(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities float32 (N, C) of images uint8 (N, S, S, 3); raises InvalidValue for other shapes."""
        return self._ask(images, "probabilities")

    def features(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Pooled features float32 (N, D) of images uint8 (N, S, S, 3), from the layer `embedding`.

        Of several networks in one, those of all side by side.
        """
        if "features" not in self._answers:
            raise InvalidValue(f"The model of run '{self.run.name}' has no layer '{EMBEDDING}'.")
        return self._ask(images, "features")

    def stages(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Activations float32 (N, D) of images uint8 (N, S, S, 3), averaged over the picture, from every depth.

        The last layer of each resolution, first to last: edges and colours first, what the picture shows last. A
        network learns to pass over light, blur and noise; its first stages still see them.
        """
        return self._ask(images, "stages")

    def _ask(self, images: npt.NDArray[np.uint8], what: str) -> npt.NDArray[np.float32]:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (self.size, self.size, 3):
            raise InvalidValue(
                f"Run '{self.run.name}' takes uint8 images of (N, {self.size}, {self.size}, 3), "
                f"not {images.dtype} {images.shape}."
            )
        batch = BATCHES[0] if len(images) <= BATCHES[0] else BATCHES[1]
        answers = []
        # No images are asked as one padded batch too, which gives the number of columns.
        for start in range(0, max(len(images), 1), batch):
            block = images[start : start + batch]
            padded = np.zeros((batch, self.size, self.size, 3), np.uint8)
            padded[: len(block)] = block
            with self.lock:
                answers.append(self._answers[what](tf.constant(padded)).numpy()[: len(block)])
        return np.concatenate(answers)


def _traced(model: keras.Model, outputs: list[keras.KerasTensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Images in 0–255 → these outputs side by side, float32 (N, D); traced on first use."""
    some = keras.Model(model.input, outputs)

    @tf.function(autograph=False)
    def answer(images: tf.Tensor) -> tf.Tensor:
        found = tf.nest.flatten(some(tf.cast(images, tf.float32), training=False))  # one output comes bare
        return tf.concat([_pooled(one) for one in found], axis=1)

    return answer


def _pooled(output: tf.Tensor) -> tf.Tensor:
    output = tf.cast(output, tf.float32)
    return tf.reduce_mean(output, axis=(1, 2)) if output.shape.rank == 4 else output


def networks(model: keras.Model) -> list[str]:
    """What the names of each network's layers begin with: of several in one, as folds are, `1_`, `2_`, …, else ``."""
    names = [layer.name for layer in model.layers]
    return [name.removesuffix(EMBEDDING) for name in names if name.rpartition("_")[2] == EMBEDDING]


def last_of_each_size(model: keras.Model, before: str = "") -> list[keras.KerasTensor]:
    """The outputs (N, H, W, C) of a model at which its resolution ends, first to last; its output if there is none.

    Of several networks in one, those of the layers whose names begin with `before`.
    """
    last: dict[int, keras.KerasTensor] = {}
    for layer in model.layers:
        if not layer.name.startswith(before):
            continue
        output = getattr(layer, "output", None)
        if not isinstance(output, keras.KerasTensor) or len(output.shape) != 4 or output.shape[-1] == 3:
            continue
        if isinstance(layer, keras.layers.ZeroPadding2D):
            continue
        # Where a larger map follows, a smaller one was no stage: squeeze-and-excite looks at all of the map at once.
        last = {side: one for side, one in last.items() if side >= output.shape[1]}
        last[output.shape[1]] = output
    return list(last.values()) or list(model.outputs)


def _load(path: Path) -> keras.Model:
    # The server keeps its models for hours: it must leave the GPU's memory to the trainings beside it.
    for gpu in tf.config.list_physical_devices("GPU"):
        with suppress(RuntimeError):  # in use already, with whatever was set then
            tf.config.experimental.set_memory_growth(gpu, True)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unreadable(f"The model of run '{path.parent.name}' cannot be loaded: {reason}") from error
