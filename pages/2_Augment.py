"""Augment: what training does to an image, seen on one's own cells before it starts."""

from bloodapp.ui import frame
from bloodapp.ui.augment import page

here = frame.page(
    "Augment",
    intro="What training may do to your images, drawn by the very layers that train.",
    needs_dataset=True,
)
page.draw(here)
