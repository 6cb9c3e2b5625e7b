"""The form of a new training: recipes by purpose, fields by group, texts with their meaning, and the address."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset
from bloodapp.runs.run import list_runs
from bloodapp.train.recipe import GROUPS, Recipe, fields
from bloodapp.train.recipes import DEFAULT, PURPOSES, RECIPES
from bloodapp.train.settings import settings, with_settings
from bloodapp.ui.train import recipe_form
from bloodapp.ui.train import words as train_words
from tests.made import make_run
from tests.ui.conftest import words
from tests.ui.test_train import PAGE, choose_from_menu, labels, start_button

Open = Callable[..., AppTest]
KINDS = ("number_input", "selectbox", "toggle", "text_input", "multiselect")


def widgets(page: AppTest) -> dict[str, Any]:
    """The form's widgets by their keys."""
    found = (element for kind in KINDS for element in page.get(kind))
    return {str(element.key): element for element in found if str(element.key).startswith("recipe-")}


def recipe_box(page: AppTest) -> Any:
    """The recipes on offer under the purpose on show."""
    return next(box for box in page.radio if str(box.key).startswith("train-recipe-"))


def test_every_recipe_is_offered_by_what_it_is_for(tiny: Dataset, open_page: Open) -> None:
    """Under each purpose stand its recipes with figures, network and start; choosing one puts it into the address."""
    page = open_page(PAGE, dataset="tiny")
    offered: list[str] = []
    for purpose in PURPOSES:
        page.segmented_control(key="train-purpose").set_value(purpose).run()
        assert not page.exception
        captions = list(recipe_box(page).proto.captions)
        names = [recipe.name for recipe in RECIPES.values() if recipe.purpose == purpose]
        assert len(captions) == len(names)
        offered += names
    assert offered == list(RECIPES)
    r4 = next(caption for caption in captions if "87 hidden" in caption)
    assert "348.1 M parameters" in r4 and "from ImageNet" in r4
    # Nothing is chosen by looking.
    assert recipe_box(page).value is None
    recipe_box(page).set_value("r3").run()
    assert page.query_params["recipe"] == "r3"
    assert page.session_state["kept.recipe"] == "r3"
    again = open_page(PAGE, dataset="tiny", recipe="r3")
    assert recipe_box(again).value == "r3"


@pytest.mark.parametrize(
    ("name", "said"), [("epochs", "99999"), ("learning_rate", "7e9"), ("schedule", "sideways")]
)
def test_what_a_field_cannot_take_is_told(tiny: Dataset, open_page: Open, name: str, said: str) -> None:
    """A value of a link that a field cannot take stands under the field, and nothing starts with it."""
    page = open_page(PAGE, dataset="tiny", recipe=DEFAULT, set=f"{name}={said}", group="Schedule")
    assert not page.exception
    assert f"{name.replace('_', ' ')} must be" in page.error[0].value
    assert page.button(key="train-start-0").disabled
    page.button(key=f"undo-{name}").click().run()
    assert not page.button(key="train-start-0").disabled


def test_the_form_is_drawn_from_the_fields(tiny: Dataset, open_page: Open) -> None:
    """Every field but the pipeline has a widget with its help, bounds and choices, if it counts for anything."""
    page = open_page(PAGE, dataset="tiny")
    idle = train_words.idle(RECIPES[DEFAULT])
    seen = {name for name in widgets(page)}
    assert seen == {f"recipe-{each.name}" for each in fields() if not each.metadata["advanced"]} - {
        "recipe-pipeline"
    }
    for group in GROUPS:
        page.pills(key="train-groups").set_value(group).run()
        assert not page.exception
        found = widgets(page)
        seen |= set(found)
        for each in fields():
            if each.metadata["group"] != group or each.name == "pipeline" or each.name in idle:
                continue
            widget = found[f"recipe-{each.name}"]
            assert widget.proto.help == each.metadata["help"]
            if each.metadata["choices"]:
                assert widget.value == getattr(RECIPES[DEFAULT], each.name)
                assert len(widget.options) == len(each.metadata["choices"])
            elif each.metadata["low"] is not None:
                assert widget.value == getattr(RECIPES[DEFAULT], each.name)
                # What is beyond the bounds is told in a sentence, which the browser's own bounds would prevent.
                assert not widget.proto.has_min and not widget.proto.has_max
    assert seen == {f"recipe-{each.name}" for each in fields() if each.name not in {*idle, "pipeline"}}


def test_the_split_is_told_before_the_start(tiny: Dataset, open_page: Open) -> None:
    """How many each part has, of folds as they are dealt; and that look-alikes are torn apart where they would be."""
    text = words(open_page(PAGE, dataset="tiny"))
    assert "images to learn from" in text and "read once after training" in text and "look-alike" not in text
    page = open_page(PAGE, dataset="tiny", set="folds=4&grouped=false")
    assert not page.exception
    text = words(page)
    assert "4 networks, each on about" in text and "in 4 folds" in text
    assert "a look-alike in val or test" in text


