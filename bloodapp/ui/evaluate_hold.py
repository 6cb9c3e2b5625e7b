"""Will it hold: the corruption suite as a heat map, and what to do about its weakest cell."""

import streamlit as st

from bloodapp.ui.evaluate_reading import Reading

FILTERS: tuple[str, ...] = ()
"""Names in the address that this view keeps its choices under."""


def draw(reading: Reading) -> None:
    """Draw the view."""
    st.html(f'<p class="quiet">{len(reading.result)} images.</p>')
