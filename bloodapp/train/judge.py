"""How well a network does on val after each epoch, clean and under the shift; and its answers to any images."""

import keras
import numpy as np
import numpy.typing as npt

from bloodapp.augment.corruptions import SHIFT_SEED, shifted
from bloodapp.train import feed
from bloodapp.train.course import Scores

PREDICT_BATCH = 128
LIVE_SHIFTED = 1000  # val images judged under the shift after each epoch; all of them at the end


class Judge:
    """The val part, and some of it under the shift, drawn once for all epochs.

    `images` (N, H, H, 3) are the dataset's, `rows` those of val, `labels` (N,) of all images.
    """

    def __init__(
        self, images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]
    ) -> None:
        self.images, self.rows, self.labels = images, rows, labels
        # Spread over the classes as the part is: rows of a part are in the dataset's order.
        places = np.linspace(0, len(rows) - 1, min(len(rows), LIVE_SHIFTED)).astype(int)
        self.live = rows[np.unique(places)]
        self.live_shifted = shifted(images[self.live], SHIFT_SEED, keys=self.live)

    def scores(self, model: keras.Model, size: int) -> Scores:
        """The model's scores on images of that side."""
        clean = predict(model, self.images, self.rows, size)
        hard = predict(model, self.live_shifted, np.arange(len(self.live)), size)
        labels = self.labels[self.rows]
        given = np.maximum(clean[np.arange(len(labels)), labels], 1e-7)
        return Scores(
            accuracy=float((clean.argmax(1) == labels).mean()),
            shifted_accuracy=float((hard.argmax(1) == self.labels[self.live]).mean()),
            loss=float(-np.log(given).mean()),
        )


def predict(
    model: keras.Model, images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.float32]:
    """Probabilities float32 (len(rows), C), in batches of one shape so that nothing is traced twice."""
    out = []
    for start in range(0, len(rows), PREDICT_BATCH):
        block = rows[start : start + PREDICT_BATCH]
        padded = np.resize(block, PREDICT_BATCH)
        # On several devices each answers the whole batch, one after the other: the first answers are kept.
        out.append(model.predict_on_batch(feed.plain_batch(images, padded, size))[: len(block)])
    return np.concatenate(out).astype(np.float32)
