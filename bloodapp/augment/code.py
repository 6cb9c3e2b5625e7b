"""A pipeline as Keras code of its own: the same operations, for a `tf.data` pipeline outside of the app.

The layers are those of `layers`; where the app has a function of its own, the code brings it along. Draws come from
TensorFlow's random state, not from keys, so that a batch is like the app's but not the same to the bit.
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import numpy.typing as npt

from bloodapp.augment.code_parts import PARTS
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step, changes, idle
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.stain import GROUND, REFERENCE, STAINED

_FILLS = (
    'fill_mode="reflect"',
    'fill_mode="nearest"',
    'fill_mode="constant", fill_value=0.0',
    'fill_mode="constant", fill_value=255.0',
)
_GROUND_LEVEL, _EDGE_LEVEL = 0.35, 96.0  # as in `own`
_LOUDEST = 0.999  # as in `layers`
_WIDTH = 110
_CALL = "LAYER(images, training=True)"

Calls = list[tuple[str, str]]
"""One after the other: what makes a layer, empty where none is needed, and the call, which names it `LAYER`."""


def keras_code(pipeline: Pipeline, *, stains: npt.NDArray[np.floating] | None = None) -> str:
    """A Python script that defines `augment(images, labels)` for batches of a `tf.data` dataset.

    It needs tensorflow, keras, keras_cv and numpy; for `corrupt` alone it imports bloodapp, and says so. `stains`
    are the stain vectors (2, 3) that `stain` works along, the reference's where there are none.
    """
    script = _Script()
    script.function("augment", pipeline, outermost=True)
    body = "\n\n".join(script.functions)
    layers = _layers(script)
    parts = [part.strip("\n") + "\n" for part in _parts("\n".join([*layers, body]))]
    code = "\n\n".join([*parts, *layers, body])
    constants = _constants(code, REFERENCE if stains is None else stains)
    return "\n".join([_heading(pipeline, code), *_imports(code), "", *constants, "", code]).rstrip() + "\n"


@dataclass
class _Script:
    """Code as it grows.

    Attributes:
        layers: lines that make the layers, in the order of the steps.
        functions: the functions of branches, then of the pipeline.
        counts: how many layers of each name there are already.
    """

    layers: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def function(self, name: str, pipeline: Pipeline, *, outermost: bool = False) -> None:
        """Add the function of a pipeline or branch, after those of the branches within."""
        lines = [line for step in pipeline.steps for line in self.step(step)]
        if outermost:
            lines = [
                '"""A batch of images (B, H, W, 3) in 0 to 255 and labels (B, C) as the pipeline draws them."""',
                "images, labels = clipped(images), tf.cast(labels, tf.float32)",
                *lines,
                "return tf.round(images), labels",
            ]
        else:
            lines = [*lines, "return images, labels"]
        body = "\n".join(f"    {line}" for line in lines)
        self.functions.append(f"def {name}(images, labels):\n{body}\n")

    def step(self, step: Step) -> list[str]:
        """The lines of a step."""
        if idle(step):
            return [f"# does nothing: {pipeline_text(Pipeline((step,)))}"]
        if step.branches:
            return self.choice(step)
        operation, numbers = OPERATIONS[step.name], list(step.numbers)
        share = next((place for place, one in enumerate(operation.parameters) if one.name == "share"), None)
        chance = 1.0 if share is None or step.name == "flip" else numbers.pop(share)
        lines = []
        for layer, call in _OPERATIONS[step.name](*numbers):
            if layer:
                name = self.name(step.name)
                self.layers.append(f"{name} = {layer}")
                call = call.replace("LAYER", name)
            if chance < 1:
                found = call if operation.mixes else f"(clipped({call}), labels)"
                lines.append(f"images, labels = some_of({chance:g}, (images, labels), {found})")
            else:
                lines.append(f"images, labels = {call}" if operation.mixes else f"images = clipped({call})")
        return lines

    def choice(self, step: Step) -> list[str]:
        """The line of a `oneof` or `sometimes`, whose branches become functions."""
        names = []
        for branch in step.branches:
            if not changes(branch):
                names.append("unchanged")
                continue
            names.append(self.name("branch"))
            self.function(names[-1], branch)
        per = f"per_batch={bool(step.numbers[-1])}"
        if step.name == "oneof":
            return [f"images, labels = one_of([{', '.join(names)}], images, labels, {per})"]
        return [f"images, labels = sometimes({step.numbers[0]:g}, {names[0]}, images, labels, {per})"]

    def name(self, what: str) -> str:
        """A name that was not given yet: `rotate_1`, `rotate_2`, …"""
        self.counts[what] = self.counts.get(what, 0) + 1
        return f"{what}_{self.counts[what]}"


def _number(value: float) -> str:
    return f"{value:.6g}"


def _keras(name: str, arguments: str) -> Calls:
    return [(f'keras.layers.{name}({arguments}, dtype="float32")', _CALL)]


def _keras_cv(name: str, arguments: str, call: str = _CALL) -> Calls:
    return [(f'keras_cv.layers.{name}({arguments}, dtype="float32")', call)]


def _own(call: str) -> Calls:
    return [("", call)]


def _flip(share: float, axes: float) -> Calls:
    modes = [mode for axis, mode in ((1, "horizontal"), (2, "vertical")) if axes in (0, axis)]
    return [call for mode in modes for call in _keras_cv("RandomFlip", f'"{mode}", rate={share:g}')]


def _jitter(*numbers: float) -> Calls:
    names = ("brightness", "contrast", "saturation", "hue")
    return [
        call for name, value in zip(names, numbers, strict=True) if value for call in _OPERATIONS[name](value)
    ]


def _saturation(amount: float) -> Calls:
    half = min(amount, _LOUDEST) / 2
    return _keras_cv("RandomSaturation", f"({_number(0.5 - half)}, {_number(0.5 + half)})")


def _blur(sigma: float) -> Calls:
    reach = max(2, ceil(2.5 * sigma))
    return _keras_cv(
        "RandomGaussianBlur", f"{2 * reach + 1}, (0.0, {_number(sigma)})", f"blurred(LAYER, images, {reach})"
    )


def _kind(kind: float, severity: float) -> Calls:
    word = OPERATIONS["corrupt"].parameters[0].words[int(kind)]
    return _own(f'corrupted(images, "{word}", {int(severity)})')


_OPERATIONS: dict[str, Callable[..., Calls]] = {
    "flip": _flip,
    "quarterturn": lambda: _own("quarterturn(images)"),
    "rotate": lambda angle, fill: _keras("RandomRotation", f"{angle:g} / 360, {_FILLS[int(fill)]}"),
    "shift": lambda a, fill: _keras("RandomTranslation", f"{a:g}, {a:g}, {_FILLS[int(fill)]}"),
    "zoom": lambda a, fill: _keras("RandomZoom", f"({-a:g}, {a:g}), {_FILLS[int(fill)]}"),
    "crop": lambda a, aspect: _own(f"crop(images, {a:g}, {aspect:g})"),
    "shear": lambda a: _keras("RandomShear", f'{a:g}, {a:g}, fill_mode="reflect"'),
    "brightness": lambda a: _keras("RandomBrightness", f"{a:g}, value_range=(0, 255)"),
    "contrast": lambda a: _keras("RandomContrast", f"{a:g}, value_range=(0, 255)"),
    "saturation": _saturation,
    "hue": lambda a: _keras_cv("RandomHue", f"(0.0, {_number(2 * a)}), value_range=(0, 255)"),
    "jitter": _jitter,
    "channelshift": lambda a: _keras_cv("RandomChannelShift", f"(0, 255), between(0.0, {_number(2 * a)})"),
    "channelshuffle": lambda: _keras_cv("ChannelShuffle", "groups=3"),
    "grayscale": lambda: _keras_cv("Grayscale", "output_channels=3"),
    "solarize": lambda t: _keras_cv(
        "Solarization", f"(0, 255), addition_factor=0.0, threshold_factor=between({t:g}, 256.0)"
    ),
    "posterize": lambda bits: _keras_cv("Posterization", f"(0, 255), {int(bits)}"),
    "equalize": lambda: _keras_cv("Equalization", "(0, 255)"),
    "autocontrast": lambda: _keras_cv("AutoContrast", "(0, 255)"),
    "invert": lambda: _own("255.0 - images"),
    "scaleabs": lambda alpha, beta: _own(f"scaleabs(images, {alpha:g}, {beta:g})"),
    "sharpness": lambda a: _keras_cv("RandomSharpness", f"between({-a:g}, {a:g}), value_range=(0, 255)"),
    "blur": _blur,
    "noise": lambda sigma, fixed: _own(f"noise(images, {_number(sigma)}, fixed={bool(fixed)})"),
    "jpeg": lambda q: _keras_cv("RandomJpegQuality", f"({int(q)}, 100)", "compressed(LAYER, images)"),
    "cutout": lambda a: _keras_cv(
        "RandomCutout",
        f"({min(0.1, a):g}, {a:g}), ({min(0.1, a):g}, {a:g}), fill_value=0.0",
        "covered(LAYER, images)",
    ),
    "gridmask": lambda a: _keras_cv("GridMask", f"ratio_factor=(0.0, {a:g})"),
    "stain": lambda a: _own(f"stained(images, {a:g})"),
    "edges": lambda a: _own(f"edges(images, {a:g})"),
    "corrupt": _kind,
    "randaugment": lambda m, count: _keras_cv(
        "RandAugment", f"(0, 255), augmentations_per_image={int(count)}, magnitude={m:g}"
    ),
    "augmix": lambda s, chains: [
        (
            f"SteadyAugMix((0, 255), severity=({min(0.01, s):g}, {s:g}), num_chains={int(chains)}, "
            'name="augmix", dtype="float32")',
            _CALL,
        )
    ],
    "cutmix": lambda alpha: _keras_cv("CutMix", f"alpha={alpha:g}", "cut_and_mixed(LAYER, images, labels)"),
    "mixup": lambda alpha: _keras_cv("MixUp", f"alpha={alpha:g}", "mixed_by(LAYER, images, labels)"),
    "fouriermix": lambda alpha, decay: [
        (
            f'WavyFourierMix(alpha={alpha:g}, decay_power={decay:g}, name="fouriermix", dtype="float32")',
            "mixed_by(LAYER, images, labels)",
        )
    ],
}
"""What an operation's numbers, `share` left out, are in code."""


