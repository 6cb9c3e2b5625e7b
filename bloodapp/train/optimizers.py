"""The recipe's optimizer and loss."""

import keras
from keras import ops

from bloodapp.train.recipe import Recipe

NO_DECAY = ("bias", "gamma", "beta")
"""Weights that weight decay leaves alone, by their names: shifts, and the scales of normalisations."""
SCALES = "_scale/kernel"
"""How the paths end of the scales of ConvNeXt's branches, which its authors' training does not decay either."""


def optimizer(recipe: Recipe, model: keras.Model | None = None) -> keras.optimizers.Optimizer:
    """The recipe's optimizer for a model, with its clipping; the learning rate is set at every step.

    SGD has Nesterov's momentum of 0.9; the others' momenta are Keras'. The moving average of the weights is no part of
    it: see `average`.
    """
    clip = {"global_clipnorm": recipe.clip} if recipe.clip else {}
    if recipe.optimizer in ("adamw", "lion"):
        kind = keras.optimizers.AdamW if recipe.optimizer == "adamw" else keras.optimizers.Lion
        made = kind(recipe.learning_rate, weight_decay=recipe.weight_decay, **clip)
        scales = [weight for weight in model.weights if weight.path.endswith(SCALES)] if model else []
        made.exclude_from_weight_decay(var_list=scales, var_names=list(NO_DECAY))
        return made
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(recipe.learning_rate, **clip)
    return keras.optimizers.SGD(recipe.learning_rate, momentum=0.9, nesterov=True, **clip)


def loss(recipe: Recipe) -> keras.losses.Loss:
    """The recipe's loss over label shares (N, C) and probabilities (N, C).

    `focal` is (1 − p)^γ times the cross-entropy (Lin et al., "Focal Loss for Dense Object Detection", 2017) without its
    α: classes are weighed by the recipe's class weights.
    """
    if recipe.loss == "sparse":
        return SparseOverShares()
    if recipe.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0, gamma=recipe.focal, label_smoothing=recipe.label_smoothing
        )
    return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)


class SparseOverShares(keras.losses.Loss):
    """Cross-entropy over class numbers, where the labels come as shares: the largest share is the class."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of each image, (N,)."""
        return keras.losses.sparse_categorical_crossentropy(ops.argmax(y_true, axis=-1), y_pred)
