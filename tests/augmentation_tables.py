"""The tables of docs/augmentation.md, from the declarations; `python -m tests.augmentation_tables` writes them anew."""

import re
from collections.abc import Mapping
from pathlib import Path

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import GROUPS, OPERATIONS, Operation, Parameter

DOC = Path(__file__).resolve().parents[1] / "docs" / "augmentation.md"

WHOSE = {
    "flip": "KerasCV, once for each axis",
    "quarterturn": "ours",
    "rotate": "Keras",
    "shift": "Keras",
    "zoom": "Keras",
    "crop": "KerasCV",
    "shear": "Keras",
    "brightness": "Keras",
    "contrast": "Keras",
    "saturation": "KerasCV",
    "hue": "KerasCV",
    "jitter": "Keras and KerasCV, the four one after the other",
    "channelshift": "KerasCV",
    "channelshuffle": "KerasCV",
    "grayscale": "KerasCV",
    "solarize": "KerasCV",
    "posterize": "KerasCV",
    "equalize": "KerasCV",
    "autocontrast": "KerasCV",
    "invert": "ours",
    "scaleabs": "ours",
    "sharpness": "KerasCV",
    "blur": "KerasCV",
    "noise": "ours",
    "jpeg": "KerasCV",
    "cutout": "KerasCV",
    "gridmask": "KerasCV",
    "stain": "ours",
    "edges": "ours",
    "corrupt": "ours, see [corruptions](corruptions.md)",
    "randaugment": "KerasCV's operations and strengths, batched by us",
    "augmix": "KerasCV, two operations mended",
    "cutmix": "KerasCV, labels counted by us",
    "mixup": "KerasCV",
    "fouriermix": "KerasCV, spectrum mended",
    "sometimes": "ours",
    "oneof": "ours",
    "off": "ours",
}
"""Whose layer draws each operation."""


def signature(operation: Operation) -> str:
    """How the operation is written: its name with the names of its numbers, and what may be nested in it."""
    branches = ("", "; pipeline", "; pipeline; pipeline; …")[operation.branches]
    inside = ", ".join(parameter.name for parameter in operation.parameters) + branches
    return f"{operation.name}({inside.removeprefix('; ')})" if inside else operation.name


def bounds(parameter: Parameter) -> str:
    """What a number may be and what it is when left out: `amount 0–0.5, 0.1: help`."""
    if parameter.words:
        values = f"{', '.join(f'`{word}`' for word in parameter.words)}; `{parameter.words[int(parameter.default)]}`"
    else:
        unit = f" {parameter.unit}" if parameter.unit else ""
        values = f"{parameter.low:g} to {parameter.high:g}{unit}; {parameter.default:g}"
    return f"**{parameter.name}** {values}. {parameter.help}"


def operations(group: str) -> str:
    """The table of a group's operations."""
    rows = ["| As text | What it does | Its numbers: bounds; default | Layer |", "|---|---|---|---|"]
    for operation in OPERATIONS.values():
        if operation.group == group:
            numbers = "<br>".join(bounds(parameter) for parameter in operation.parameters) or "none"
            cells = (f"`{signature(operation)}`", operation.help, numbers, WHOSE[operation.name])
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def pipelines() -> str:
    """The table of the named pipelines, with their whole texts."""
    rows = ["| Name | Whose | Text | Why |", "|---|---|---|---|"]
    for one in PIPELINES.values():
        # A bar within a cell must be escaped, in code as well.
        cells = (f"`{one.name}`", f"{one.family}: {one.title}", f"`{one.text}`", one.why)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


TABLES = {f"operations: {group}": operations(group) for group in GROUPS} | {"pipelines": pipelines()}
"""The tables by the name that stands before each of them in the document, in a comment."""


def place(name: str) -> re.Pattern[str]:
    """What finds the table of that name in the document: group 1 is the table, with lines around it."""
    return re.compile(rf"<!-- table {re.escape(name)} -->((?:(?!<!--).)*)<!-- end -->", re.DOTALL)


def written(text: str, tables: Mapping[str, str]) -> str:
    """A document with all these tables as they should be, by the names that stand before them."""
    for name, table in tables.items():
        block = f"<!-- table {name} -->\n\n{table}\n\n<!-- end -->"
        text = place(name).sub(lambda _, block=block: block, text)
    return text


if __name__ == "__main__":
    DOC.write_text(written(DOC.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
