"""A series: its trainings in a table, with the mean and the standard deviation of what they score."""

from collections.abc import Mapping
from html import escape
from statistics import mean, stdev
from typing import Any

import streamlit as st

from bloodapp.runs.run import Run, headline
from bloodapp.train import search
from bloodapp.train.search import SEARCH
from bloodapp.ui import frame
from bloodapp.ui.text import count, duration, percent
from bloodapp.ui.train import run_list, state


def draw(run: Run) -> None:
    """Draw the trainings of a series."""
    if run.series == SEARCH:
        _search(run)
        return
    children = run.children
    kind = run.made_of
    scores = [headline(child) or {} for child in children]
    clean, shifted = (
        [score[name] for score in scores if score.get(name) is not None]
        for name in ("accuracy", "shifted_accuracy")
    )
    own = headline(run) or {}
    facts = [("clean, each", spread(clean)), ("shifted, each", spread(shifted))]
    if own and run.series == "folds":
        facts = [
            ("together, clean", percent(own.get("accuracy"))),
            ("together, shifted", percent(own.get("shifted_accuracy"))),
            *facts,
        ]
    ended = sum(child.report() is not None for child in children)
    frame.section(kind.capitalize(), f"{ended} of {len(children)} have ended; mean ± standard deviation")
    frame.facts(facts)
    with st.container(key="train-children", gap=None):
        st.html(
            '<div class="child-row run-heading"><span></span><span>training</span><span>state</span>'
            "<span>clean</span><span>shifted</span><span>time</span></div>"
        )
        for number, (child, score) in enumerate(zip(children, scores, strict=True), 1):
            figures = percent(score.get("accuracy")), percent(score.get("shifted_accuracy"))
            _row(number, child, escape(child.title), figures)


def _search(run: Run) -> None:
    """Draw the trials of a search: what each tried, and what it scored on val; the best, trained in full, is last."""
    children = run.children
    trials = [child for child in children if child.name in run.config["series"]["children"][:-1]]
    scores = {child.name: search.score(child) for child in trials}
    known = [score for score in scores.values() if score is not None]
    ended = f"{len(known)} of {len(run.config['series']['children']) - 1} trials have a score"
    frame.section("Search", f"{ended}; each is judged on the validation part alone")
    own = headline(run) or {}
    facts = [("the best trial, on validation", _score(run, max(known, default=None)))]
    if own:
        part = "test" if own["part"] == "test" else "validation"
        facts += [
            (f"trained in full, {part}", percent(own["accuracy"])),
            ("the same images, shifted", percent(own.get("shifted_accuracy"))),
        ]
    frame.facts(facts)
    with st.container(key="train-children", gap=None):
        st.html(
            '<div class="child-row run-heading"><span></span><span>what it tries</span><span>state</span>'
            "<span>score</span><span>shifted</span><span>time</span></div>"
        )
        for number, child in enumerate(children, 1):
            params = child.config.get("params") or {}
            said = tried(params) if child in trials else f"The best in full: {tried(params)}"
            if "learning_rate" in params:
                said += f", rate {params['learning_rate']:.2g}"
            hard = ((child.report() or {}).get("parts", {}).get("val") or {}).get("shifted_accuracy")
            _row(number, child, escape(said), (_score(run, scores.get(child.name)), percent(hard)))


def tried(params: Mapping[str, Any]) -> str:
    """What a trial tries, but for its learning rate: `2 layers from 512, dropout 0.25, last 15 layers learn`."""
    if not params:
        return ""
    layers, dropout = int(params["layers"]), f"dropout {params['dropout']:.2g}"
    words = [f"{count(layers, 'layer')} from {params['neurons']}" if layers else "no layer", dropout]
    if "unfrozen" in params:
        learn = int(params["unfrozen"])
        words.append(f"last {count(learn, 'layer')} learn" if learn else "the head alone learns")
    return ", ".join(words)


def _score(run: Run, score: float | None) -> str:
    by_loss = run.config["recipe"].get("score") == search.LOSS
    return f"{-score:.3f}" if by_loss and score is not None else percent(score)


def spread(values: list[float]) -> str:
    """`96.4 ± 0.3 %`; of one value no spread, a dash without any."""
    if len(values) < 2:
        return percent(values[0] if values else None)
    return f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f} %"


def _row(number: int, child: Run, said: str, figures: tuple[str, str]) -> None:
    seconds = (child.report() or {}).get("seconds")
    with st.container(horizontal=True, vertical_alignment="center", key=f"child-{child.name}"):
        st.html(
            f'<div class="child-row"><span>{number}</span><span><b>{said}</b></span>'
            f"<span>{state.chip(child.state())}</span><span>{figures[0]}</span>"
            f"<span>{figures[1]}</span><span>{duration(seconds)}</span></div>"
        )
        st.button(
            "Open",
            key=f"child-open-{child.name}",
            on_click=run_list.open_run,
            args=(child.name,),
            width=72,
        )
