"""Review: find what does not belong, decide once, undo at any time."""

from bloodapp.ui.frame import page
from bloodapp.ui.review import page as review

review.draw(page("Review", own_heading=True, needs_dataset=True))
