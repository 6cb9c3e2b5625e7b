"""The layers between a backbone and the answer, as a declared list: `dropout(0.5)|dense(256, relu, l2=1e-4)|batchnorm`.

Steps: `dense(units, activation, initialiser, l1=, l2=)`, `batchnorm`, `activation(name)`, `dropout(rate)`, and last
`output(initialiser, l1=, l2=)` for the layer that names the classes, which is there anyhow.
"""

from dataclasses import dataclass

from bloodapp.errors import InvalidValue, NotFound
from bloodapp.train import calls

ACTIVATIONS = ("linear", "relu", "gelu", "silu", "hard_silu", "elu", "selu", "tanh")
INITIALISERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_normal",
    "truncated_normal",
)
STEPS = ("dense", "batchnorm", "activation", "dropout", "output")
MOST_UNITS = 16_384
_WHAT = "head"


@dataclass(frozen=True)
class Step:
    """One layer of a head.

    Attributes:
        kind: one of `STEPS`.
        units: outputs of a dense layer.
        rate: share that a dropout drops, 0–0.95.
        activation: of a dense layer or an activation.
        initialiser: how the weights of a dense layer begin.
        l1: weight of the sum of absolute weights in the loss.
        l2: weight of the sum of squared weights in the loss.
    """

    kind: str
    units: int = 0
    rate: float = 0.0
    activation: str = "linear"
    initialiser: str = "glorot_uniform"
    l1: float = 0.0
    l2: float = 0.0


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a head's text; raises InvalidValue or NotFound that says what a step takes."""
    steps = tuple(_step(call) for call in calls.read(text, _WHAT))
    if any(step.kind == "output" for step in steps[:-1]):
        raise InvalidValue("head: output comes last, since it names the classes.")
    return steps


def _step(call: calls.Call) -> Step:
    if call.name not in STEPS:
        raise NotFound("layer of a head", call.name, STEPS)
    words = [value for value in (*call.args, *call.named.values()) if isinstance(value, str)]
    known = {*ACTIVATIONS, *INITIALISERS}
    if unknown := [word for word in words if word not in known]:
        raise NotFound("activation or initialiser", unknown[0], known)
    l1, l2 = (calls.number(call, -1, name, 0.0, 0, 10, _WHAT) for name in ("l1", "l2"))
    activation = next((word for word in words if word in ACTIVATIONS), "linear")
    initialiser = next((word for word in words if word in INITIALISERS), "glorot_uniform")
    units = int(calls.number(call, 0, "units", None, 1, MOST_UNITS, _WHAT)) if call.name == "dense" else 0
    rate = calls.number(call, 0, "rate", None, 0, 0.95, _WHAT) if call.name == "dropout" else 0.0
    return Step(call.name, units, rate, activation, initialiser, l1, l2)
