"""A choice outlives an address from before it, whichever way that reaches the server; stepping back does not."""

from collections.abc import Callable
from functools import partial

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest, local_script_runner

from bloodapp.data.dataset import Dataset
from bloodapp.data.importing import import_source

Say = Callable[..., AppTest]


def script() -> None:
    """A page with a choice of views, and a fragment that redraws itself and may end with the page drawn anew."""
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from bloodapp.ui import state

    context = get_script_run_ctx()
    if st.session_state.get("another's") and context is not None:
        with context.session_state.query_params() as shared:  # as a run does that a click has ended
            shared.populate_from_query_string(st.session_state.pop("another's"))
    state.enter("Review")
    state.register("review", ["view", "more"])
    st.session_state["box"] = state.get("view") or "first"
    st.selectbox(
        "View",
        ["first", "second", "third"],
        key="box",
        on_change=lambda: state.put("view", st.session_state["box"]),
    )
    st.checkbox("More", key="more", on_change=lambda: state.put("more", "yes"))
    st.checkbox("No filter")

    def tick() -> None:
        if st.session_state.pop("last", False):
            state.rerun()

    st.fragment(tick, run_every=60)()
    state.put("noted", "what is no filter")
    st.text(state.get("view") or "first")


@pytest.fixture
def page() -> AppTest:
    """The page, with the second view chosen."""
    page = AppTest.from_function(script, default_timeout=60)
    page.query_params["view"] = "second"
    return page.run()


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run the page as the browser asks for it with this address, and more in its message."""

    def run(page: AppTest, address: dict[str, str], **message: object) -> AppTest:
        page.query_params = dict(address)
        with monkeypatch.context() as patch:
            patch.setattr(local_script_runner, "RerunData", partial(RerunData, **message))
            return page.run()

    return run


def tick(page: AppTest) -> dict[str, object]:
    """What the message of the fragment's tick says besides the address."""
    (fragment,) = page._fragment_storage._fragments
    return {"fragment_id": fragment, "is_auto_rerun": True}


def shown(page: AppTest) -> str:
    """The view on show, which is the address's too."""
    assert not page.exception
    assert page.query_params.get("view", "first") == page.text[0].value == page.selectbox[0].value
    return page.text[0].value


def test_a_click_that_a_tick_has_carried_stays(page: AppTest, say: Say) -> None:
    """The tick's message has the click in it; the click's own follows, with the address from before it."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before, **tick(page))
    assert page.query_params["view"] == "third"
    assert shown(say(page, before)) == "third"
    assert shown(say(page, {"view": "third"})) == "third"
    assert shown(say(page, before)) == "second"


def test_it_stays_where_the_tick_had_the_page_drawn_anew(page: AppTest, say: Say) -> None:
    """The last tick carries the click and has the page drawn anew; only then the click's own message comes."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    page.session_state["last"] = True
    assert shown(say(page, before, **tick(page))) == "third"
    assert shown(say(page, before)) == "third"


def test_a_second_click_carried_by_an_old_tick_counts(page: AppTest, say: Say) -> None:
    """Of two choices made on the way, told with the same old address, the later stays."""
    before, whole = dict(page.query_params), page._tree
    for view in ("third", "first"):
        page._tree = whole  # after a fragment's run it holds that fragment alone
        page.selectbox[0].set_value(view)
        say(page, before, **tick(page))
    assert shown(say(page, before)) == "first"


def test_a_late_tick_brings_no_old_address_back(page: AppTest, say: Say) -> None:
    """A tick from before a choice, with something else to write, leaves the choice in the address."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third").run()
    page.checkbox[0].check()
    say(page, before, **tick(page))
    assert page.query_params == {"view": "third", "more": "yes"}
    assert shown(say(page, dict(page.query_params))) == "third"


def test_one_steps_back_over_it(page: AppTest, say: Say) -> None:
    """The same old address counts where the browser's back button says so."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before, **tick(page))
    assert shown(say(page, before, is_history_navigation=True)) == "second"


def test_another_address_counts(page: AppTest, say: Say) -> None:
    """A link to the same page is no old address."""
    page.selectbox[0].set_value("third")
    say(page, dict(page.query_params), **tick(page))
    assert shown(say(page, {"view": "first"})) == "first"


def test_back_to_no_choice_after_what_the_page_has_kept(page: AppTest, say: Say) -> None:
    """Whatever the page has kept for itself meanwhile, back to an address without a choice takes it back."""
    assert shown(say(page, {}, is_history_navigation=True)) == "first"


def test_a_run_goes_by_its_own_address(page: AppTest, say: Say) -> None:
    """A run that the click has ended reads its own address into what all runs share, before the page is drawn."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    page.session_state["another's"] = "view=second"
    assert shown(say(page, before)) == "third"


def test_a_second_click_leaves_the_first(page: AppTest, say: Say) -> None:
    """Its message has the address from before the first, which the browser has not heard of: both count."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before)
    page.checkbox[0].check()
    assert shown(say(page, before)) == "third"
    assert page.query_params == {"view": "third", "more": "yes"}
    assert shown(say(page, dict(page.query_params))) == "third"


def test_a_second_click_on_what_is_no_choice_leaves_the_first(page: AppTest, say: Say) -> None:
    """So it is where the second click is about nothing that stands in the address."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before)
    page.checkbox[1].check()
    assert shown(say(page, before)) == "third"


def test_a_third_click_leaves_both(page: AppTest, say: Say) -> None:
    """However long the browser knows of nothing, be its address that of the first click by then."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before)
    page.checkbox[0].check()
    say(page, before)
    page.checkbox[1].check()
    assert shown(say(page, {"view": "third"})) == "third"
    assert page.query_params == {"view": "third", "more": "yes"}


def test_a_choice_taken_back_at_once_is_taken_back(
    page: AppTest, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clicks on one widget, told with the same address: the later counts, and the browser is told so."""
    before, written = dict(page.query_params), []
    send = QueryParams._send_query_param_msg
    monkeypatch.setattr(
        QueryParams,
        "_send_query_param_msg",
        lambda params: (written.append(params.to_dict()), send(params)),
    )
    for view in ("third", "second"):
        page.selectbox[0].set_value(view)
        say(page, before)
    assert shown(page) == "second"
    assert [one["view"] for one in written][-1] == "second"
    page.checkbox[1].check()
    assert shown(say(page, {"view": "third"})) == "second"  # what the browser was told first, in between


def test_a_link_after_a_click_counts(page: AppTest, say: Say) -> None:
    """A link on the page to where one was before a click is followed: it comes without a click."""
    before = dict(page.query_params)
    page.selectbox[0].set_value("third")
    say(page, before)
    assert shown(say(page, before)) == "second"


def test_a_link_to_another_page_counts_with_a_click(tiny: Dataset, open_page: Callable[..., AppTest]) -> None:
    """Streamlit makes one run of two messages that it has not come to yet: the click's is then the other page's."""
    import_source("sample", name="more")
    page = open_page("pages/1_Review.py", dataset="tiny")
    page.segmented_control(key="view-box").set_value("ledger")
    page.switch_page("pages/3_Train.py")
    page.query_params = {"dataset": "more"}
    page.run()
    assert not page.exception
    assert page.query_params["dataset"] == page.selectbox(key="dataset-box").value == "more"
