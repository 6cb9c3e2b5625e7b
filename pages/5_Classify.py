"""Classify: drop one image or many, see what a run says about each."""

from bloodapp.ui import classify, frame

here = frame.page(
    "Classify",
    intro="Drop an image of a cell: the chosen run says what it is, and how sure it is.",
    needs_run=True,
)
classify.draw(here)
