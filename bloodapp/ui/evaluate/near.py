"""The training cells that look most like an image to the run's network."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.classify import features
from bloodapp.classify.features import Features
from bloodapp.errors import InvalidValue
from bloodapp.evaluate.neighbours import K, Nearest, in_words
from bloodapp.ui import frame, thumbs
from bloodapp.ui.evaluate import features as evaluate_features
from bloodapp.ui.evaluate import images
from bloodapp.ui.evaluate.reading import Reading

if TYPE_CHECKING:
    from bloodapp.classify.predictor import Predictor

_WHY = f"The {K} training cells that the network sees as most like an image show what an answer rests on."


def draw(
    reading: Reading,
    row: int,
    image: npt.NDArray[np.uint8],
    answered: npt.NDArray[np.float32] | None,
    label: int | None,
    predictor: "Predictor | None",
) -> None:
    """Draw the nearest training cells of the dataset's `row`, or of an image that is not of it where that is -1."""
    frame.section("Nearest training cells", "Most alike in the features of this run's network.")
    # Explain is what this page asks for first.
    found = evaluate_features.there_or_offered(reading, reading.run, _WHY, primary=False)
    if found is None:
        return
    try:
        near = _near(found, row, image, predictor)
    except InvalidValue as error:
        frame.error(error)
        return
    if near is None:
        st.html('<p class="quiet">This image\'s features are not kept: press Explain to compute them.</p>')
        return
    rows, distance = near.rows[0], near.distance[0]
    classes = reading.result.classes
    labels = found.label[rows]
    if answered is not None:
        said = in_words(labels, [one.title for one in classes], int(answered.argmax()), label)
        st.html(f'<p class="whysaid">{escape(said)}</p>')
    dataset = reading.dataset
    if dataset is None:
        tally = ", ".join(classes[one].title for one in labels)
        st.html(f'<p class="quiet">Their labels: {escape(tally)}. The images themselves are not here.</p>')
        return
    thumbs.grid(
        images.pictures(dataset, found.index[rows], under_shift=False),
        [f"{classes[one].title} · {apart:.3f}" for one, apart in zip(labels, distance, strict=True)],
        colours=[classes[one].colour for one in labels],
        hints=[
            f"image {found.index[at]}: labelled {classes[one].title}, cosine distance {apart:.3f}"
            for at, one, apart in zip(rows, labels, distance, strict=True)
        ],
        width=118,
    )
    st.html(
        '<p class="quiet">Under each its label and its cosine distance: 0 is the same to the network, 1 has nothing in '
        "common.</p>"
    )


def _near(
    found: Features, row: int, image: npt.NDArray[np.uint8], predictor: "Predictor | None"
) -> Nearest | None:
    """From the features that are kept where they are of this image, else from the model if it is in memory."""
    at = np.flatnonzero(found.index == row)
    if len(at):
        return evaluate_features.around(found, found.values[at[:1]], itself=at[:1])
    if predictor is None:
        return None
    return evaluate_features.around(found, features.of_images(predictor, image[None]))