def test_fields_appear_when_they_begin_to_count(tiny: Dataset, open_page: Open) -> None:
    """The length of a cycle is asked for once the schedule is cyclic, and not the warm-up any more."""
    page = open_page(PAGE, dataset="tiny")
    page.pills(key="train-groups").set_value("Schedule").run()
    assert "recipe-warmup" in widgets(page) and "recipe-cycle" not in widgets(page)
    page.selectbox(key="recipe-schedule").set_value("cyclic").run()
    assert "recipe-cycle" in widgets(page) and "recipe-warmup" not in widgets(page)


def test_changes_are_in_the_address_counted_and_taken_back_one_by_one(tiny: Dataset, open_page: Open) -> None:
    """A change is in the address, beside its group and in a list; each can be taken back alone."""
    page = open_page(PAGE, dataset="tiny")
    page.number_input(key="recipe-epochs").set_value(7).run()
    page.pills(key="train-groups").set_value("Training").run()
    page.number_input(key="recipe-batch").set_value(32).run()
    assert page.query_params["set"] == "epochs=7&batch=32"
    assert "2 changes from the recipe" in words(page)
    assert any("Training" in option and "1 changed" in option for option in page.pills[0].options)
    # The address alone is enough for another tab.
    other = open_page(PAGE, dataset="tiny", recipe=DEFAULT, set="epochs=7&batch=32")
    assert other.number_input(key="recipe-epochs").value == 7
    page.button(key="undo-epochs").click().run()
    assert page.number_input(key="recipe-epochs").value == RECIPES[DEFAULT].epochs
    assert page.query_params["set"] == "batch=32"
    page.button(key="train-reset").click().run()
    assert "set" not in page.query_params


def test_another_recipe_begins_without_changes(tiny: Dataset, open_page: Open) -> None:
    """What was changed of one recipe is no change of the next."""
    page = open_page(PAGE, dataset="tiny", recipe="balanced", set="epochs=7")
    recipe_box(page).set_value("plain").run()
    assert "set" not in page.query_params
    assert page.number_input(key="recipe-epochs").value == RECIPES["plain"].epochs


def test_texts_say_what_they_mean_and_what_is_wrong(tiny: Dataset, open_page: Open) -> None:
    """Under phases stands what learns when; what cannot be read is told there in a sentence and kept as it is."""
    page = open_page(PAGE, dataset="tiny", recipe="r4")
    page.pills(key="train-groups").set_value("Training").run()
    assert "Epochs 1–15: the head only. From 16: all but the first 124 layers, at most 1e-05." in words(page)
    page.text_input(key="recipe-phases").set_value("frozen(15)|melt(3)").run()
    assert not page.exception
    assert "melt" in words(page) and 'class="wrong"' in words(page)
    assert page.text_input(key="recipe-phases").value == "frozen(15)|melt(3)"
    assert start_button(page).disabled
    page.text_input(key="recipe-phases").set_value("frozen(3)|full").run()
    assert not start_button(page).disabled


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe("x", "X", "", phases="full"), "All epochs: the whole network."),
        (
            Recipe("x", "X", "", epochs=9, phases="unfreeze(2, 3)"),
            "Epochs 1–3: the head only. Epochs 4–6: the last 50 % of the layers. From 7: the whole network.",
        ),
        (
            Recipe("x", "X", "", epochs=4, phases="frozen(4)|last(15)"),
            "From 1: the head only. The rest finds no epoch left of 4.",
        ),
    ],
)
def test_phases_in_words(recipe: Recipe, said: str) -> None:
    """Epochs are counted through, and phases that find none are told."""
    assert train_words.phases_line(recipe) == said


def test_heads_copies_and_class_weights_in_words() -> None:
    """Each small language is said in plain words."""
    assert train_words.head_line("") == "Straight to the classes."
    assert (
        train_words.head_line("dropout(0.3)|dense(256, relu, he_uniform, l2=1e-4)|batchnorm")
        == "Dropout 30 % → dense 256, relu, he uniform, L2 0.0001 → batch norm → the answer."
    )
    assert "100 images become 400" in train_words.copies_line("r3low; r3medium; r3hard", 100)
    assert train_words.weights_line("monocyte=2") == "monocyte 2 times; others once."
    for recipe in RECIPES.values():
        about, measured = train_words.why(recipe)
        assert f"{about} {measured}".strip() == recipe.why


