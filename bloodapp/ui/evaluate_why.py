"""Why the run answers as it does for one image: where it looks, and the training cells most like it."""

import streamlit as st

from bloodapp.ui.evaluate_reading import Reading

FILTERS: tuple[str, ...] = ()
"""Names in the address that this view keeps its choices under."""


def draw(reading: Reading) -> None:
    """Draw the view."""
    st.html(f'<p class="quiet">{len(reading.result)} images.</p>')
