"""The course of a training: where it stands, what each epoch's scores mean for it, and what it does next.

Plain numbers, which `state.json` keeps, so that a continued training stands where it stood.
"""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bloodapp.train import phases, schedules
from bloodapp.train.recipe import Recipe

PLATEAU_LEAST = 1e-4
"""How much better a val loss must be to count as better, as in Keras' ReduceLROnPlateau."""


@dataclass(frozen=True)
class Scores:
    """How a network did on val.

    Attributes:
        accuracy: on clean images.
        shifted_accuracy: under the shift.
        loss: mean cross-entropy on clean images.
    """

    accuracy: float
    shifted_accuracy: float
    loss: float

    def by(self, what: str) -> float:
        """What the recipe's `score` makes of it; higher is better, never not a number."""
        found = {
            "both": (self.accuracy + self.shifted_accuracy) / 2,
            "accuracy": self.accuracy,
            "loss": -self.loss,
        }[what]
        return found if math.isfinite(found) else -1e9


@dataclass
class Course:
    """Where a training stands.

    Attributes:
        epoch: whole epochs done.
        elapsed: seconds of training.
        phase: the phase it is in, from 0.
        phase_epoch: whole epochs done in it.
        best: the best score yet; None before the first.
        best_epoch: the epoch that had it, from 1; 0 for weights kept by a stop before the first epoch's end.
        best_size: the side of the images it was trained on.
        phase_best: the best score of this phase.
        waited: epochs since.
        plateau_best: the least val loss of this phase.
        plateau_waited: epochs since, or since the rate was lowered.
        scale: what plateaus have left of the learning rate.
        speeds: images a second of each epoch.
        memory_mib: the most memory that was seen in use.
        gpu_memory_mib: the same of the GPUs; None without one.
        finished: whether nothing is left to train.
    """

    recipe: Recipe
    epoch: int = 0
    elapsed: float = 0.0
    phase: int = 0
    phase_epoch: int = 0
    best: float | None = None
    best_epoch: int | None = None
    best_size: int | None = None
    phase_best: float | None = None
    waited: int = 0
    plateau_best: float | None = None
    plateau_waited: int = 0
    scale: float = 1.0
    speeds: list[float] = field(default_factory=list)
    memory_mib: int = 0
    gpu_memory_mib: int | None = None
    finished: bool = False

    def __post_init__(self) -> None:
        self.phases = phases.parse(self.recipe.phases)

    @classmethod
    def read(cls, recipe: Recipe, content: dict[str, Any]) -> "Course":
        """The course that `written` described."""
        known = {each.name for each in fields(cls)} - {"recipe"}
        return cls(recipe, **{name: value for name, value in content.items() if name in known})

    def written(self) -> dict[str, Any]:
        """Everything but the recipe, as plain JSON."""
        kept = asdict(self)
        kept.pop("recipe")
        return kept

    @property
    def now(self) -> phases.Phase:
        """The phase it is in."""
        return self.phases[self.phase]

    @property
    def planned(self) -> int:
        """The epochs of the whole training as it now stands: a phase that ended early has made it shorter."""
        ahead = [each.epochs for each in self.phases[self.phase :]]
        if not ahead[-1]:
            return self.recipe.epochs
        return min(self.recipe.epochs, self.epoch - self.phase_epoch + sum(ahead))

    def share(self, done: float = 0.0, elapsed: float | None = None) -> float:
        """The share of the training that is done, 0–1, with `done` of the next epoch: of epochs or of minutes."""
        seconds = 60 * self.recipe.minutes
        by_time = (self.elapsed if elapsed is None else elapsed) / seconds if seconds else 0.0
        return min(max((self.epoch + done) / self.planned, by_time), 1.0)

    def rate(self, done: float = 0.0, elapsed: float | None = None) -> float:
        """The learning rate with `done` of the next epoch, 0–1, done."""
        peak = self.now.rate or None
        return schedules.rate(self.recipe, self.share(done, elapsed), self.epoch + done, peak, self.scale)

    def size(self, elapsed: float | None = None) -> int:
        """The side of the training images: smaller ones first, since they teach nearly as much for less."""
        recipe = self.recipe
        # A flattened map fits one size only.
        if recipe.pooling == "flatten" or self.share(0.0, elapsed) >= recipe.small_share:
            return recipe.size
        return min(recipe.small_size, recipe.size)

    def note_memory(self, own: int, gpus: int | None) -> None:
        """Remember the most that was in use, MiB."""
        self.memory_mib = max(self.memory_mib, own)
        self.gpu_memory_mib = gpus if gpus is None else max(self.gpu_memory_mib or 0, gpus)

    def is_best(self, scores: Scores) -> bool:
        """Whether these scores are better than all before."""
        return self.best is None or scores.by(self.recipe.score) > self.best

    def epoch_ended(self, scores: Scores, *, elapsed: float, speed: float, size: int) -> None:
        """Count an epoch: what its scores mean for the best, for patience, for the plateau, and what comes next."""
        score = scores.by(self.recipe.score)
        self.epoch, self.phase_epoch, self.elapsed = self.epoch + 1, self.phase_epoch + 1, elapsed
        self.speeds = [*self.speeds, speed]
        if self.is_best(scores):
            self.best, self.best_epoch, self.best_size = score, self.epoch, size
        better_here = self.phase_best is None or score > self.phase_best
        self.phase_best = score if better_here else self.phase_best
        self.waited = 0 if better_here else self.waited + 1
        self._plateau(scores.loss)
        self._next()

    def _plateau(self, loss: float) -> None:
        if self.plateau_best is None or loss < self.plateau_best - PLATEAU_LEAST:
            self.plateau_best = loss if math.isfinite(loss) else self.plateau_best
            self.plateau_waited = 0 if math.isfinite(loss) else self.plateau_waited + 1
        else:
            self.plateau_waited += 1
        if self.recipe.plateau and self.plateau_waited >= self.recipe.plateau:
            self.scale *= self.recipe.plateau_factor
            self.plateau_waited = 0

    def _next(self) -> None:
        out_of_time = bool(self.recipe.minutes) and self.elapsed >= 60 * self.recipe.minutes
        out_of_patience = bool(self.recipe.patience) and self.waited >= self.recipe.patience
        over = out_of_patience or bool(self.now.epochs and self.phase_epoch >= self.now.epochs)
        last = self.phase == len(self.phases) - 1
        if out_of_time or self.epoch >= self.recipe.epochs or (over and last):
            self.finished = True
        elif over:
            # The next phase is trained as one by itself: its own rate, patience and plateau.
            self.phase, self.phase_epoch = self.phase + 1, 0
            self.phase_best = self.plateau_best = None
            self.waited = self.plateau_waited = 0
            self.scale = 1.0
