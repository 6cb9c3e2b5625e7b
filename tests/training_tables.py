"""The tables of docs/training.md, from the declarations; `python -m tests.training_tables` writes them anew."""

import dataclasses
from pathlib import Path

from bloodapp.train import published
from bloodapp.train.networks import NETWORKS, Network
from bloodapp.train.recipe import GROUPS, Recipe, fields
from bloodapp.train.recipes import PURPOSES, RECIPES
from tests.augmentation_tables import written

DOC = Path(__file__).resolve().parents[1] / "docs" / "training.md"

NOT_SAID = "not said"

REPORTED = {
    "r0": ("93.27 ± 0.85", "71"),
    "r0folds": ("82.27 ± 0.57", NOT_SAID),
    "r1cnn": ("95.44", "21"),
    "r1cnn4": (NOT_SAID, "29"),
    "r1": ("97.66", "never scored"),
    "r2basic": ("89.89", "32"),
    "r2mobile": ("82.18", "68"),
    "r2light": ("96.40", "77"),
    "r2heavy": ("97.62", "80"),
    "r3": ("99.04", "77"),
    "r4base": ("70", "14"),
    "r4": (NOT_SAID, "87"),
}
"""What the reports say of the systems, percent: on their own hold-out, and on the course's hidden set."""


def row(*cells: str) -> str:
    """A row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def head(*names: str) -> list[str]:
    """The first two lines of a table."""
    return [row(*names), "|" + "---|" * len(names)]


def size(network: Network) -> str:
    """How many parameters a network has, in words where its width decides."""
    return "by `width`" if network.by_width else f"{network.parameters:,}"


def networks() -> str:
    """The table of the networks."""
    rows = head(
        "Name", "Network", "Family", "Parameters", "`own` scaling", "Smallest image", "Weights published"
    )
    rows += [
        row(
            f"`{one.name}`",
            one.title,
            one.family,
            size(one),
            f"`{one.scaling}`",
            f"{one.smallest}",
            "yes" if one.name in published.FILES else "no",
        )
        for one in NETWORKS.values()
    ]
    return "\n".join(rows)


def parts(recipe: Recipe) -> str:
    """The split of a recipe in percent, as `80 / 10 / 10`; with folds, how many share what is not test."""
    test, val = (round(100 * share) for share in (recipe.test_share, recipe.val_share))
    if recipe.folds:
        return f"{100 - test} in {recipe.folds} folds / {test}"
    return f"{100 - val - test} / {val} / {test}"


def recipes(purpose: str) -> str:
    """The table of the recipes under a heading; of the systems with what their reports say."""
    told = any(one.name in REPORTED for one in RECIPES.values() if one.purpose == purpose)
    rows = head(
        "Name",
        "Recipe",
        "Network",
        "Starts from",
        "Train / val / test, %",
        *(("Report: local", "Report: hidden") if told else ("What for",)),
    )
    for one in RECIPES.values():
        if one.purpose == purpose:
            more = REPORTED[one.name] if told else (one.why,)
            start = "nothing" if one.weights == "none" else "ImageNet"
            network = NETWORKS[one.model].title
            rows.append(row(f"`{one.name}`", one.title, network, start, parts(one), *more))
    return "\n".join(rows)


def allowed(field: "dataclasses.Field[object]") -> str:
    """What a field may be: its choices, its bounds with the unit, yes or no, or a text."""
    told = field.metadata
    if told["choices"]:
        return "a network" if field.name == "model" else ", ".join(f"`{one}`" for one in told["choices"])
    if isinstance(field.default, bool):
        return "`true`, `false`"
    if isinstance(field.default, str):
        return "text"
    low, high = (f"{value:,}" if value >= 1000 else f"{value:g}" for value in (told["low"], told["high"]))
    return f"{low} to {high}" + (f" {told['unit']}" if told["unit"] else "")


def settings(group: str) -> str:
    """The table of a group's fields."""
    rows = head("Field", "Default", "May be", "What it is")
    for field in fields():
        if field.metadata["group"] == group:
            default = field.default
            told = str(default).lower() if isinstance(default, bool) else str(default)
            rows.append(
                row(
                    f"`{field.name}`",
                    f"`{told}`" if told else "empty",
                    allowed(field),
                    field.metadata["help"],
                )
            )
    return "\n".join(rows)


TABLES = (
    {"networks": networks()}
    | {f"recipes: {purpose}": recipes(purpose) for purpose in PURPOSES}
    | {f"fields: {group}": settings(group) for group in GROUPS}
)
"""The tables by the name that stands before each of them in the document, in a comment."""


if __name__ == "__main__":
    DOC.write_text(written(DOC.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
