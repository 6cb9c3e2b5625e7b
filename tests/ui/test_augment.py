"""Augment through AppTest: choosing, editing, writing, saving and using a pipeline, and what can go wrong with it."""

import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import parse, resolve, text
from bloodapp.augment.saved import FILE, delete_pipeline, save_pipeline, saved_pipelines
from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import list_runs
from bloodapp.train.recipes import RECIPES
from bloodapp.ui.augment import choice as augment_choice
from bloodapp.ui.augment import copy, editor, pipeline_chips, pipeline_text_help
from tests.ui.conftest import words

Open = Callable[..., AppTest]
PAGE = "pages/2_Augment.py"


def edit(page: AppTest, **edit: Any) -> AppTest:
    """Report an edit as the list of steps does, on the text that it shows."""
    base = resolved_text(page)
    count = int(page.session_state["test-edits"]) + 1 if "test-edits" in page.session_state else 1
    page.session_state["test-edits"] = count
    page.session_state[editor.KEY] = {"edit": {"id": str(count), "base": base, **edit}}
    return page.run()


def address(page: AppTest, name: str) -> str:
    """A value in the address; empty for none."""
    value = page.query_params.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def resolved_text(page: AppTest) -> str:
    """The text that the list of steps shows."""
    return text(resolve(address(page, "pipeline")))


def opened(page: AppTest, key: str) -> AppTest:
    """Open what opens under a button."""
    page.session_state[key] = True
    return page.run()


def test_without_a_dataset_it_says_what_to_do(empty_home: object, open_page: Open) -> None:
    """An empty workspace leads to Home, not to an empty preview."""
    page = open_page(PAGE)
    assert not page.exception
    assert "No dataset yet" in words(page)


def test_named_pipelines_are_offered_by_family(tiny: Dataset, open_page: Open) -> None:
    """Every named pipeline is there with its title and why under its family, saved ones first; none is a radio row."""
    save_pipeline("mine", "flip|noise(4)")
    page = opened(open_page(PAGE, dataset="tiny", pipeline="none"), "augment-choices")
    assert not page.exception
    for each in PIPELINES.values():
        label = page.button(key=f"augment-take-{each.name}").label
        assert each.title.split(",")[0].replace("|", "\\|") in label
        assert f">{each.family}</h4>" in words(page)
    families = [offer.family for offer in augment_choice.offers()]
    assert families[0] == augment_choice.SAVED
    assert len(set(families)) == sum(a != b for a, b in pairwise(families)) + 1
    page.button(key="augment-take-gentle").click().run()
    assert address(page, "pipeline") == "gentle"
    assert PIPELINES["gentle"].why in words(page)


def test_the_choice_can_be_searched(tiny: Dataset, open_page: Open) -> None:
    """Words of a name, team or purpose leave what has them all; nothing found is said."""
    page = opened(open_page(PAGE, dataset="tiny", pipeline="none"), "augment-choices")
    page.text_input(key="augment-find").set_value("pinguinos crop").run()
    keys = {button.key for button in page.button if str(button.key).startswith("augment-take-")}
    assert keys == {"augment-take-r1a", "augment-take-r1g"}
    page.text_input(key="augment-find").set_value("unicorn").run()
    assert "Nothing of that kind" in words(page)


def test_an_edit_makes_a_named_pipeline_ones_own_with_a_way_back(tiny: Dataset, open_page: Open) -> None:
    """The text in the address follows the edit, the name stays as the origin, and undoing gives the name back."""
    page = open_page(PAGE, dataset="tiny", pipeline="r1a")
    edit(page, act="move", path=[0], by=1)
    assert not page.exception
    assert resolved_text(page) == "crop(0.3)|flip"
    assert address(page, "from") == "r1a"
    assert "Made from R1 a, crop." in words(page)
    edit(page, act="move", path=[1], by=-1)
    assert address(page, "pipeline") == "r1a"
    assert "from" not in page.query_params
    edit(page, act="change", path=[1], parameter=0, value=0.5)
    edit(page, act="switch", path=[0])
    assert resolved_text(page) == "off(flip)|crop(0.5)"
    page.button(key="augment-back").click().run()
    assert address(page, "pipeline") == "r1a"
    page.button(key="augment-undo").click().run()
    assert resolved_text(page) == "off(flip)|crop(0.5)"


