"""A phase begins: the layers that it names learn, the others rest, and the optimizer knows nothing yet."""

from typing import TYPE_CHECKING

from bloodapp.train.phases import Phase
from bloodapp.train.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from bloodapp.train.devices import Device


def begin(model: "keras.Model", recipe: Recipe, phase: Phase, device: "Device") -> tuple[int, int]:
    """Compile a built model for a phase of a recipe; how many of the backbone's layers learn, and how many it has.

    Compiled is where `device` computes, with the recipe's loss and a new optimizer: one that went on would remember
    other weights. Imports TensorFlow.
    """
    import keras

    from bloodapp.train import models, optimizers

    backbone = models.backbone_layers(model)
    learn = phase.learns(len(backbone))
    for place, layer in enumerate(backbone):
        layer.trainable = place >= len(backbone) - learn
    with device.scope():
        model.compile(
            optimizer=optimizers.optimizer(recipe, model),
            loss=optimizers.loss(recipe),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile=device.gpus == 1,  # on CPU XLA is 2–10 times slower
        )
        # Its variables made now: made in the first step, they would have TensorFlow trace the step twice.
        model.optimizer.build(model.trainable_variables)
    return learn, len(backbone)
