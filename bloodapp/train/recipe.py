"""A recipe: everything that decides a training, declared once.

The form of the Train page, the flags of the command line, the messages of validation and the
tests are drawn from the fields' metadata.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from bloodapp.train.networks import NETWORKS, SCALINGS

OPTIMIZERS = ("adamw", "adam", "lion", "sgd")
LOSSES = ("categorical", "sparse", "focal")
SCHEDULES = ("cosine", "constant", "exponential", "onecycle", "cyclic")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
POOLINGS = ("average", "max", "flatten")
VOTES = ("average", "majority")
SCORES = ("both", "accuracy", "loss")

GROUPS = ("Network", "Augmentation", "Training", "Optimizer", "Schedule", "Loss", "Split", "Machine")
"""The sections of the form, in order."""


def _field(
    default: Any,
    help_text: str,
    group: str,
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
            "group": group,
            "low": low,
            "high": high,
            "choices": choices,
            "advanced": advanced,
            "unit": unit,
        },
    )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training; every field after `purpose` carries its help, group, bounds and choices.

    Attributes:
        name: as typed.
        title: as read.
        why: what it is for, with its measured result.
        purpose: the heading that it is offered under, one of `recipes.PURPOSES`.
    """

    name: str
    title: str
    why: str
    purpose: str = ""
    # Network
    model: str = _field("resnet9", "The network.", "Network", choices=tuple(NETWORKS), advanced=False)
    width: int = _field(
        32,
        "Channels of the first layer of resnet9 and tiny; the others follow. Other networks have their own.",
        "Network",
        low=4,
        high=128,
    )
    weights: str = _field(
        "none",
        "What the network starts from: none (from scratch), imagenet (published weights, fetched on first use), "
        "run:NAME (a finished run's), or the path of a .keras, .weights.h5 or .h5 file.",
        "Network",
        advanced=False,
    )
    size: int = _field(
        96, "Side of the images that the feed gives.", "Network", low=32, high=384, unit="pixels"
    )
    resize: int = _field(
        0,
        "Side to which the network resizes its images first, bicubically, as in 96 → 224. 0 means off.",
        "Network",
        low=0,
        high=600,
        unit="pixels",
    )
    scaling: str = _field(
        "own",
        "How grey levels 0–255 are given to the network; own is what its published weights want.",
        "Network",
        choices=SCALINGS,
    )
    pooling: str = _field(
        "average", "How the last map of features becomes one row.", "Network", choices=POOLINGS
    )
    head: str = _field(
        "dropout(0.2)",
        "The layers after the backbone, as in dropout(0.5)|dense(256, relu, he_uniform, l2=1e-4)|batchnorm.",
        "Network",
    )
    # Augmentation
    pipeline: str = _field(
        "robust", "Augmentation: a pipeline's name or text.", "Augmentation", advanced=False
    )
    copies: str = _field(
        "",
        "Copies of the training images drawn once, before the training: pipelines separated by ';', one copy of "
        "each image by each. Empty: none.",
        "Augmentation",
    )
    balance: str = _field(
        "",
        "A pipeline whose copies bring every class of the training part up to the largest. Empty: off.",
        "Augmentation",
    )
    # Training
    epochs: int = _field(
        40, "At most this many passes over the training images.", "Training", low=1, high=1000, advanced=False
    )
    minutes: float = _field(
        0.0,
        "Time for training; the schedule fits itself into it. 0 means no limit.",
        "Training",
        low=0,
        high=10_000,
        advanced=False,
        unit="minutes",
    )
    batch: int = _field(64, "Images per step.", "Training", low=1, high=4096, unit="images")
    phases: str = _field(
        "full",
        "Which layers of the backbone learn when, as in frozen(15)|skip(124, rate=1e-5), last(15), share(0.5) or "
        "unfreeze(4, 3).",
        "Training",
    )
    small_size: int = _field(
        64,
        "Side of the images in the first part of the training, which is cheaper; as large as size: off.",
        "Training",
        low=16,
        high=384,
        unit="pixels",
    )
    small_share: float = _field(
        0.6, "Share of the training on the smaller images.", "Training", low=0, high=1
    )
    patience: int = _field(
        0, "Stop after this many epochs without a better score. 0 means never.", "Training", low=0, high=1000
    )
    score: str = _field(
        "both",
        "What makes an epoch the best: val accuracy, clean and shifted in equal parts (both), clean alone "
        "(accuracy), or the least val loss (loss).",
        "Training",
        choices=SCORES,
    )
    average: float = _field(
        0.0,
        "Moving average of the weights: share of the old average kept at each step, such as 0.999. It is what is "
        "judged and kept. 0 means off.",
        "Training",
        low=0,
        high=0.99999,
    )
    block: int = _field(
        0,
        "For sets larger than memory: read so many images at once, use them up and free them before the next. A block "
        "is gathered from all over the file, so that classes mix even where it is sorted; a few thousand do well. "
        "0 means off.",
        "Training",
        low=0,
        high=10_000_000,
        unit="images",
    )
    # Optimizer
    optimizer: str = _field("adamw", "How the weights are moved.", "Optimizer", choices=OPTIMIZERS)
    learning_rate: float = _field(
        3e-3, "Highest learning rate of the schedule.", "Optimizer", low=1e-7, high=10.0
    )
    weight_decay: float = _field(
        0.05, "Pull of the weights towards zero (adamw and lion).", "Optimizer", low=0, high=1
    )
    clip: float = _field(
        0.0,
        "Largest norm of all gradients together; longer ones are cut to it. 0 means off.",
        "Optimizer",
        low=0,
        high=1000,
    )
    # Schedule
    schedule: str = _field(
        "cosine",
        "How the learning rate goes: cosine (down to zero), constant, exponential (after an epoch), onecycle, cyclic. "
        "All begin with the warm-up but cyclic and onecycle, which rise by themselves.",
        "Schedule",
        choices=SCHEDULES,
    )
    warmup: float = _field(
        0.15,
        "Share of the training in which the learning rate rises from near zero.",
        "Schedule",
        low=0,
        high=0.9,
    )
    decay_after: int = _field(
        10, "Epoch after which the exponential schedule falls.", "Schedule", low=0, high=1000, unit="epochs"
    )
    decay: float = _field(
        0.9, "What the exponential schedule keeps of the rate at each epoch.", "Schedule", low=0.01, high=1
    )
    cycle: int = _field(
        4, "Length of a cycle of the cyclic schedule.", "Schedule", low=1, high=1000, unit="epochs"
    )
    plateau: int = _field(
        0,
        "Lower the learning rate after this many epochs without a better val loss. 0 means never.",
        "Schedule",
        low=0,
        high=1000,
        unit="epochs",
    )
    plateau_factor: float = _field(
        0.3, "What is kept of the learning rate on a plateau.", "Schedule", low=0.01, high=0.99
    )
    # Loss
    loss: str = _field(
        "categorical",
        "Cross-entropy over label shares (categorical), over class numbers (sparse; no mixed or smoothed labels), or "
        "focal.",
        "Loss",
        choices=LOSSES,
    )
    focal: float = _field(
        2.0, "γ of the focal loss: how far easy images are passed over.", "Loss", low=0, high=10
    )
    label_smoothing: float = _field(
        0.05, "Share of each label spread over all classes.", "Loss", low=0, high=0.5
    )
    class_weights: str = _field(
        "balanced",
        "What an image of a class counts: none, balanced (N/(n_k·C), so that rare ones count as much), weakest:RUN "
        "(more for the classes that a finished run knows least), or your own as in monocyte=2 ig=1.5.",
        "Loss",
        advanced=False,
    )
    # Split
    val_share: float = _field(
        0.1, "Share of the images that chooses the best epoch.", "Split", low=0.02, high=0.5
    )
    test_share: float = _field(
        0.1, "Share of the images read once, after training.", "Split", low=0.0, high=0.5
    )
    keep_parts: bool = _field(
        True, "Use the dataset's own train, val and test parts where it has them.", "Split"
    )
    stratified: bool = _field(True, "Give every part its share of each class.", "Split")
    grouped: bool = _field(True, "Keep duplicates, near-duplicates and augmented twins in one part.", "Split")
    folds: int = _field(
        0,
        "Train so many networks, each judged on another part of what is not test, and let them answer together. "
        "0 means one network.",
        "Split",
        low=0,
        high=20,
    )
    vote: str = _field(
        "average",
        "How folds answer together: averaged probabilities or the majority.",
        "Split",
        choices=VOTES,
    )
    test_noise: float = _field(
        0.0,
        "Read the test part a second time under white noise of this σ in grey levels. 0 means off.",
        "Split",
        low=0,
        high=100,
    )
    images: int = _field(
        0, "Use at most this many images, drawn by class. 0 means all.", "Split", low=0, high=10_000_000
    )
    # Machine
    precision: str = _field(
        "auto",
        "Number format of the arithmetic; auto takes the fastest that is safe.",
        "Machine",
        choices=PRECISIONS,
    )
    device: str = _field(
        "auto",
        "Where to compute: auto (the first GPU, else the CPU), cpu, gpu:0, gpu:1, …, or all GPUs of this computer.",
        "Machine",
    )
    seed: int = _field(1, "All randomness derives from it.", "Machine", low=0, high=2**31 - 1)
    deterministic: bool = _field(
        False, "Compute the same to the last bit every time on the same machine; slower on a GPU.", "Machine"
    )


def fields() -> tuple[dataclasses.Field[Any], ...]:
    """The settable fields of a recipe, in their order; metadata: help, group, low, high, choices, advanced, unit."""
    return tuple(f for f in dataclasses.fields(Recipe) if f.metadata)