def test_every_edit_can_be_undone_and_done_again(tiny: Dataset, open_page: Open) -> None:
    """Undo goes back edit by edit to the beginning, redo forward again; a new edit ends the way forward."""
    page = open_page(PAGE, dataset="tiny", pipeline="r1b")
    trail = [address(page, "pipeline")]
    for each in (
        {"act": "insert", "path": [2], "name": "oneof"},
        {"act": "insert", "path": [2, 0, 0], "name": "noise"},
        {"act": "remove", "path": [0]},
    ):
        edit(page, **each)
        trail.append(address(page, "pipeline"))
    assert trail[-1] == "brightness(0.2)|oneof(noise; none)"
    for wanted in reversed(trail[:-1]):
        page.button(key="augment-undo").click().run()
        assert address(page, "pipeline") == wanted
    assert page.button(key="augment-undo").disabled
    for wanted in trail[1:]:
        page.button(key="augment-redo").click().run()
        assert address(page, "pipeline") == wanted
    assert page.button(key="augment-redo").disabled
    page.button(key="augment-undo").click().run()
    edit(page, act="remove", path=[0])
    assert page.button(key="augment-redo").disabled


def test_an_edit_of_an_older_list_is_not_performed(tiny: Dataset, open_page: Open) -> None:
    """What another tab or the back button has overtaken changes nothing; nonsense is told in a sentence."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip|noise")
    edit(page, act="remove", path=[0], base="flip|blur")
    assert address(page, "pipeline") == "flip|noise"
    edit(page, act="remove", path=[9])
    assert not page.exception
    assert "There is no step at 9" in page.error[0].value


def test_the_list_describes_every_step() -> None:
    """Paths, switches, values and branches as the list draws them; a step that is off shows as itself."""
    flip, off, choice = editor.described(
        parse("flip|off(rotate(20, black))|oneof(batch; noise; off(blur|hue))")
    )
    assert (flip["path"], flip["on"], flip["title"]) == ([0], True, "flip")
    assert (off["path"], off["inner"], off["on"], off["title"]) == ([1], [1, 0, 0], False, "rotate")
    assert [each["value"] for each in off["parameters"]] == [20, 2]
    assert off["parameters"][1]["words"] == ["mirror", "edge", "black", "white"]
    assert choice["title"] == "one of 2"
    assert [branch["path"] for branch in choice["branches"]] == [[2, 0], [2, 1]]
    inner = choice["branches"][1]["steps"][0]
    assert (inner["title"], inner["on"]) == ("switched off", False)
    assert [step["path"] for step in inner["branches"][0]["steps"]] == [[2, 1, 0, 0, 0], [2, 1, 0, 0, 1]]


@pytest.mark.parametrize("name", PIPELINES)
def test_sliders_can_show_every_value_of_a_named_pipeline(name: str) -> None:
    """Each value lies on a place of its slider, whose steps are neither too coarse nor too fine to use."""
    stack = list(resolve(name).steps)
    while stack:
        step = stack.pop()
        stack += [inner for branch in step.branches for inner in branch.steps]
        for parameter, value in zip(OPERATIONS[step.name].parameters, step.numbers, strict=True):
            fine = editor.fineness(parameter, value)
            places = (value - parameter.low) / fine
            assert places == pytest.approx(round(places), abs=1e-4)
            assert 1 <= (parameter.high - parameter.low) / fine <= 5000


def test_writing_is_the_other_way_to_edit(tiny: Dataset, open_page: Open) -> None:
    """As text a named pipeline's steps are written out; what is written is looked at, with everything there is."""
    page = open_page(PAGE, dataset="tiny", pipeline="r1a")
    page.segmented_control(key="augment-way").set_value("text").run()
    assert page.text_area(key="augment-own").value == "flip|crop(0.3)"
    page.text_area(key="augment-own").set_value(" none | none ").run()
    assert not page.exception
    assert address(page, "pipeline") == "none | none"
    for name in OPERATIONS:
        assert f"<dt>{name}</dt>" in words(page)
    assert "mirror, edge, black, white; usually mirror" in words(page)
    assert "0 does nothing" in words(page)


