"""What the user chose survives page switches, and the address wins over memory."""

import re
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset, delete_dataset
from bloodapp.data.importing import import_source
from tests.evaluate.suites import give_file
from tests.made import make_run
from tests.ui.conftest import words

Open = Callable[..., AppTest]


def second(tmp_path: Path) -> None:
    """Import the tiny cells once more as `other`."""
    import_source(tmp_path / "tiny.npz", name="other")


def chosen(page: AppTest) -> str:
    """The dataset that the sidebar shows."""
    assert not page.exception
    return str(page.selectbox("dataset-box").value)


def said(page: AppTest) -> list[str]:
    """What the page says of names that do not exist."""
    assert not page.exception
    return re.findall(r'<p class="missed" role="status">(.*?)</p>', words(page))


def test_address_names_the_dataset(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """A deep link opens its dataset on a cold server."""
    second(tmp_path)
    assert chosen(open_page("app.py", dataset="tiny")) == "tiny"
    assert chosen(open_page("app.py", dataset="other")) == "other"


def test_newest_dataset_without_an_address(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """With nothing chosen the newest dataset is shown, and the address says so."""
    second(tmp_path)
    page = open_page("app.py")
    assert chosen(page) == "other"
    assert page.query_params["dataset"] == "other"


def test_choosing_changes_the_address(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """The chooser writes the address; a later rerun keeps the choice."""
    second(tmp_path)
    page = open_page("app.py", dataset="other")
    page.selectbox("dataset-box").set_value("tiny").run()
    assert chosen(page) == "tiny"
    assert page.query_params["dataset"] == "tiny"
    assert chosen(page.run()) == "tiny"


def test_unknown_names_are_passed_over(tiny: Dataset, open_page: Open) -> None:
    """A dataset or run that does not exist (any more) is taken out of the address."""
    page = open_page("app.py", dataset="gone", run="gone")
    assert chosen(page) == "tiny"
    assert page.query_params["dataset"] == "tiny"
    assert "run" not in page.query_params


def test_a_link_to_what_is_gone_says_so(tiny: Dataset, open_page: Open) -> None:
    """Both names, what is on show instead where it is on show, and nothing that the address could smuggle in."""
    give_file(make_run(tiny, "mine"))
    page = open_page("pages/4_Evaluate.py", dataset="gone", run="<b>old</b>")
    assert chosen(page) == "tiny"
    assert said(page) == [
        "There is no dataset &#x27;gone&#x27; any more; this is &#x27;tiny&#x27;. "
        "There is no run &#x27;&lt;b&gt;old&lt;/b&gt;&#x27; any more; this is &#x27;mine&#x27;."
    ]
    home = open_page("app.py", dataset="tiny", run="x" * 500)
    assert said(home) == [f"There is no run &#x27;{'x' * 59}…&#x27; any more."]


def test_what_is_gone_is_said_until_one_goes_on(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """It stays while the page is drawn anew, and goes with a choice, with another page, and on a reload."""
    second(tmp_path)
    page = open_page("app.py", dataset="tiny", run="gone")
    assert said(page) and said(page.run())
    page.selectbox("dataset-box").set_value("other").run()
    assert not said(page)
    page.selectbox("dataset-box").set_value("tiny").run()
    assert not said(page)
    page = open_page("app.py", dataset="gone")
    assert said(page)
    assert not said(page.switch_page("pages/1_Review.py").run())
    page = open_page("app.py", dataset="gone")
    assert not said(open_page("app.py", **{key: page.query_params[key] for key in page.query_params}))


def test_stepping_back_to_what_is_gone_says_so_again(tiny: Dataset, open_page: Open) -> None:
    """Each time the address names it, also one after another."""
    page = open_page("app.py", dataset="tiny", run="one")
    assert "&#x27;one&#x27;" in said(page)[0]
    page.query_params["run"] = "two"
    assert "&#x27;two&#x27;" in said(page.run())[0] and "one" not in said(page)[0]


def test_what_exists_is_never_missed(tiny: Dataset, open_page: Open) -> None:
    """Nothing is said of a link that holds, nor of none at all."""
    make_run(tiny, "mine")
    page = open_page("pages/4_Evaluate.py", dataset="tiny", run="mine")
    assert not said(page)
    assert not said(open_page("app.py"))


def test_deleted_dataset_gives_way(tiny: Dataset, tmp_path: Path, open_page: Open) -> None:
    """A dataset deleted elsewhere is replaced by one that exists."""
    second(tmp_path)
    page = open_page("app.py", dataset="other")
    delete_dataset("other")
    assert chosen(page.run()) == "tiny"


def test_run_in_the_address_is_kept(tiny: Dataset, open_page: Open) -> None:
    """A chosen run stays chosen; another dataset forgets it."""
    make_run(tiny, "mine")
    page = open_page("app.py", dataset="tiny", run="mine")
    assert not page.exception
    assert page.query_params["run"] == "mine"


def script() -> None:
    """A page with one filter, as a script for AppTest."""
    import streamlit as st

    from bloodapp.ui import state

    state.register("review", ["kind"])
    if st.button("dark"):
        state.put("kind", "dark")
    st.text(str(state.get("kind", "all")))


def test_filters_are_mirrored_in_the_address() -> None:
    """A registered filter is read from the address, and written to it."""
    page = AppTest.from_function(script, default_timeout=60)
    page.query_params["kind"] = "blurred"
    page.run()
    assert page.text[0].value == "blurred"
    page.button[0].click().run()
    assert page.text[0].value == "dark"
    assert page.query_params["kind"] == "dark"


def two_pages() -> None:
    """Two pages with a filter each, as a script for AppTest; the text field says which is drawn."""
    import streamlit as st

    from bloodapp.ui import state

    page = st.session_state.get("page", "Review")
    state.enter(page)
    state.register(page.lower(), [f"kind_{page}"])
    st.button("dark", on_click=lambda: state.put(f"kind_{page}", "dark"))
    st.button("late", on_click=lambda: st.session_state.update(late=True))
    if st.session_state.pop("late", False):
        st.query_params.pop(f"kind_{page}", None)  # as a tick sent before the choice had reached the browser
        state.rerun()
    st.text(str(state.get(f"kind_{page}", "all")))


def test_stepping_back_takes_a_choice_back() -> None:
    """An address of the same page that says nothing of a filter says that it is not chosen."""
    page = AppTest.from_function(two_pages, default_timeout=60).run()
    page.button[0].click().run()
    assert page.text[0].value == "dark" and page.query_params["kind_Review"] == "dark"
    del page.query_params["kind_Review"]
    page.run()
    assert page.text[0].value == "None" and "kind_Review" not in page.query_params


def test_coming_from_another_page_finds_the_choice_again() -> None:
    """What was chosen on a page is there when one comes back to it by the menu."""
    page = AppTest.from_function(two_pages, default_timeout=60).run()
    page.button[0].click().run()
    page.session_state["page"] = "Evaluate"
    del page.query_params["kind_Review"]
    page.run()
    assert page.text[0].value == "all"
    page.session_state["page"] = "Review"
    page.run()
    assert page.text[0].value == "dark" and page.query_params["kind_Review"] == "dark"


def test_a_late_tick_takes_no_choice_back() -> None:
    """A page drawn anew from a fragment goes by what was chosen last, not by the address that the fragment was told."""
    page = AppTest.from_function(two_pages, default_timeout=60).run()
    page.button[0].click().run()
    page.button[1].click().run()
    assert page.text[0].value == "dark" and page.query_params["kind_Review"] == "dark"
