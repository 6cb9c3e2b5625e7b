"""What a recipe's small languages and figures mean, in words, and which of its fields count at all."""

from bloodapp.augment.named import PIPELINES
from bloodapp.errors import BloodappError
from bloodapp.train import head, phases, weighing
from bloodapp.train.networks import NETWORKS
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines
from bloodapp.ui.text import count

_MEASURED = ("The report:", "Seen on", "Not measured")


def why(recipe: Recipe) -> tuple[str, str]:
    """What a recipe is for, and what was measured of it; either may be empty."""
    place = min((at for word in _MEASURED if (at := recipe.why.find(word)) >= 0), default=len(recipe.why))
    return recipe.why[:place].strip(), recipe.why[place:].strip()


def network(recipe: Recipe) -> str:
    """The network, its size and its start: `ConvNeXt-Base · 87.6 M parameters · ImageNet`."""
    one = NETWORKS[recipe.model]
    known = f"{millions(one.parameters)} parameters" if one.parameters else ""
    parts = (one.title, known, start(recipe.weights), f"{recipe.folds} folds" if recipe.folds else "")
    return " · ".join(part for part in parts if part)


def millions(number: float) -> str:
    """A number of parameters as `87.6 M` or `314 k`."""
    return f"{number / 1e6:.1f} M" if number >= 1e6 else f"{number / 1e3:.0f} k"


def start(weights: str) -> str:
    """What a network starts from, short."""
    if weights in ("none", "imagenet"):
        return {"none": "from scratch", "imagenet": "from ImageNet"}[weights]
    return f"from {weights.removeprefix('run:').rpartition('/')[2]}"


def idle(recipe: Recipe) -> dict[str, str]:
    """The fields that count for nothing as the others stand, each with what would make it count."""
    found = {}
    if not NETWORKS[recipe.model].by_width:
        found["width"] = "for resnet9 and tiny"
    if recipe.schedule != "exponential":
        found["decay"] = found["decay_after"] = "for the exponential schedule"
    if recipe.schedule != "cyclic":
        found["cycle"] = "for the cyclic schedule"
    if recipe.schedule in ("cyclic", "onecycle"):
        found["warmup"] = "not for onecycle and cyclic, which rise by themselves"
    if not recipe.plateau:
        found["plateau_factor"] = "with a plateau"
    if recipe.loss != "focal":
        found["focal"] = "for the focal loss"
    if recipe.loss == "sparse":
        found["label_smoothing"] = "not for the sparse loss"
    if not recipe.folds:
        found["vote"] = "with folds"
    if not recipe.small_share:
        found["small_size"] = "with a small share"
    if recipe.optimizer not in ("adamw", "lion"):
        found["weight_decay"] = "for adamw and lion"
    return found


def meaning(name: str, recipe: Recipe, images: int | None = None) -> str:
    """What the text of a field means, in one line; empty for fields that say it themselves, or cannot be read."""
    try:
        if name == "phases":
            return phases_line(recipe)
        if name == "head":
            return head_line(recipe.head)
        if name == "copies":
            return copies_line(recipe.copies, images)
        if name == "balance" and recipe.balance:
            return "Rarer classes get copies by it until all are as large as the largest."
        if name == "class_weights":
            return weights_line(recipe.class_weights)
    except BloodappError:
        return ""
    return ""


def phases_line(recipe: Recipe) -> str:
    """`Epochs 1–15: the head only. From 16: all but the first 124 layers, at most 1e-05.`"""
    parts, first = [], 1
    parsed = phases.parse(recipe.phases)
    for phase in parsed:
        last = min(first + phase.epochs - 1, recipe.epochs) if phase.epochs else recipe.epochs
        if len(parsed) == 1 and last == recipe.epochs:
            when = "All epochs"
        elif last >= recipe.epochs:
            when = f"From {first}"
        else:
            when = f"Epochs {first}–{last}" if last > first else f"Epoch {first}"
        parts.append(f"{when}: {_layers(phase)}{_rate(phase)}.")
        first = last + 1
        if first > recipe.epochs and phase is not parsed[-1]:
            parts.append(f"The rest finds no epoch left of {recipe.epochs}.")
            break
    return " ".join(parts)


def phase(text: str) -> str:
    """What a phase trains, as a training writes it down: `frozen(15)` → `the head only`, and how fast; others stay."""
    try:
        return " and ".join(_layers(each) + _rate(each) for each in phases.parse(text)) if text else ""
    except BloodappError:
        return text


def _rate(phase: phases.Phase) -> str:
    return f", at most {phase.rate:g}" if phase.rate else ""


def _layers(phase: phases.Phase) -> str:
    if phase.kind == "frozen":
        return "the head only"
    if phase.kind == "last":
        return f"the last {count(int(phase.amount), 'layer')}"
    if phase.kind == "skip":
        return f"all but the first {count(int(phase.amount), 'layer')}"
    if phase.kind == "share":
        return f"the last {100 * phase.amount:g} % of the layers"
    return "the whole network"


def head_line(text: str) -> str:
    """`Dropout 50 % → dense 256, relu, L2 0.0001 → batch norm → the answer.`"""
    parsed = head.parse(text)
    if not parsed:
        return "Straight to the classes."
    steps = [_step(step) for step in parsed]
    if parsed[-1].kind != "output":
        steps.append("the answer")
    line = " → ".join(steps)
    return line[:1].upper() + line[1:] + "."


def _step(step: head.Step) -> str:
    pulls = [f"{name} {value:g}" for name, value in (("L1", step.l1), ("L2", step.l2)) if value]
    if step.kind == "dropout":
        return f"dropout {100 * step.rate:g} %"
    if step.kind == "batchnorm":
        return "batch norm"
    if step.kind == "activation":
        return step.activation
    if step.kind == "output":
        return ", ".join(["the answer", *pulls])
    words = [f"dense {step.units}"]
    words += [step.activation] if step.activation != "linear" else []
    words += [step.initialiser.replace("_", " ")] if step.initialiser != "glorot_uniform" else []
    return ", ".join([*words, *pulls])


def copies_line(text: str, images: int | None = None) -> str:
    """How many copies are drawn before the training, and by what."""
    parts = copy_pipelines(text)
    if not parts:
        return ""
    names = ", ".join(PIPELINES[part].title if part in PIPELINES else part for part in parts)
    grown = f": {images:,} images become {images * (1 + len(parts)):,}" if images else ""
    return f"{count(len(parts), 'copy', 'copies')} of each image, drawn once ({names}){grown}."


def weights_line(text: str) -> str:
    """What an image of a class counts."""
    kind, rest = weighing.parse(text)
    if kind == weighing.NONE:
        return "Every image counts the same."
    if kind == weighing.BALANCED:
        return "Every class counts the same, however many images it has."
    if isinstance(rest, str):
        return f"The classes that {rest} knows least count more."
    return ", ".join(f"{key} {weight:g} times" for key, weight in rest.items()) + "; others once."
