"""A training's state at the end of an epoch, whole or not at all: weights, optimizer, and what callbacks know."""

import keras

__all__ = ["keras"]
