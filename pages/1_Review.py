"""Review: find what does not belong, decide once, undo at any time."""

from bloodapp.ui import review
from bloodapp.ui.frame import page

review.draw(page("Review", own_heading=True, needs_dataset=True))