def test_a_mistake_is_pointed_at(tiny: Dataset, open_page: Open) -> None:
    """A text that cannot be read shows its place and what there is, and cannot be used for training."""
    page = open_page(PAGE, dataset="tiny", pipeline="flip|rotatte(15)")
    assert not page.exception
    assert page.text_area(key="augment-own").value == "flip|rotatte(15)"
    assert page.code[0].value == "flip|rotatte(15)\n     ^"
    assert "can't find 'rotatte'. Did you mean rotate?" in page.error[0].value
    assert "quarterturn" in words(page)
    assert page.button(key="augment-use").disabled
    page.text_area(key="augment-own").set_value("none").run()
    assert not page.error
    assert not page.button(key="augment-use").disabled


def test_a_pipeline_is_saved_replaced_renamed_and_deleted(tiny: Dataset, open_page: Open) -> None:
    """A name that is taken is asked about first; what is deleted can be brought back."""
    page = opened(open_page(PAGE, dataset="tiny", pipeline="none | none"), "augment-save")
    page.text_input(key="augment-name").set_value("two words")
    page.button(key="augment-keep").click().run()
    assert "cannot name a pipeline" in page.error[0].value
    page.text_input(key="augment-name").set_value("mine")
    page.button(key="augment-keep").click().run()
    assert not page.exception
    assert saved_pipelines() == {"mine": "none"}
    assert address(page, "pipeline") == "mine"

    edit(page, act="insert", path=[0], name="off")
    opened(page, "augment-save")
    page.text_input(key="augment-name").set_value("mine")
    page.button(key="augment-keep").click().run()
    assert saved_pipelines() == {"mine": "none"}
    page.button(key="augment-replace-other").click().run()
    assert saved_pipelines() == {"mine": "off(none)"}

    save_pipeline("other", "none")
    opened(page, "augment-save")
    page.text_input(key="augment-rename").set_value("other")
    page.button(key="augment-rename-it").click().run()
    assert set(saved_pipelines()) == {"mine", "other"}
    page.button(key="augment-rename-over").click().run()
    assert saved_pipelines() == {"other": "off(none)"}
    assert address(page, "pipeline") == "other"

    opened(page, "augment-save")
    page.button(key="augment-delete").click().run()
    assert set(saved_pipelines()) == {"other"}
    page.button(key="augment-delete").click().run()
    assert saved_pipelines() == {}
    assert address(page, "pipeline") == "off(none)"
    page.button(key="augment-restore").click().run()
    assert saved_pipelines() == {"other": "off(none)"}
    assert address(page, "pipeline") == "other"


def test_a_saved_name_that_goes_in_another_tab_leaves_its_steps(tiny: Dataset, open_page: Open) -> None:
    """The page goes on with the steps that it knew and says so; a link to such a name says what there is."""
    save_pipeline("mine", "none|none")
    page = open_page(PAGE, dataset="tiny", pipeline="mine")
    delete_pipeline("mine")
    page.run()
    assert not page.exception
    assert address(page, "pipeline") == "none|none"
    assert "“mine” is no longer saved" in words(page)
    later = open_page(PAGE, dataset="tiny", pipeline="mine")
    assert "can't find 'mine'" in later.error[0].value


def test_a_damaged_file_of_saved_pipelines_is_told(tiny: Dataset, home: Path, open_page: Open) -> None:
    """The page stays, says which file cannot be read, and puts it aside when asked to."""
    (home / FILE).write_text("{")
    page = open_page(PAGE, dataset="tiny", pipeline="none")
    assert not page.exception
    assert FILE in page.error[0].value
    page.button(key="augment-aside").click().run()
    assert not page.error
    assert page.button(key="augment-use")
    assert (home / "pipelines.damaged.json").exists()


def test_copying_gives_text_command_and_code(tiny: Dataset, open_page: Open) -> None:
    """Three forms of the same pipeline; the command is one line that a shell reads as one argument each."""
    page = opened(open_page(PAGE, dataset="tiny", pipeline="none | off(flip)"), "augment-copy")
    assert page.code[0].value == "off(flip)"
    page.segmented_control(key="augment-form").set_value("Command line").run()
    assert shlex.split(page.code[0].value)[3:] == ["train", "tiny", "--set", "pipeline=off(flip)"]
    page.segmented_control(key="augment-form").set_value("Keras code").run()
    assert "def augment(images, labels):" in page.code[0].value
    compile(page.code[0].value, "generated", "exec")
    spaced = copy.command_line("my cells", "oneof(flip; hue)")
    assert shlex.split(spaced)[4:] == ["my cells", "--set", "pipeline=oneof(flip; hue)"]


