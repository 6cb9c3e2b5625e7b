"""Recipes: everything that decides a training, declared once.

The form of the Train page, the flags of the command line, the messages of validation and the
tests are drawn from the fields' metadata. `RECIPES` is a literal table.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bloodapp.augment.pipelines import resolve
from bloodapp.errors import InvalidValue, NotFound

MODELS = ("resnet9", "tiny")
OPTIMIZERS = ("adamw", "adam", "sgd")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def _field(
    default: Any,
    help_text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    advanced: bool = True,
    unit: str = "",
) -> Any:
    return field(
        default=default,
        metadata={
            "help": help_text,
            "low": low,
            "high": high,
            "choices": choices,
            "advanced": advanced,
            "unit": unit,
        },
    )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training; every field after `why` carries its help, bounds and choices.

    Attributes:
        name: as typed.
        title: as read.
        why: what it is for, with its measured result.
    """

    name: str
    title: str
    why: str
    model: str = _field("resnet9", "The network.", choices=MODELS, advanced=False)
    width: int = _field(32, "Channels of the network's first layer; the others follow.", low=4, high=128)
    start_from: str = _field("", "A finished run whose weights to start from; empty: from scratch.")
    size: int = _field(96, "Side of the images the network sees.", low=32, high=384, unit="pixels")
    small_size: int = _field(
        64,
        "Side of the images in the first part of the training, which is cheaper; as large as size: off.",
        low=16,
        high=384,
        unit="pixels",
    )
    small_share: float = _field(0.6, "Share of the training on the smaller images.", low=0, high=1)
    pipeline: str = _field("robust", "Augmentation: a pipeline's name or text.", advanced=False)
    epochs: int = _field(
        40, "At most this many passes over the training images.", low=1, high=1000, advanced=False
    )
    minutes: float = _field(
        0.0,
        "Time for training; the schedule fits itself into it. 0 means no limit.",
        low=0,
        high=10_000,
        advanced=False,
        unit="minutes",
    )
    batch: int = _field(64, "Images per step.", low=1, high=4096, unit="images")
    block: int = _field(
        0,
        "For sets larger than memory: read so many images at once, use them up and free them before the next. A block "
        "is gathered from all over the file, so that classes mix even where it is sorted; a few thousand do well. "
        "0 means off.",
        low=0,
        high=10_000_000,
        unit="images",
    )
    optimizer: str = _field("adamw", "How the weights are moved.", choices=OPTIMIZERS)
    learning_rate: float = _field(3e-3, "Highest learning rate of the schedule.", low=1e-7, high=10.0)
    weight_decay: float = _field(0.05, "Pull of the weights towards zero (adamw only).", low=0, high=1)
    warmup: float = _field(
        0.15,
        "Share of the training in which the learning rate rises; then it falls along a cosine.",
        low=0,
        high=0.9,
    )
    label_smoothing: float = _field(0.05, "Share of each label spread over all classes.", low=0, high=0.5)
    dropout: float = _field(0.2, "Share of the features dropped before the last layer.", low=0, high=0.9)
    class_weights: bool = _field(
        True, "Weigh classes by N/(n_k·C), so that rare ones count as much.", advanced=False
    )
    patience: int = _field(
        0, "Stop after this many epochs without a better val accuracy. 0 means never.", low=0, high=1000
    )
    val_share: float = _field(0.1, "Share of the images that chooses the best epoch.", low=0.02, high=0.5)
    test_share: float = _field(0.1, "Share of the images read once, after training.", low=0.0, high=0.5)
    keep_parts: bool = _field(True, "Use the dataset's own train, val and test parts where it has them.")
    precision: str = _field(
        "auto", "Number format of the arithmetic; auto takes the fastest that is safe.", choices=PRECISIONS
    )
    images: int = _field(
        0, "Use at most this many images, drawn by class. 0 means all.", low=0, high=10_000_000
    )
    seed: int = _field(1, "All randomness derives from it.", low=0, high=2**31 - 1)
    deterministic: bool = _field(
        False, "Compute the same to the last bit every time on the same machine; slower on a GPU."
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="balanced",
            title="Balanced: good at home, steady elsewhere",
            why="A small residual network from scratch under mixed changes, in ten minutes on two CPU cores. "
            "Seen on 1,712 real cells: 97.4 % clean, 84.1 % shifted.",
            pipeline="mixed",
            minutes=10.0,
        ),
        Recipe(
            name="steady",
            title="Steady: the long run",
            why="The same network with an hour under far stronger changes; made the starter model. "
            "Seen on 1,712 real cells: 98.2 % clean, 95.4 % shifted.",
            minutes=60.0,
            epochs=400,
        ),
        Recipe(
            name="plain",
            title="Plain: what a score at home is worth",
            why="The same network with turns only: quick and high at home, and it falls under the shift. A yardstick. "
            "Seen on 1,712 real cells: 97.9 % clean, 29.6 % shifted.",
            pipeline="flip|rotate(180)",
            minutes=8.0,
        ),
    )
}
DEFAULT = "balanced"


def fields() -> tuple[dataclasses.Field[Any], ...]:
    """The settable fields of a recipe, in their order; metadata: help, low, high, choices, advanced, unit."""
    return tuple(f for f in dataclasses.fields(Recipe) if f.metadata)


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; raises NotFound."""
    if name not in RECIPES:
        raise NotFound("recipe", name, RECIPES)
    return RECIPES[name]


def with_settings(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with some fields changed; values may be text, as from a command line.

    Raises InvalidValue (or PipelineError) that names the field, what it takes and what it was given.
    """
    declared = {f.name: f for f in fields()}
    values = {}
    for name, value in settings.items():
        if name not in declared:
            raise NotFound("recipe field", name, declared)
        values[name] = _checked(declared[name], value)
    changed = replace(recipe, **values)
    if changed.val_share + changed.test_share > 0.9:
        raise InvalidValue(
            "val_share and test_share together leave less than a tenth for training: lower one of them."
        )
    return changed


def quick(recipe: Recipe) -> Recipe:
    """The recipe with every ingredient kept, but few images, one epoch and the smallest network of its family.

    A recipe that starts from a run keeps that run's width: the weights fit no other.
    """
    width = recipe.width if recipe.start_from else 8
    return replace(recipe, images=256, epochs=1, minutes=0.0, batch=min(recipe.batch, 32), width=width)


def settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a plain dictionary, as `config.json` keeps it."""
    return dataclasses.asdict(recipe)


def from_settings(content: Mapping[str, Any]) -> Recipe:
    """The recipe that `settings` wrote; unknown fields of other versions are passed over."""
    known = {f.name for f in dataclasses.fields(Recipe)}
    return Recipe(**{name: value for name, value in content.items() if name in known})


def _checked(declared: dataclasses.Field[Any], value: Any) -> Any:
    name, metadata = declared.name, declared.metadata
    default: Any = declared.default
    kind: type = type(default)
    if kind is bool:
        return _checked_bool(name, value)
    if kind is str:
        if metadata["choices"] and value not in metadata["choices"]:
            raise InvalidValue(f"{name} must be one of {', '.join(metadata['choices'])}, not '{value}'.")
        if name == "pipeline":
            resolve(str(value))
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


def _checked_bool(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise InvalidValue(f"{name} must be true or false, not '{value}'.")
    return text in ("true", "yes", "on", "1")
