"""Putting datasets together: the form, and what would become of those that are chosen."""

from collections.abc import Callable
from html import escape

import streamlit as st

from bloodapp import workspace
from bloodapp.data.adding import largest, merged_classes
from bloodapp.data.dataset import dataset_path, free_name, list_datasets, open_dataset
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue
from bloodapp.jobs.job import Job, submit
from bloodapp.ui import state
from bloodapp.ui.standing import judged
from bloodapp.ui.text import count, plain


def form(key: str, queue: Callable[[Job], None]) -> None:
    """Choose two or more datasets and a name; `queue` takes the job."""
    names = list_datasets()
    current = state.get("dataset")
    chosen = st.multiselect(
        "Datasets to put together",
        names,
        default=[current] if current in names else [],
        key=f"{key}-datasets",
        placeholder="Choose two or more",
    )
    st.html(f'<p class="quiet">{_said(chosen)}</p>')
    suggested = free_name(workspace.name_from("-".join(chosen))) if len(chosen) > 1 else ""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.text_input("Name in the app", key=f"{key}-name", placeholder=suggested or "from the datasets")
    if not right.button("Put together", key=f"{key}-go", type="primary", width="stretch"):
        return
    try:
        queue(_submit(chosen, name.strip() or suggested))
    except BloodappError as problem:
        st.error(plain(str(problem)))


def _said(chosen: list[str]) -> str:
    """What would become of them, in words; HTML."""
    if len(chosen) < 2:
        return (
            "A new dataset with the images of several, one after another. Labels are as decided, excluded images are "
            "left out, and the chosen datasets stay as they are."
        )
    try:
        datasets = [open_dataset(name) for name in chosen]
        taken = [int(judged(dataset).included.sum()) for dataset in datasets]
    except BloodappError as problem:
        return escape(str(problem))
    classes = merged_classes([dataset.classes for dataset in datasets])
    side = largest(datasets)
    left_out = sum(map(len, datasets)) - sum(taken)
    said = [
        f"{count(sum(taken), 'image')} of {count(len(classes), 'class', 'classes')}, {side} × {side} pixels; "
        f"labels as decided{f', {left_out:,} excluded left out' if left_out else ''}."
    ]
    new = [one.title for one in classes[len(datasets[0].classes) :]]
    if new:
        more = f" and {len(new) - 3} more" if len(new) > 3 else ""
        said.append(f"Unknown to {chosen[0]} so far: {', '.join(new[:3])}{more}.")
    said += [
        f"The images of {dataset.name} are enlarged from {dataset.size}."
        for dataset in datasets
        if dataset.size != side
    ]
    said.append("Duplicates between them are found by a scan.")
    return escape(" ".join(said))


def _submit(chosen: list[str], name: str) -> Job:
    if len(chosen) < 2:
        raise InvalidValue("Choose two or more datasets to put together.")
    if dataset_path(name).exists():
        raise AlreadyExists(f"A dataset '{name}' exists: choose another name.")
    return submit("add", {"datasets": chosen, "name": name}, title=f"Putting together {name}")
