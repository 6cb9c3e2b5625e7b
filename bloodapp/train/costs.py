"""What was measured of trainings' steps on this computer, kept in one file; measuring is in `cost`. No TensorFlow."""

from dataclasses import dataclass, field, replace
from typing import Any

from bloodapp.augment.pipelines import resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.train import measurements, phases
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import copy_pipelines
from bloodapp.workspace import held_at_home

FILE = "costs.json"


@dataclass(frozen=True)
class Step:
    """What a phase costs at one size of the images.

    Attributes:
        phase: what of the backbone learns, as text without epochs and rate.
        size: side of the images in pixels.
        seconds: of a step, the feed's work in it.
        first: seconds of the first step, which traces the network.
        evaluate: seconds to judge an image.
        memory_mib: the most that the process had held by then.
        gpu_memory_mib: the most that one GPU held; None without a GPU.
        trainable: parameters that learn.
    """

    phase: str
    size: int
    seconds: float
    first: float
    evaluate: float
    memory_mib: float
    gpu_memory_mib: float | None
    trainable: int


@dataclass(frozen=True)
class Cost:
    """What was measured of a recipe's training, and what of the recipe decides it.

    Attributes:
        asked: the settings that decide it, as `deciding` gives them.
        steps: one for each phase and size that was measured.
        start: seconds from the work's beginning to its first step, without what is measured here only.
        save: seconds to write a checkpoint.
        shift: seconds to draw an image under the shift.
        copy: seconds to draw one of the run's own copies; 0 without copies.
        fixed_mib: memory that no smaller batch would save; on the GPU where there is one.
        gpu_total_mib: memory of a GPU; None without one, or where nobody tells.
        parameters: of the whole network.
        device: what it ran on, as people read it.
        when: UTC ISO-8601.
        busy: whether the computer had other work when it was measured.
    """

    asked: dict[str, Any]
    steps: tuple[Step, ...]
    start: float = 0.0
    save: float = 0.0
    shift: float = 0.0
    copy: float = 0.0
    fixed_mib: float = 0.0
    gpu_total_mib: float | None = None
    parameters: int = 0
    device: str = ""
    when: str = ""
    busy: bool = field(default=False, compare=False)


def deciding(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe decides the cost of a step, but for phases and sizes: those are measured one by one."""
    fields = ("model", "width", "resize", "pooling", "batch", "block", "optimizer", "precision", "device")
    return {
        **{name: getattr(recipe, name) for name in (*fields, "deterministic")},
        "head": "".join(recipe.head.split()),
        "pipeline": pipeline_text(resolve(recipe.pipeline)),
        "copies": [pipeline_text(resolve(each)) for each in copied_by(recipe)],
        "average": recipe.average > 0,
    }


def sizes(recipe: Recipe) -> list[int]:
    """The sides of the images that a training of the recipe sees, the largest first."""
    grows = recipe.small_share > 0 and recipe.pooling != "flatten" and recipe.small_size < recipe.size
    return [recipe.size, recipe.small_size] if grows else [recipe.size]


def phase_name(phase: phases.Phase) -> str:
    """A phase as text, without its epochs and its rate."""
    return phases.text([replace(phase, epochs=0, rate=0.0)])


def known(recipe: Recipe) -> Cost | None:
    """What was last measured on this computer for trainings like the recipe's; None if nothing was."""
    asked = deciding(recipe)
    return next((cost for cost in reversed(costs()) if cost.asked == asked), None)


def costs() -> list[Cost]:
    """All that was measured, oldest first; a damaged file counts as none."""
    return measurements.kept(
        FILE, "costs", lambda one: Cost(**{**one, "steps": tuple(Step(**step) for step in one["steps"])})
    )


def keep(cost: Cost) -> None:
    """Keep a measurement; of an earlier one of the like, the phases and sizes that this one has not."""
    with held_at_home(FILE):
        before = costs()
        own = {(step.phase, step.size) for step in cost.steps}
        like = [one for one in before if one.asked == cost.asked and one.device == cost.device]
        other = tuple(step for one in like for step in one.steps if (step.phase, step.size) not in own)
        merged = replace(cost, steps=(*other, *cost.steps))
        kept = [one for one in before if one.asked != cost.asked]
        measurements.write(FILE, "costs", [*kept, merged])


def copied_by(recipe: Recipe) -> list[str]:
    """The pipelines that draw a run's own copies of its images, as they were typed."""
    return [*copy_pipelines(recipe.copies), *([recipe.balance] if recipe.balance else [])]
