"""What the user has chosen: dataset, run and a page's filters.

Choices are kept twice: in session keys that belong to no widget (a widget's key goes when the page
changes), and in the address, so that a link, a reload and the back button hold. The address wins:
it is what the user sees, sends and steps back to. `ui/address.py` reads and writes it, and knows when it is older
than a choice.
"""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from bloodapp.data import dataset as datasets
from bloodapp.errors import BloodappError
from bloodapp.runs import run as runs
from bloodapp.ui import dialogs
from bloodapp.ui.address import begin, in_fragment, stepped, tell, told, will_rerun

_PREFIX = "kept."
_DATASET = "dataset"
_RUN = "run"
_MISSED = "missed"


def get(key: str, default: Any = None) -> Any:
    """The kept value of `key`: a string, number, list or dict."""
    return st.session_state.get(_PREFIX + key, default)


def put(key: str, value: Any) -> None:
    """Keep a value under a key that is no widget's; a registered filter shows in the address too."""
    _touch()
    st.session_state[_PREFIX + key] = value
    if key in (_DATASET, _RUN, *_registered()):
        tell({key: value})


def put_together(values: dict[str, Any]) -> None:
    """Keep several values, with one step of the back button for all of them."""
    _touch()
    for key, value in values.items():
        st.session_state[_PREFIX + key] = value
    tell({key: value for key, value in values.items() if key in (_DATASET, _RUN, *_registered())})


def enter(page: str) -> None:
    """Note which page is drawn; the frame does so first of all."""
    arrived = st.session_state.get(_PREFIX + "page") != page
    begin(elsewhere=arrived)
    dialogs.enter(elsewhere=arrived or stepped())
    st.session_state[_PREFIX + "arrived"] = arrived
    st.session_state[_PREFIX + "page"] = page


def register(page: str, names: Iterable[str]) -> None:
    """Take over a page's filters from the address, and show the remembered ones there.

    Call once at the page's start. Values that came by the address are strings. Whoever comes from another page finds
    what he had chosen here; on the page itself, what is in the address no more is chosen no more: he stepped back.
    """
    names = tuple(names)
    touched = st.session_state.pop(_PREFIX + "touched", False)
    left_out = not st.session_state.get(_PREFIX + "arrived", True) and (stepped() or not touched)
    st.session_state[_PREFIX + "filters"] = [page, *names]
    asked = told()
    for name in names:
        if name in asked:
            st.session_state[_PREFIX + name] = asked[name]
        elif left_out:
            st.session_state[_PREFIX + name] = None
    tell({name: get(name) for name in names})


def rerun() -> None:
    """Have the whole page drawn anew, from a fragment that redraws itself, by what was chosen last.

    What such a fragment is told of the address may be older than a choice made meanwhile, which would be taken back.
    Not under a dialog, where the page follows when that closes: then this returns, and the fragment goes on.
    """
    if dialogs.lies_over():
        return
    page, *names = get("filters", [""])
    here = page == str(get("page", "")).lower()
    tell({name: get(name) for name in (_DATASET, _RUN, *(names if here else ()))})
    _touch()
    will_rerun()
    st.rerun()


def show(box: str, value: Any) -> Any:
    """Let the widget whose key is `box` show this value; returns the default that the widget is to be given.

    What is assigned the browser takes over, and with it takes back what was clicked or pressed while the answer was
    on its way: so a value is assigned only where it differs. Where it does not, the widget still needs it as its
    default, for a browser that draws it anew.
    """
    if box in st.session_state and st.session_state[box] == value:
        return value
    st.session_state[box] = value
    return None


def choose_dataset(name: str | None) -> None:
    """Choose a dataset; a run of another dataset stays chosen only if the user chooses it again."""
    st.session_state[_PREFIX + _DATASET] = name
    st.session_state[_PREFIX + _RUN] = None
    tell({_DATASET: name, _RUN: None})


def choose_run(name: str | None) -> None:
    """Choose a run."""
    put(_RUN, name)


def chosen_dataset() -> "datasets.Dataset | None":
    """The dataset in the address, else the remembered one, else the newest; None when there is none.

    A name that does not exist any more is passed over and taken out of the address; `missed` tells.
    """
    available = datasets.list_datasets()
    asked = told().get(_DATASET)
    for name in (asked, get(_DATASET), *_newest_first(available)):
        if name in available:
            try:
                found = datasets.open_dataset(name)
            except BloodappError:
                continue
            _settle(_DATASET, name, asked)
            return found
    _settle(_DATASET, None, asked)
    return None


def chosen_run(dataset: "datasets.Dataset | None" = None) -> "runs.Run | None":
    """The run in the address, else the remembered one, else the dataset's latest finished one, else a shipped one.

    What does not exist any more goes the way of a dataset's name.
    """
    asked = told().get(_RUN)
    for name in (asked, get(_RUN)):
        if name:
            try:
                run = runs.open_run(name)
            except BloodappError:
                continue
            _settle(_RUN, run.name, asked)
            return run
    _settle(_RUN, None, asked)
    own = runs.latest_run(dataset.name) if dataset else None
    return own or next((run for run in runs.list_runs() if run.shipped and run.finished), None)


def missed(dataset: "datasets.Dataset | None", run: "runs.Run | None") -> dict[str, str]:
    """What the address named that does not exist, by `dataset` and `run`; empty where it named nothing amiss.

    With these two on show instead: it is told as long as they and the page stay, for whoever is drawn anew meanwhile.
    """
    found: dict[str, Any] = get(_MISSED) or {}
    here = [get("page"), dataset and dataset.name, run and run.name]
    if found.get("here", here) != here:
        st.session_state[_PREFIX + _MISSED] = None
        return {}
    if found:
        st.session_state[_PREFIX + _MISSED] = {**found, "here": here}
    return {key: str(found[key]) for key in (_DATASET, _RUN) if key in found}


def address() -> dict[str, str]:
    """What a link to another page carries on: the chosen dataset and run."""
    return {key: str(get(key)) for key in (_DATASET, _RUN) if get(key)}


def _settle(key: str, value: str | None, asked: str | None) -> None:
    """Keep what is on show, in the address as well, and note where that asked for something else."""
    if asked and asked != value:
        before: dict[str, Any] = get(_MISSED) or {}
        # What was told already is of an earlier address; what was not, of this one.
        st.session_state[_PREFIX + _MISSED] = {**({} if "here" in before else before), key: asked}
    st.session_state[_PREFIX + key] = value
    tell({key: value})


def _touch() -> None:
    """Note that a choice is newer than what this run of the page was told of the address."""
    # A fragment's run ends without the page's: the next one of the page knows the address anew.
    if not in_fragment():
        st.session_state[_PREFIX + "touched"] = True


def _registered() -> tuple[str, ...]:
    return tuple(get("filters", [""])[1:])


def _newest_first(names: Iterable[str]) -> list[str]:
    def touched(name: str) -> float:
        try:
            return (datasets.dataset_path(name) / "dataset.json").stat().st_mtime
        except OSError:
            return 0.0

    return sorted(names, key=touched, reverse=True)
