"""Styles of pages and views, so put into the page that nothing takes their place."""

from pathlib import Path

import streamlit as st

JUDGING = Path(__file__).with_name("judging.css")
"""How figures that judge a run look, on Evaluate and wherever a run is judged besides."""


def style(source: Path | str) -> None:
    """Put CSS, the text or the file of it, into the page where it is called.

    Streamlit puts HTML that is style alone beside the page, together with toasts, and there whatever a fragment draws
    anew takes the place of what the page had drawn: the page would lose its look. A mark that is not seen keeps it in
    its own place.
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    st.html(f'<i class="css" hidden></i><style>{text}</style>')
