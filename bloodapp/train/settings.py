"""A recipe's fields set, checked, written and read back; and the small trial of any recipe."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bloodapp.augment.pipelines import mixes, resolve
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.runs.run import TRIAL_IMAGES
from bloodapp.train import head, phases, weighing
from bloodapp.train.networks import NETWORKS, smallest_of_family
from bloodapp.train.recipe import Recipe, fields

_QUICK_SIZE, _QUICK_SMALL, _QUICK_SKIP = 48, 32, 60


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields changed; values may be text, as from a command line.

    Raises InvalidValue (or PipelineError) that names the field, what it takes and what it was given.
    """
    declared = {f.name: f for f in fields()}
    values = {}
    for name, value in settings.items():
        if name not in declared:
            raise NotFound("recipe field", name, declared)
        values[name] = checked(declared[name], value)
    changed = replace(recipe, **values)
    _fits_together(changed)
    return changed


def quick(recipe: Recipe) -> Recipe:
    """The recipe with every ingredient kept, but few small images, one epoch a phase and its family's smallest network.

    A recipe that starts from a run or a file keeps its network and its images: the weights fit no other.
    """
    parsed = [replace(phase, epochs=1) for phase in phases.parse(recipe.phases)]
    small = replace(
        recipe,
        images=TRIAL_IMAGES,
        epochs=len(parsed),
        minutes=0.0,
        batch=min(recipe.batch, 32),
        phases=phases.text(parsed),
        folds=min(recipe.folds, 2),
    )
    if recipe.weights not in ("none", "imagenet"):
        return small
    model = smallest_of_family(recipe.model)
    size = min(recipe.size, max(_QUICK_SIZE, NETWORKS[model].smallest))
    grows = bool(recipe.small_share) and recipe.small_size < recipe.size
    # Small networks have few layers: a phase that leaves out more than there are would teach none of them.
    parsed = [
        replace(one, amount=min(one.amount, _QUICK_SKIP)) if one.kind == "skip" else one for one in parsed
    ]
    return replace(
        small,
        model=model,
        width=8,
        weights="none",
        size=size,
        small_size=min(recipe.small_size, _QUICK_SMALL) if grows else max(recipe.small_size, size),
        resize=min(recipe.resize, 2 * size),
        phases=phases.text(parsed),
    )


def settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a plain dictionary, as `config.json` keeps it."""
    return dataclasses.asdict(recipe)


def from_settings(content: Mapping[str, Any]) -> Recipe:
    """The recipe that `settings` wrote; unknown fields of other versions are passed over.

    What earlier versions wrote is read as what it meant: `dropout`, `start_from`, and `class_weights` as yes or no.
    """
    content = dict(content)
    if "dropout" in content:
        content.setdefault("head", f"dropout({content['dropout']:g})")
    if content.get("start_from"):
        content.setdefault("weights", f"run:{content['start_from']}")
    if isinstance(content.get("class_weights"), bool):
        content["class_weights"] = weighing.BALANCED if content["class_weights"] else weighing.NONE
    known = {f.name for f in dataclasses.fields(Recipe)}
    return Recipe(**{name: value for name, value in content.items() if name in known})


def start_run(recipe: Recipe) -> str:
    """The name of the run whose weights the recipe starts from; empty for none."""
    return recipe.weights.removeprefix("run:") if recipe.weights.startswith("run:") else ""


def _fits_together(recipe: Recipe) -> None:
    if recipe.val_share + recipe.test_share > 0.9:
        raise InvalidValue(
            "val_share and test_share together leave less than a tenth for training: lower one of them."
        )
    network = NETWORKS[recipe.model]
    side = recipe.resize or min(recipe.size, recipe.small_size if recipe.small_share else recipe.size)
    if side < network.smallest:
        raise InvalidValue(
            f"{network.title} takes images of at least {network.smallest} pixels, not {side}: "
            "raise size, small_size or resize."
        )
    if (
        recipe.pooling == "flatten"
        and not recipe.resize
        and recipe.small_share
        and recipe.small_size < recipe.size
    ):
        raise InvalidValue("pooling flatten fits one size of image only: set small_size to size.")
    if recipe.weights == "imagenet" and not network.published:
        names = ", ".join(name for name, one in NETWORKS.items() if one.published)
        raise InvalidValue(
            f"No ImageNet weights are published for {recipe.model}: set weights to none, or take {names}."
        )
    if recipe.loss == "sparse" and recipe.label_smoothing:
        raise InvalidValue(
            "loss sparse takes no smoothed labels: set label_smoothing to 0, or loss to categorical."
        )
    if recipe.loss == "sparse" and (mixing := mixes(resolve(recipe.pipeline))):
        raise InvalidValue(
            f"loss sparse takes one class an image, and {mixing[0]} mixes them: set loss to categorical, or take it "
            "out of the pipeline."
        )
    before = sum(phase.epochs for phase in phases.parse(recipe.phases)[:-1])
    if before >= recipe.epochs:
        raise InvalidValue(
            f"The phases before the last take {before} epochs, so that epochs={recipe.epochs} never reaches it: "
            "raise epochs or shorten the phases."
        )
    if recipe.deterministic and recipe.minutes:
        raise InvalidValue(
            "deterministic needs minutes 0: a limit of time makes the learning rate follow the clock, which no two "
            "trainings share."
        )
    if recipe.folds == 1:
        raise InvalidValue("folds must be 0 (one network) or at least 2.")


def checked(declared: dataclasses.Field[Any], value: Any) -> Any:
    """A value of one field, which may be text, as its declaration wants it; raises InvalidValue (or PipelineError)."""
    name, metadata = declared.name, declared.metadata
    default: Any = declared.default
    kind: type = type(default)
    if kind is bool:
        return _checked_bool(name, value)
    if kind is str:
        if metadata["choices"] and value not in metadata["choices"]:
            raise InvalidValue(f"{name} must be one of {', '.join(metadata['choices'])}, not '{value}'.")
        _check_text(name, str(value))
        return str(value)
    bounds = (
        f"{'a whole number' if kind is int else 'a number'} from {metadata['low']:g} to {metadata['high']:g}"
    )
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidValue(f"{name} must be {bounds}, not '{value}'.") from None
    if not metadata["low"] <= number <= metadata["high"] or (kind is int and number != int(number)):
        raise InvalidValue(f"{name} must be {bounds}, not '{value}'.")
    return kind(number)


def _check_text(name: str, value: str) -> None:
    """Raise what a field that is a small language of its own says of a value."""
    if name == "pipeline":
        resolve(value)
    elif name == "copies":
        copy_pipelines(value)
    elif name == "balance" and value:
        resolve(value)
    elif name == "head":
        head.parse(value)
    elif name == "phases":
        phases.parse(value)
    elif name == "class_weights":
        weighing.parse(value)
    elif name == "device":
        _check_device(value)


def copy_pipelines(value: str) -> tuple[str, ...]:
    """The pipelines of a `copies` text; raises PipelineError."""
    # A ';' inside brackets separates the branches of oneof, not the pipelines.
    depth, parts = 0, [""]
    for letter in value:
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    found = tuple(part.strip() for part in parts if part.strip())
    for part in found:
        resolve(part)
    return found


def _check_device(value: str) -> None:
    kind, _, number = value.partition(":")
    if value not in ("auto", "cpu", "all") and not (kind == "gpu" and number.isdecimal()):
        raise InvalidValue(f"device must be auto, cpu, all, or a GPU such as gpu:0, not '{value}'.")


def _checked_bool(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise InvalidValue(f"{name} must be true or false, not '{value}'.")
    return text in ("true", "yes", "on", "1")
