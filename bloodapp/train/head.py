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
# How many values a step takes by place, and what their names are; words may stand in any order after a number.
_TAKES: dict[str, tuple[int, tuple[str, ...]]] = {
    "dense": (3, ("units", "activation", "initialiser", "l1", "l2")),
    "batchnorm": (0, ()),
    "activation": (1, ("activation",)),
    "dropout": (1, ("rate",)),
    "output": (1, ("initialiser", "l1", "l2")),
}


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
    places, names = _TAKES[call.name]
    calls.expect(call, places, names, _WHAT)
    units = calls.whole(call, 0, "units", None, 1, MOST_UNITS, _WHAT) if "units" in names else 0
    rate = calls.number(call, 0, "rate", None, 0, 0.95, _WHAT) if "rate" in names else 0.0
    l1, l2 = (calls.number(call, -1, name, 0.0, 0, 10, _WHAT) for name in ("l1", "l2"))
    activation = _word(call, "activation", ACTIVATIONS)
    initialiser = _word(call, "initialiser", INITIALISERS)
    words = list(call.args[1:] if {"units", "rate"} & {*names} else call.args)
    for word in (activation, initialiser):
        if word in words:
            words.remove(word)
    if words:
        allowed = [
            *(ACTIVATIONS if "activation" in names else ()),
            *(INITIALISERS if "initialiser" in names else ()),
        ]
        raise NotFound("activation or initialiser", str(words[0]), allowed)
    if call.name == "activation" and not activation:
        raise InvalidValue(f"head: activation takes one of {', '.join(ACTIVATIONS)}.")
    return Step(call.name, units, rate, activation or "linear", initialiser or "glorot_uniform", l1, l2)


def _word(call: calls.Call, name: str, known: tuple[str, ...]) -> str:
    """The word of a call that is one of the known, by place or under its name; empty for none."""
    if name in call.named and call.named[name] not in known:
        raise NotFound(name, str(call.named[name]), known)
    if name not in _TAKES[call.name][1]:
        return ""
    return str(call.named.get(name, next((word for word in call.args if word in known), "")))
