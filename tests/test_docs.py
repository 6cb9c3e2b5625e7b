"""README and documents keep up with the code: commands, pages, recipes, pipelines, settings and make targets."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from bloodapp import train
from bloodapp.augment import pipelines
from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS
from bloodapp.charts import gap
from bloodapp.cli import parser
from bloodapp.train import head, phases
from bloodapp.train.recipe import OPTIMIZERS, SCHEDULES, fields
from bloodapp.train.recipes import RECIPES, recipe_named
from bloodapp.train.settings import with_settings
from bloodapp.ui.steps import PAGES
from tests import training_tables
from tests.augmentation_tables import DOC, TABLES, WHOSE, place

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRAINING = training_tables.DOC.read_text(encoding="utf-8")
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m bloodapp (.+)$", "\n".join((README, TRAINING, EVALUATION)), re.MULTILINE)
"""The commands that stand as examples."""


def commands() -> dict[str, argparse.ArgumentParser]:
    """The commands of the command line and their parsers."""
    (choices,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(choices.choices)


def test_every_command_is_documented() -> None:
    """Each command has a row in the table, and the table has no others."""
    assert set(re.findall(r"^\| `python -m bloodapp ([a-z]+)", README, re.MULTILINE)) == set(commands())


def test_documented_flags_exist() -> None:
    """A flag in a command's row is one of that command."""
    for row in re.findall(r"^\| `python -m bloodapp (.+)\|$", README, re.MULTILINE):
        name = row.split()[0].strip("`")
        known = {flag for action in commands()[name]._actions for flag in action.option_strings}
        assert set(re.findall(r"--[a-z-]+", row)) <= known, name


def test_every_page_is_in_the_tour_in_order() -> None:
    """The six pages, numbered, in the order of the work."""
    assert re.findall(r"^\d\. \*\*(\w+)\*\*", README, re.MULTILINE) == list(PAGES)


def test_every_page_exists() -> None:
    """The menu leads to files that are there, and no page is missing from it."""
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "pages").glob("*.py")} | {"app.py"} == set(
        PAGES.values()
    )