def _layers(script: _Script) -> list[str]:
    return ["\n".join(_folded(line) for line in script.layers) + "\n"] if script.layers else []


def _folded(line: str) -> str:
    """A long line of a layer on several."""
    if len(line) <= _WIDTH:
        return line
    head, _, arguments = line.partition("(")
    return f"{head}(\n    {arguments[:-1]},\n)"


def _parts(code: str) -> list[str]:
    """The functions that the code calls, and those that they call, in their order."""
    wanted: set[str] = set()
    unread = ["\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))]
    while unread:
        source = unread.pop()
        for name, part in PARTS.items():
            if name not in wanted and re.search(rf"\b{name}[(,\]]", source):
                wanted.add(name)
                unread.append(part)
    return [part for name, part in PARTS.items() if name in wanted]


def _constants(code: str, stains: npt.NDArray[np.floating]) -> list[str]:
    lines = []
    if "STAINS" in code:
        rows = ", ".join(f"[{', '.join(f'{value:.4f}' for value in row)}]" for row in np.asarray(stains))
        lines.append(f"STAINS = np.array([{rows}])  # absorbance of azure B and eosin in red, green and blue")
        lines.append(
            f"GROUND, STAINED = {GROUND:g}, {STAINED:g}  # mean absorbance: less is ground, more is stained"
        )
    if "EDGE_LEVEL" in code:
        lines.append(f"GROUND_LEVEL, EDGE_LEVEL = {_GROUND_LEVEL:g}, {_EDGE_LEVEL:g}")
    return lines


def _imports(code: str) -> list[str]:
    lines = ["import functools", ""] if "functools." in code else []
    for name, line in (
        ("keras.", "import keras"),
        ("keras_cv.", "import keras_cv"),
        ("np.", "import numpy as np"),
    ):
        if re.search(rf"(?<!\w){re.escape(name)}", code):
            lines.append(line)
    if "STAINS" in code and "import numpy as np" not in lines:
        lines.append("import numpy as np")
    lines.append("import tensorflow as tf")
    if "corrupted(" in code:
        lines += ["", "# The corruptions are bloodapp's own: run this where bloodapp can be imported."]
        lines.append("from bloodapp.augment.corruptions import CORRUPTIONS, corrupt")
    return lines


def _heading(pipeline: Pipeline, code: str) -> str:
    needs = "tensorflow, keras, keras_cv and numpy" + (" and bloodapp" if "corrupted(" in code else "")
    return "\n".join(
        (
            f'"""Augmentation as it was set up in bloodapp; needs {needs}.',
            "",
            textwrap.fill(pipeline_text(pipeline), _WIDTH, initial_indent="    ", subsequent_indent="    "),
            "",
            "Labels are one-hot or soft. In a tf.data pipeline:",
            "",
            "    dataset.batch(64).map(augment, num_parallel_calls=tf.data.AUTOTUNE)",
            "",
            "keras.utils.set_random_seed(1) beforehand makes the draws repeatable, as far as the layers allow.",
            '"""',
            "",
        )
    )