def test_using_a_saved_pipeline_takes_it_to_train(tiny: Dataset, open_page: Open) -> None:
    """Train names it as it was saved; the run that it starts keeps the text, whatever becomes of the name."""
    save_pipeline("mine", "flip|rotate(15)")
    page = open_page(PAGE, dataset="tiny", pipeline="none", augment="x")
    page.session_state["kept.pipeline"] = "mine"
    page.query_params["pipeline"] = "mine"
    page.run()
    page.button(key="augment-use").click().run()
    page.switch_page("pages/3_Train.py").run()
    assert not page.exception
    assert "mine, chosen by you" in words(page)
    assert address(page, "augment") == "mine"
    page.button(key="train-start-0").click().run()
    assert not page.exception
    (run,) = [run for run in list_runs() if not run.shipped]
    assert run.config["pipeline"] == "flip|rotate(15)"


def test_train_offers_every_pipeline_with_a_name(tiny: Dataset, home: Path, open_page: Open) -> None:
    """Saved ones come first after the recipe's own; while their file is damaged no training can be started."""
    save_pipeline("mine", "flip|rotate(15)")
    page = open_page("pages/3_Train.py", dataset="tiny", recipe="plain")
    choice = page.selectbox(key="train-augment")
    assert choice.options[:2] == [f"The recipe’s own: {RECIPES['plain'].pipeline}", "Saved by you: mine"]
    assert len(choice.options) == len(PIPELINES) + 2
    choice.set_value("mine").run()
    assert "mine, chosen by you" in words(page)
    assert address(page, "augment") == "mine"
    page.selectbox(key="train-augment").set_value("flip|rotate(180)").run()
    assert f"{RECIPES['plain'].pipeline}, the recipe’s own" in words(page)
    (home / FILE).write_text("{")
    page.run()
    assert not page.exception
    assert FILE in page.error[0].value
    assert page.button(key="train-start-0").disabled


@pytest.mark.parametrize("name", PIPELINES)
def test_chips_name_every_operation(name: str) -> None:
    """Both drawings of a pipeline name all of its operations; equal branches are told once, with a count."""
    pipeline = resolve(name)
    full, short = pipeline_chips.chips(pipeline), pipeline_chips.brief(pipeline)
    stack = list(pipeline.steps)
    while stack:
        step = stack.pop()
        stack += [inner for branch in step.branches for inner in branch.steps]
        if not step.branches:
            assert f"<b>{step.name}</b>" in full
            assert step.name in short


def test_chips_show_values_with_their_units() -> None:
    """The strength is shown with its unit, other values where they are not the usual ones, weights as a count."""
    drawn = pipeline_chips.chips(
        parse("rotate(15, black)|noise|oneof(none; none; sometimes(0.25, batch; blur(2)))|off(hue)")
    )
    assert "<b>rotate</b><span>15°, fill black</span>" in drawn
    assert "<b>noise</b><span>12 grey levels</span>" in drawn
    assert "one of 3 for each image" in drawn
    assert "2 ×" in drawn
    assert "in 25 % of the batches" in drawn
    assert "2 px" in drawn
    assert "switched off" in drawn
    assert "<b>hue" not in pipeline_chips.brief(parse("flip|off(hue)|oneof(noise; flip)"))
    assert "cutmix, untouched" in pipeline_chips.brief(parse("oneof(cutmix; none)"))


@pytest.mark.parametrize(
    ("source", "position", "shown"),
    [
        ("flip|bulr", 5, "flip|bulr\n     ^"),
        ("flip\n|bulr", 6, "|bulr\n ^"),
        ("flip|", 5, "flip|\n     ^"),
        ("a" * 100, 50, "…" + "a" * 80 + "…\n" + " " * 41 + "^"),
    ],
)
def test_caret_stands_under_the_mistake(source: str, position: int, shown: str) -> None:
    """Long texts are cut around the place, lines are told apart."""
    assert pipeline_text_help.caret(source, position) == shown