@pytest.mark.parametrize(("heading", "names"), [("Recipes", RECIPES), ("Pipelines", PIPELINES)])
def test_every_name_is_listed(heading: str, names: dict) -> None:
    """The tables of recipes and pipelines are those of the code, in its order."""
    table = README.partition(f"### {heading}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(names)


def test_every_make_target_is_documented() -> None:
    """The README names the targets that a user may want."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("app", "test", "test-full", "bench", "check", "fix"):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)
        assert f"make {target}" in README


def test_linked_files_exist() -> None:
    """Relative links lead somewhere."""
    for folder, text in (
        (ROOT, README),
        (DOC.parent, DOC.read_text(encoding="utf-8")),
        (DOC.parent, TRAINING),
        (DOC.parent, EVALUATION),
    ):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text):
            assert (folder / target).exists(), target


def test_every_module_is_described() -> None:
    """Every module of the product begins with a docstring."""
    for path in (ROOT / "bloodapp").rglob("*.py"):
        assert path.read_text(encoding="utf-8").lstrip().startswith('"""'), path


@pytest.mark.parametrize("name", TABLES)
def test_the_augmentation_tables_are_those_of_the_code(name: str) -> None:
    """Every operation with its numbers, bounds, defaults and words, and every pipeline's whole text."""
    (found,) = place(name).findall(DOC.read_text(encoding="utf-8"))
    assert found == f"\n\n{TABLES[name]}\n\n", "write it anew with `python -m tests.augmentation_tables`"


def test_every_operation_says_whose_it_is() -> None:
    """The tables name the layer of each operation, and of no other; each stands in one table."""
    assert list(WHOSE) == list(OPERATIONS)
    for name in OPERATIONS:
        assert sum(f"| `{name}" in table for table in TABLES.values()) >= 1
        assert len(re.findall(rf"^\| `{name}[(`]", "\n".join(TABLES.values()), re.MULTILINE)) == 1


def test_the_grammar_is_the_readers() -> None:
    """What the document says of the grammar is what stands above the reader."""
    rules = [
        line.split("  ")[0].strip()
        for line in (pipelines.__doc__ or "").splitlines()
        if re.match(r"    \w+ +=", line)
    ]
    text = DOC.read_text(encoding="utf-8")
    assert len(rules) == 6
    for rule in rules:
        assert f"\n{rule}" in text, rule


def test_the_pipelines_in_the_text_can_be_read() -> None:
    """The examples of the document are pipelines."""
    examples = re.findall(
        r"`([a-z]\w*(?:\([^`]*\))?(?:\|[^`]*)?)`", DOC.read_text(encoding="utf-8").split("## Operations")[0]
    )
    read = [example for example in examples if "|" in example or "; " in example]
    assert len(read) >= 5
    for example in read:
        pipelines.parse(example.replace("a|b", "flip|invert").replace("a; b; c", "flip; invert; none"))


@pytest.mark.parametrize("name", training_tables.TABLES)
def test_the_training_tables_are_those_of_the_code(name: str) -> None:
    """Every network, every recipe with its split and what its report says, and every setting with its bounds."""
    (found,) = place(name).findall(TRAINING)
    assert found == f"\n\n{training_tables.TABLES[name]}\n\n", (
        "write it anew with `python -m tests.training_tables`"
    )


def test_every_setting_and_recipe_is_in_one_table() -> None:
    """The tables of docs/training.md leave none out."""
    told = "\n".join(table for name, table in training_tables.TABLES.items() if name != "networks")
    for name in [*(field.name for field in fields()), *RECIPES]:
        assert len(re.findall(rf"^\| `{name}` \|", told, re.MULTILINE)) == 1, name


def test_the_reports_figures_are_the_same_everywhere() -> None:
    """What the document says that the reports scored is what the recipes say, and what the gap chart draws."""
    drawn = {(f"{one.own:.1f}", f"{one.hidden:g}") for one in gap.REPORTED}
    for name, (local, hidden) in training_tables.REPORTED.items():
        own, why = local.partition(" ")[0], RECIPES[name].why
        for figure, place_ in ((own, "local"), (hidden, "hidden")):
            if re.fullmatch(r"[0-9.]+", figure):
                said = [
                    float(number) for number in re.findall(r"\d+(?:\.\d)?", why.partition("The report:")[2])
                ]
                assert any(abs(number - float(figure)) <= 0.05 for number in said), (name, place_)
        if all(re.fullmatch(r"[0-9.]+", figure) for figure in (own, hidden)):
            assert (f"{float(own):.1f}", hidden) in drawn, name


def test_the_heads_and_phases_in_the_text_can_be_read() -> None:
    """The examples in the tables of heads and phases are such, and every step and kind is among them."""
    for title, parse, kinds in (("Heads", head.parse, head.STEPS), ("Phases", phases.parse, phases.KINDS)):
        section = TRAINING.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        examples = [text.replace("\\|", "|") for text in re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)]
        assert len(examples) >= 6
        for example in examples:
            parse(example)
        assert {word for text in examples for word in re.findall(r"(?:^|\|)([a-z]+)", text)} == set(kinds)
    for word in (*head.ACTIVATIONS, *head.INITIALISERS, *OPTIMIZERS, *SCHEDULES):
        assert f"`{word}`" in TRAINING, word


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_in_the_text_can_be_given(line: str) -> None:
    """The examples are commands of the command line, and what they set is what a recipe takes."""
    args = parser().parse_args(shlex.split(line))
    if given := getattr(args, "set", None):
        pairs = dict(pair.split("=", 1) for pair in given)
        with_settings(recipe_named(args.recipe), pairs)


def test_the_map_of_the_training_names_every_module() -> None:
    """Who opens bloodapp/train reads at its top what each module of it is for."""
    for path in (ROOT / "bloodapp" / "train").glob("*.py"):
        if path.stem != "__init__":
            assert re.search(rf"\b{path.stem}\b", train.__doc__ or ""), path.stem
