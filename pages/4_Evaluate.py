"""Evaluate: clean beside shifted, the confusion matrix and its images, classes, mistakes, curves."""

from bloodapp.ui import evaluate, frame

evaluate.draw(frame.page("Evaluate", own_heading=True, needs_run=True))
