"""Finished runs made into one: ensembles and test-time augmentation."""

from html import escape

import streamlit as st

from bloodapp.errors import BloodappError, NotFound
from bloodapp.evaluate import compare, metrics
from bloodapp.evaluate.compare import points
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, headline, list_runs, open_run
from bloodapp.train import members
from bloodapp.train.members import Plan
from bloodapp.ui import background, css, frame, state
from bloodapp.ui.evaluate.compare import STYLE, candidates, differences, shared
from bloodapp.ui.evaluate.reading import Reading, choose
from bloodapp.ui.text import ago, count, percent, plain
from bloodapp.ui.train import run_list

FILTERS: tuple[str, ...] = ("members", "together", "turned")
"""Names in the address that this view keeps its choices under."""

_HOWS = {"average": "Average of their probabilities", "majority": "The class most of them name"}
_MOST = 8
_TURNS = (
    "Each image is asked about eight times: in its four quarter turns and their mirror images, and the answers are "
    "averaged. A cell has no up and down, so none of them is stranger than the other."
)


def draw(reading: Reading) -> None:
    """Draw the view: the whole beside its parts if this run is one, what can be put together, what is at work."""
    css.style(STYLE)
    if reading.run.combined:
        _beside(reading.run)
    _form(reading)
    _made(reading)


def _form(reading: Reading) -> None:
    """Choose the members and how they answer, what that costs, and the button."""
    run = reading.run
    frame.section(
        "Put finished runs together", "One network of several, saved as a run that needs its members no more."
    )
    offered = {one.name: one for one in [run, *candidates(run)] if one.finished}
    if not offered:
        st.html('<p class="quiet">Neither this run nor another on its dataset has a model to ask.</p>')
        return
    chosen = _members(run, offered)
    with st.container(horizontal=True, vertical_alignment="center", key="combine-how"):
        how = choose("together", _HOWS, "How they answer together") if len(chosen) > 1 else "average"
        flips = state.get("turned") == "yes"
        state.show("combine-flips", flips)
        st.toggle(
            "Test-time augmentation",
            key="combine-flips",
            help=_TURNS,
            on_change=lambda: state.put("turned", "yes" if st.session_state["combine-flips"] else None),
        )
    plan: Plan | None = None
    try:
        plan = members.plan(chosen, how, flips=flips)
        said = _cost(plan)
    except BloodappError as problem:
        said = str(problem)
    st.html(f'<p class="quiet">{escape(said)}</p>')
    st.button(
        "Put together",
        type="primary",
        key="combine-start",
        icon=":material/merge:",
        disabled=plan is None,
        on_click=_start,
        args=(plan,),
    )


def _members(run: Run, offered: dict[str, Run]) -> list[Run]:
    asked = [name for name in str(state.get("members") or "").split(",") if name in offered]
    first = run.config.get("combined") or {}
    names = asked or [name for name in first.get("members", [run.name]) if name in offered]
    box = f"combine-members-{run.name}"
    state.show(box, names)
    st.multiselect(
        "Runs",
        list(offered),
        key=box,
        format_func=lambda name: offered[name].title,
        max_selections=_MOST,
        placeholder="Choose runs",
        width=720,
        on_change=lambda: state.put("members", ",".join(st.session_state[box]) or None),
    )
    return [offered[name] for name in names]


def _cost(plan: Plan) -> str:
    parts = [
        count(number, f"{word} image")
        for part, word in (("test", "test"), ("val", "validation"))
        if (number := int((plan.kept.part == part).sum()))
    ]
    none = "it has not" if len(plan.runs) == 1 else "none of them has"
    said = [
        f"Judged on {' and '.join(parts)} that {none} learned from.",
        f"An answer takes about {plan.times} times as long as one network’s.",
    ]
    if not (plan.kept.part == "test").any():
        said.append(
            "There is no image that all of them kept for the test: the validation part flatters a little."
        )
    if plan.kept.relabelled:
        said.append(
            f"{count(plan.kept.relabelled, 'image has', 'images have')} the label of the newest decisions."
        )
    return " ".join(said)


def _start(plan: Plan) -> None:
    try:
        run = members.start(plan)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
        return
    st.toast(plain(f"{run.name} is being put together; you may leave this page."))
    background.runner().wake()


