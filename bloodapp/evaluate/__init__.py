"""Judging a run: metrics with intervals, the mistakes, clean beside shifted. From arrays and files.

`metrics` and `mistakes` know NumPy only; `evaluate` reads a run's predictions, and asks the
predictor (and with it TensorFlow) only when a run is judged on images it has not seen.
"""