def test_weights_are_chosen_with_their_second_field(tiny: Dataset, open_page: Open) -> None:
    """A run is offered if its network fits; until one is chosen the training cannot start, and it says why."""
    fitting = with_settings(RECIPES[DEFAULT], {"epochs": 3})
    make_run(tiny, "fits", recipe=settings(fitting)).model_path.write_bytes(b"stands for a model")
    make_run(tiny, "other", recipe=settings(RECIPES["r1cnn"])).model_path.write_bytes(b"as well")
    page = open_page(PAGE, dataset="tiny", recipe="balanced")
    page.selectbox(key="recipe-weights").set_value("run").run()
    assert "choose a run" in words(page)
    assert start_button(page).disabled
    assert "fits" in page.selectbox(key="recipe-weights-run").options
    assert "other" not in page.selectbox(key="recipe-weights-run").options
    page.selectbox(key="recipe-weights-run").set_value("fits").run()
    assert page.query_params["set"] == "weights=run%3Afits"
    assert not start_button(page).disabled
    page.selectbox(key="recipe-weights").set_value("file").run()
    page.text_input(key="recipe-weights-text").set_value("/tmp/cells.keras").run()
    assert page.session_state["kept.set"] == "weights=%2Ftmp%2Fcells.keras"


def test_class_weights_copies_and_device_have_widgets_of_their_own(tiny: Dataset, open_page: Open) -> None:
    """Own weights begin with a class of the dataset; copies are chosen or written; what is wrong stays and is told."""
    page = open_page(PAGE, dataset="tiny")
    page.selectbox(key="recipe-class_weights").set_value("own").run()
    assert page.text_input(key="recipe-class_weights-text").value == f"{tiny.classes[0].key}=1"
    page.text_input(key="recipe-class_weights-text").set_value("much").run()
    assert "class_weights must be" in words(page)
    assert page.text_input(key="recipe-class_weights-text").value == "much"
    page.selectbox(key="recipe-class_weights").set_value("none").run()
    page.pills(key="train-groups").set_value("Augmentation").run()
    page.multiselect(key="recipe-copies").set_value(["r3low", "r3hard"]).run()
    assert "2 copies of each image" in words(page)
    page.pills(key="train-groups").set_value("Machine").run()
    assert page.selectbox(key="recipe-device").value == "auto"
    assert not page.exception


def test_a_run_is_duplicated_with_its_recipe_changes_and_pipeline(tiny: Dataset, open_page: Open) -> None:
    """The form is filled in from the run; the address holds all of it; the recipe itself is one click away."""
    changed = with_settings(RECIPES["r1cnn"], {"epochs": 9, "batch": 16, "pipeline": "flip|rotate(40)"})
    make_run(tiny, "kept", recipe=settings(changed))
    page = open_page(PAGE, dataset="tiny", run="kept")
    choose_from_menu(page, "kept", "duplicate")
    assert not page.exception
    assert "Filled in from the run <b>kept</b>" in words(page)
    address = page.query_params
    assert (address["recipe"], address["set"], address["from"]) == ("r1cnn", "epochs=9&batch=16", "kept")
    assert address["augment"] == "flip|rotate(40)"
    assert "run" not in address
    start_button(page).click().run()
    new = next(run for run in list_runs() if run.name != "kept" and not run.shipped)
    assert new.config["recipe"] == settings(changed)
    other = open_page(PAGE, dataset="tiny", run="kept")
    choose_from_menu(other, "kept", "duplicate")
    other.button(key="train-origin-off").click().run()
    assert "from" not in other.query_params and "set" not in other.query_params


def test_an_address_full_of_nonsense_is_no_harm(tiny: Dataset, open_page: Open) -> None:
    """Unknown recipes and fields are passed over; a value that is none is told, and its field shows the recipe's."""
    page = open_page(
        PAGE, dataset="tiny", recipe="nobody", set="epochs=many&whatever=3&batch=8", compare="a,b"
    )
    assert not page.exception
    assert page.number_input(key="recipe-epochs").value == RECIPES[DEFAULT].epochs
    assert "2 changes from the recipe" in words(page)
    assert "epochs must be a whole number from 1 to 1000, not 'many'" in page.error[0].value
    assert "Start training" in labels(page)


def test_labels_and_steps_of_fields() -> None:
    """Fields are named in words with their unit; steps fit the size of the number."""
    declared = {each.name: each for each in fields()}
    assert recipe_form.label(declared["learning_rate"]) == "Learning rate"
    assert recipe_form.label(declared["size"]) == "Size (pixels)"
    assert recipe_form.label(declared["minutes"]) == "Minutes"
    assert recipe_form.step(0.003, 10) == 0.001
    assert recipe_form.step(0.0, 0.9) == 0.01
    assert recipe_form.step(8.0, 10_000) == 1.0