def _made(reading: Reading) -> None:
    """What is being put together, and what was, on this dataset."""
    runs = [
        one
        for one in list_runs()
        if one.combined and one.config["fingerprint"] == reading.run.config["fingerprint"]
    ]
    states = {run.name: run.state() for run in runs}
    for run in runs:
        if states[run.name] != "done":
            background.watch(run.job, key=f"combine-{run.name}", dismiss=states[run.name] not in ACTIVE)
    done = [run for run in runs if states[run.name] == "done" and run.name != reading.run.name][:_MOST]
    if not done:
        return
    frame.section("Put together so far")
    with st.container(key="combine-made", gap=None):
        for run in done:
            _row(run)


def _row(run: Run) -> None:
    scores = headline(run) or {}
    with st.container(horizontal=True, vertical_alignment="center", key=f"combine-row-{run.name}"):
        st.html(
            f'<div class="combined-row"><span><b>{escape(run.title)}</b><small>{escape(_of(run))}</small></span>'
            f"<span>{percent(scores.get('accuracy'))}<small>clean</small></span>"
            f"<span>{percent(scores.get('shifted_accuracy'))}<small>shifted</small></span>"
            f"<span>{escape(ago(run.created))}</span></div>"
        )
        st.button("Open", key=f"combine-open-{run.name}", on_click=_open, args=(run.name,), width=72)


def _open(name: str) -> None:
    run_list.open_run(name)


def _of(run: Run) -> str:
    return f"{run.made_of}: {', '.join(run.config['combined']['members'])}"


def _beside(run: Run) -> None:
    """The whole beside each of its members on the images that none has learned from."""
    frame.section("Beside its members", _of(run))
    rows: list[str] = []
    gone: list[str] = []
    apart: list[str] = []
    for name in run.config["combined"]["members"]:
        try:
            member = open_run(name)
        except NotFound:
            gone.append(name)
            continue
        try:
            on = shared([run, member])
        except BloodappError as problem:
            apart.append(f"{member.title} cannot stand beside it: {problem}")
            continue
        which = compare.TEST if on.in_test.any() else compare.HELD
        on = on.only(which)
        if not rows:
            rows.append(_cells(run.title, on, run.name, [None, None]))
        pairs = [next(iter(differences([run, member], which, under_shift=u)), None) for u in (False, True)]
        rows.append(_cells(member.title, on, name, pairs))
    if rows:
        heads = ("run", "clean", "gained", "shifted", "gained")
        head = "".join(f"<th>{name}</th>" for name in heads)
        st.html(
            f'<div class="scroll against-table"><table class="figures"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>"
            f'<p class="quiet">On {count(len(on), "image")} that none of them has learned from. Gained: the whole less '
            "the member, in points, with the paired 95 % interval.</p>"
        )
    if gone:
        has, stands = ("was", "it stands") if len(gone) == 1 else ("were", "they stand")
        apart.append(
            f"{', '.join(gone)} {has} deleted, so that {stands} no more in this table. The whole needs no member: it "
            "answers as before."
        )
    if apart:
        st.html("".join(f'<p class="note">{escape(said)}</p>' for said in apart))


def _cells(title: str, on: compare.Shared, name: str, pairs: "list[compare.Difference | None]") -> str:
    cells = [escape(title)]
    for table, one in zip((on.answers.get(name), on.shifted.get(name)), pairs, strict=True):
        if table is None:
            cells += ["–", ""]
            continue
        matrix = metrics.confusion(on.labels, table.argmax(1), len(on.classes))
        figure = metrics.interval(metrics.accuracy, matrix)
        cells.append(
            f"{100 * figure.value:.1f}<small>{100 * figure.low:.1f} to {100 * figure.high:.1f}</small>"
        )
        if one is None:
            cells.append("")
            continue
        change = one.overall.change
        mood = {"better": "good", "worse": "bad", "open": ""}[one.verdict]
        cells.append(
            f'<strong class="{mood}">{points(change.value, signed=True)}</strong>'
            f"<small>{points(change.low, signed=True)} to {points(change.high, signed=True)}</small>"
        )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
