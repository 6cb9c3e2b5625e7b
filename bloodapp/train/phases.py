"""Which layers of the backbone learn when: `frozen(15)|skip(124, rate=1e-5)`.

A phase names what of the backbone is trained, for how many epochs, and optionally its own highest learning rate:

* `frozen(epochs)`: nothing of it, the head alone.
* `last(n, epochs)`: its last n layers. `skip(n, epochs)`: all but its first n. `share(s, epochs)`: its last s, 0–1.
* `full(epochs)`: all of it.
* `unfreeze(steps, epochs)`: in so many phases of so many epochs each, from the head down to the first layer.

The last phase takes the epochs that are left when it names none. Batch normalisation in frozen layers keeps its
published statistics (Keras' rule for `trainable = False`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bloodapp.errors import InvalidValue, NotFound
from bloodapp.train import calls

_WHAT = "phases"
_MOST = 100_000
# How many values a phase takes by place, and what all of them are called.
_TAKES: dict[str, tuple[int, tuple[str, ...]]] = {
    "frozen": (1, ("epochs", "rate")),
    "last": (2, ("amount", "epochs", "rate")),
    "skip": (2, ("amount", "epochs", "rate")),
    "share": (2, ("amount", "epochs", "rate")),
    "full": (1, ("epochs", "rate")),
    "unfreeze": (2, ("steps", "epochs", "rate")),
}
KINDS = tuple(_TAKES)


@dataclass(frozen=True)
class Phase:
    """One phase of a training.

    Attributes:
        kind: `frozen`, `last`, `skip`, `share` or `full`.
        amount: the number of layers, or the share of them, of `last`, `skip` and `share`.
        epochs: how many; 0 for all that are left.
        rate: highest learning rate; 0 for the recipe's own.
    """

    kind: str
    amount: float = 0.0
    epochs: int = 0
    rate: float = 0.0

    def learns(self, layers: int) -> int:
        """How many of a backbone's layers learn, counted from its end."""
        if self.kind == "frozen":
            return 0
        if self.kind == "last":
            return min(int(self.amount), layers)
        if self.kind == "skip":
            return max(layers - int(self.amount), 0)
        if self.kind == "share":
            return round(self.amount * layers)
        return layers


def parse(text: str) -> tuple[Phase, ...]:
    """The phases of a text, one `full` for an empty one; raises InvalidValue or NotFound."""
    phases: list[Phase] = []
    for call in calls.read(text, _WHAT):
        phases += _phases(call)
    if any(not phase.epochs for phase in phases[:-1]):
        raise InvalidValue("phases: every phase but the last says how many epochs it takes.")
    return tuple(phases) or (Phase("full"),)


def _phases(call: calls.Call) -> list[Phase]:
    if call.name not in KINDS:
        raise NotFound("phase", call.name, KINDS)
    places, names = _TAKES[call.name]
    calls.expect(call, places, names, _WHAT)
    epochs = calls.whole(call, names.index("epochs"), "epochs", 0, 0, _MOST, _WHAT)
    rate = calls.number(call, -1, "rate", 0.0, 0, 10, _WHAT)
    if call.name == "unfreeze":
        steps = calls.whole(call, 0, "steps", None, 1, 100, _WHAT)
        if not epochs:
            raise InvalidValue(
                "phases: unfreeze says how many epochs each of its steps takes, as in unfreeze(4, 2)."
            )
        return [
            Phase("frozen", 0.0, epochs, rate),
            *(Phase("share", step / steps, epochs, rate) for step in range(1, steps)),
            Phase("full", 0.0, epochs, rate),
        ]
    amount = 0.0
    if call.name == "share":
        amount = calls.number(call, 0, "amount", None, 0, 1, _WHAT)
    elif "amount" in names:
        amount = calls.whole(call, 0, "amount", None, 0, _MOST, _WHAT)
    return [Phase(call.name, amount, epochs, rate)]


def text(phases: Iterable[Phase]) -> str:
    """The phases as `parse` reads them."""
    return "|".join(_text(phase) for phase in phases)


def _text(phase: Phase) -> str:
    given = [f"{phase.amount:g}"] if phase.kind in ("last", "skip", "share") else []
    given += [str(phase.epochs)] if phase.epochs else []
    given += [f"rate={phase.rate:g}"] if phase.rate else []
    return f"{phase.kind}({', '.join(given)})" if given else phase.kind
