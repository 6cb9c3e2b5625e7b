"""Evaluate: clean beside shifted, the confusion matrix and its images, classes, mistakes, curves."""

from bloodapp.ui import frame
from bloodapp.ui.evaluate import page

page.draw(frame.page("Evaluate", own_heading=True, needs_run=True))
