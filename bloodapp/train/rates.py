"""The learning-rate finder (Smith, "Cyclical Learning Rates", 2017): the loss along rising learning rates."""

import keras

__all__ = ["keras"]
