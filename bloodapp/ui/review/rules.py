"""One keeper rule for all groups of a kind: what it would do is said first, then one click does it, as one batch."""

from functools import lru_cache
from html import escape

import pandas as pd
import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.review.findings import KINDS
from bloodapp.review.keepers import RULES, Rule
from bloodapp.review.plans import KINDS_OF_GROUPS, Plan, faulty_of, groups_of, plan
from bloodapp.review.scan import current_findings
from bloodapp.ui import state
from bloodapp.ui.review import acts, keeping
from bloodapp.ui.standing import findings_stamp, identity
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count

_KIND, _RULE = "rules_kind", "rules_rule"


def draw(dataset: Dataset) -> None:
    """Draw the button that opens the choice."""
    with st.popover("Keep one of each", icon=":material/filter_1:", type="tertiary", key="rules"):
        _choice(dataset)


@st.fragment
def _choice(dataset: Dataset) -> None:
    numbers = _numbers(dataset.name, identity(dataset), findings_stamp(dataset))
    if not numbers:
        st.html('<p class="quiet">No group of copies was found.</p>')
        return
    st.html(
        '<div class="empty"><h2>Of every group keep one</h2><p>The rule decides about all groups of a kind at once, '
        "also about those that the filters hide. What is put aside or decided stays as it is.</p></div>"
    )
    kind = str(state.get(_KIND) or "")
    st.session_state["rules-kind"] = kind = kind if kind in numbers else next(iter(numbers))
    st.pills(
        "Kind",
        list(numbers),
        key="rules-kind",
        required=True,
        format_func=lambda one: f"{KINDS[one].title} :small[:gray[{numbers[one]:,}]]",
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: state.put(_KIND, st.session_state["rules-kind"]),
    )
    chosen = next((one for one in RULES if one == state.get(_RULE)), keeping.rule())
    st.session_state["rules-rule"] = chosen
    st.selectbox(
        "Keep",
        list(RULES),
        key="rules-rule",
        format_func=RULES.__getitem__,
        on_change=lambda: state.put(_RULE, st.session_state["rules-rule"]),
    )
    made = planned(dataset, kind, chosen)
    st.html(f'<p class="planned" role="status">{escape(made.words)}.</p>')
    pressed = st.button(
        f"Exclude {count(len(made.excluded), 'image')}",
        type="primary",
        key="rules-do",
        disabled=not len(made.excluded),
        on_click=_do,
        args=(dataset, kind, chosen),
    )
    if pressed:
        st.rerun()  # what was decided stands; now the queue behind follows


def planned(dataset: Dataset, kind: str, rule: Rule) -> Plan:
    """What a rule would do to all groups of a kind that the last scan found."""
    judged = judged_now(dataset)
    return _planned(dataset.name, identity(dataset), findings_stamp(dataset), judged.seq, kind, rule)


def _do(dataset: Dataset, kind: str, rule: Rule) -> None:
    made = planned(dataset, kind, rule)
    if len(made.excluded):
        because = f"{KINDS[kind].title}; kept: {RULES[rule][:1].lower()}{RULES[rule][1:]}"
        acts.decide(dataset, made.excluded, "exclude", because=because)


@lru_cache(maxsize=32)
def _planned(name: str, identity: str, stamp: int, seq: int, kind: str, rule: Rule) -> Plan:
    del seq  # part of the key only
    dataset = open_dataset(name)
    found = _found(name, identity, stamp)
    return plan(
        rule,
        groups_of(found, kind),
        judged_now(dataset),
        faulty=faulty_of(found),
        sharpness=lambda indices: keeping.sharpness_of(dataset, indices),
        pixels=keeping.pixels_of(dataset),
    )


@lru_cache(maxsize=8)
def _numbers(name: str, identity: str, stamp: int) -> dict[str, int]:
    """How many groups of each kind there are."""
    found = _found(name, identity, stamp)
    numbers = {kind: len(groups_of(found, kind)) for kind in KINDS_OF_GROUPS}
    return {kind: number for kind, number in numbers.items() if number}


@lru_cache(maxsize=4)
def _found(name: str, identity: str, stamp: int) -> pd.DataFrame:
    del identity, stamp  # part of the key only
    found = current_findings(open_dataset(name))
    assert found is not None, "the queue is drawn of findings alone"
    return found
