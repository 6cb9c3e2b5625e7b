"""Known faults in a copy of a dataset, so that detectors, and people, can be judged by what they find.

Copies and foreign pictures are added; blends, blur, light and wrong labels happen to images that are there, in
their place, so that no fault has its clean twin beside it. Each fault is of an image of its own: an image has
exactly the kinds that are true of it. A meme is foreign, an exact duplicate and in conflict with itself. In the end
everything is shuffled. Pictures that were there twice are part of the truth, for the pixels prove it; what else was
wrong before, and nobody knows of, is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.importing import Context, Progress, checked_target, store
from bloodapp.data.records import Record
from bloodapp.data.sources import Source
from bloodapp.errors import InvalidValue
from bloodapp.review.faults import SPOILERS, blend
from bloodapp.review.foreign import FAMILIES, MEMES
from bloodapp.review.truth import known_faults

SHARES: dict[str, float] = {
    "exact_duplicate": 90,
    "near_duplicate": 90,
    "foreign": 32,
    "meme": 28,
    "blend": 60,
    "blurred": 70,
    "dark": 30,
    "bright": 30,
    "mislabelled": 80,
}
"""How many faults of each kind among 510, which are planted among 1,712 images."""

MEME_COPIES = (5, 20)
_USUAL = sum(SHARES.values()) / 1712
_BLOCK = 256
# Below this spread, in grey levels, an image shows nothing that could be blurred or lit badly.
_PLAIN = 4.0
_OTHER_CLASS = 0.85  # of the blends are of two classes


@dataclass(frozen=True)
class _Item:
    """One image of the result: the row it comes from, and what happens to it."""

    row: int
    label: int
    change: str = ""
    other: int = -1  # the second row of a blend, the family of a foreign picture
    seed: int = 0


@dataclass
class _Plan:
    """The result before the shuffle; `rows` are (position, kind, group, true label, planted)."""

    items: list[_Item]
    rows: list[tuple[int, str, int, int, bool]] = field(default_factory=list)
    groups: int = 0

    def add(self, item: _Item) -> int:
        self.items.append(item)
        return len(self.items) - 1

    def group(self, kind: str, members: list[int], true_label: int, planted: list[bool]) -> None:
        self.rows += [
            (member, kind, self.groups, true_label, is_planted)
            for member, is_planted in zip(members, planted, strict=True)
        ]


def work(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The job `plant`: params dataset, name, and optionally seed, faults; gives dataset, count, faults."""
    made = plant(
        open_dataset(params["dataset"]),
        params["name"],
        seed=int(params.get("seed", 0)),
        faults=params.get("faults"),
        progress=context.progress,
        stopped=context.stopped,
    )
    return {"dataset": made.name, "count": len(made), "faults": count_faults(made)}


def plant(
    dataset: Dataset,
    name: str,
    *,
    seed: int = 0,
    faults: int | None = None,
    progress: Progress | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Dataset:
    """Copy a dataset under a new name, with known faults in it, and open the copy.

    The same seed gives the same copy. `faults` is how many images become faulty, by default 30 for every 100 images,
    which is about a quarter of the result. Images keep their parts, and copies stay in the part of their original.
    Raises AlreadyExists, InvalidValue and Stopped.
    """
    checked_target(name)
    usable = _usable(dataset)
    wanted = round(_USUAL * len(dataset)) if faults is None else faults
    if not 1 <= wanted <= len(usable):
        raise InvalidValue(
            f"'{dataset.name}' has {len(usable):,} images that faults can be planted in: choose 1 to that many."
        )
    plan = _plan(dataset, usable, wanted, np.random.default_rng([seed, 0]))
    order = np.random.default_rng([seed, 1]).permutation(len(plan.items))
    source = Source(
        kind="planted",
        name=dataset.name,
        path=str(dataset.path),
        classes=dataset.classes,
        count=len(plan.items),
        records=_records(dataset, plan, order, seed),
        truth=_truth(plan, order),
    )
    return store(source, name, dataset.size, progress=progress, stopped=stopped)


def count_faults(dataset: Dataset) -> int:
    """How many images of a dataset with a known truth are at fault; 0 where nothing is known."""
    if dataset.truth is None:
        return 0
    known = known_faults(dataset.truth, dataset.labels)
    return int(known.loc[known["planted"], "index"].nunique())


def _usable(dataset: Dataset) -> NDArray[np.int64]:
    """Images that a fault can be planted in: not plain, not there twice, and not known to be faulty."""
    spread = np.concatenate(
        [block.std(axis=(1, 2, 3), dtype=np.float32) for _, block in dataset.blocks(_BLOCK)]
    )
    usable = (spread >= _PLAIN) & ~dataset.items["sha256"].duplicated(keep=False).to_numpy(bool)
    if dataset.truth is not None:
        usable[dataset.truth["index"].to_numpy()] = False
    return np.flatnonzero(usable)


def _plan(dataset: Dataset, usable: NDArray[np.int64], wanted: int, rng: np.random.Generator) -> _Plan:
    labels = dataset.labels
    present = np.unique(labels[labels >= 0])
    plan = _Plan([_Item(row, int(label)) for row, label in enumerate(labels)])
    _carry_over(plan, dataset)
    free = rng.permutation(usable).tolist()
    counts = _allotted(wanted, len(present))
    # Wrong labels first: they alone need images that have a label.
    _mislabel(plan, free, counts["mislabelled"], present, rng)
    for kind in ("exact_duplicate", "near_duplicate"):
        _copy(plan, free, kind, counts[kind], rng)
    _blend(plan, free, counts["blend"], usable, rng)
    for kind in ("blurred", "dark", "bright"):
        for _ in range(counts[kind]):
            row = free.pop()
            plan.items[row] = _Item(row, int(labels[row]), kind)
            plan.rows.append((row, kind, -1, int(labels[row]), True))
    _add_foreign(plan, dataset, counts, present, rng)
    return plan


def _carry_over(plan: _Plan, dataset: Dataset) -> None:
    """What was known to be wrong before stays known; without a truth, that is what the pixels prove."""
    if dataset.truth is None:
        _note_repeats(plan, dataset)
        return
    known = known_faults(dataset.truth, dataset.labels)
    columns = ["index", "kind", "group", "true_label", "planted"]
    plan.rows += [(int(i), str(k), int(g), int(t), bool(p)) for i, k, g, t, p in known[columns].to_numpy()]
    plan.groups = int(known["group"].max()) + 1


def _note_repeats(plan: _Plan, dataset: Dataset) -> None:
    repeated = dataset.items[dataset.items["sha256"].duplicated(keep=False)]
    for _, rows in repeated.groupby("sha256", sort=False)["index"]:
        members = rows.tolist()
        labels = {int(dataset.labels[member]) for member in members}
        true_label = min(labels) if len(labels) == 1 else -1
        plan.group("exact_duplicate", members, true_label, [False] + [True] * (len(members) - 1))
        if len(labels - {-1}) > 1:
            plan.group("label_conflict", members, -1, [True] * len(members))
        plan.groups += 1


def _allotted(wanted: int, classes: int) -> dict[str, int]:
    """How many faults of each kind, by largest remainder; no wrong labels where there is no other label to give."""
    shares = {kind: share for kind, share in SHARES.items() if classes > 1 or kind != "mislabelled"}
    exact = {kind: wanted * share / sum(shares.values()) for kind, share in shares.items()}
    counts = {kind: int(value) for kind, value in exact.items()}
    by_rest = sorted(exact, key=lambda kind: counts[kind] - exact[kind])
    for kind in by_rest[: wanted - sum(counts.values())]:
        counts[kind] += 1
    if counts["meme"] < MEME_COPIES[0]:  # too few to come again and again
        counts["foreign"] += counts.pop("meme")
    return dict.fromkeys(SHARES, 0) | counts


def _mislabel(
    plan: _Plan, free: list[int], number: int, present: NDArray[np.int16], rng: np.random.Generator
) -> None:
    labelled = [row for row in free if plan.items[row].label >= 0][:number]
    for row in labelled:
        free.remove(row)
        true = plan.items[row].label
        given = int(rng.choice(present[present != true]))
        plan.items[row] = _Item(row, given)
        plan.rows.append((row, "mislabelled", -1, true, True))


def _copy(plan: _Plan, free: list[int], kind: str, number: int, rng: np.random.Generator) -> None:
    """Add copies, of most images one, of some two."""
    while number > 0:
        row = free.pop()
        label = plan.items[row].label
        change = "" if kind == "exact_duplicate" else kind
        copies = [plan.add(_Item(row, label, change)) for _ in range(min(number, 1 + (rng.random() < 0.1)))]
        plan.group(kind, [row, *copies], label, [False] + [True] * len(copies))
        plan.groups += 1
        number -= len(copies)


def _blend(
    plan: _Plan, free: list[int], number: int, usable: NDArray[np.int64], rng: np.random.Generator
) -> None:
    labels = np.array([plan.items[row].label for row in usable])
    for _ in range(number):
        row = free.pop()
        label = plan.items[row].label
        others = usable[labels != label] if rng.random() < _OTHER_CLASS else usable
        others = others[others != row]
        if not len(others):
            others = usable[usable != row]
        if not len(others):
            continue
        plan.items[row] = _Item(row, label, "blend", int(rng.choice(others)))
        plan.rows.append((row, "blend", -1, -1, True))


def _add_foreign(
    plan: _Plan,
    dataset: Dataset,
    counts: dict[str, int],
    present: NDArray[np.int16],
    rng: np.random.Generator,
) -> None:
    """Add pictures of something else, under random labels and with the facts of a random image."""
    labels = present if len(present) else np.array([-1], np.int16)

    def one(family: int, seed: int, row: int, change: str) -> int:
        return plan.add(_Item(row, int(rng.choice(labels)), change, family, seed))

    for number in range(counts["foreign"]):
        row = int(rng.integers(len(dataset)))
        added = one(number % len(FAMILIES), int(rng.integers(2**31)), row, "foreign")
        plan.rows.append((added, "foreign", -1, -1, True))
    order = rng.permutation(len(MEMES)).tolist()
    for number, copies in enumerate(_meme_sizes(counts["meme"], rng)):
        seed, row = int(rng.integers(2**31)), int(rng.integers(len(dataset)))
        members = [one(order[number % len(MEMES)], seed, row, "meme") for _ in range(copies)]
        plan.group("foreign", members, -1, [True] * copies)
        plan.group("exact_duplicate", members, -1, [False] + [True] * (copies - 1))
        if len({plan.items[member].label for member in members}) > 1:
            plan.group("label_conflict", members, -1, [True] * copies)
        plan.groups += 1


def _meme_sizes(total: int, rng: np.random.Generator) -> list[int]:
    """How often each meme comes: 5 to 20 times, together `total`."""
    least, most = MEME_COPIES
    sizes = []
    while total:
        size = total if total <= most and (total < 2 * least or rng.random() < 0.2) else 0
        size = size or int(rng.integers(least, min(most, total - least) + 1))
        sizes.append(size)
        total -= size
    return sizes


def _records(dataset: Dataset, plan: _Plan, order: NDArray[np.int64], seed: int) -> Iterator[Record]:
    facts = dataset.items[["name", "part", "width", "height", "mode"]].to_numpy()
    for position in order.tolist():
        item = plan.items[position]
        name, part, width, height, mode = facts[item.row]
        image = _image(dataset, item, np.random.default_rng([seed, 2, position]))
        if position >= len(dataset):
            name = f"added {position - len(dataset)}"
        yield Record(image, str(name), item.label, str(part), int(width), int(height), str(mode))


def _image(dataset: Dataset, item: _Item, rng: np.random.Generator) -> NDArray[np.uint8]:
    if item.change in ("foreign", "meme"):
        family = (FAMILIES if item.change == "foreign" else MEMES)[item.other]
        return family(np.random.default_rng(item.seed), dataset.size)
    image = np.array(dataset.images[item.row])
    if item.change == "blend":
        return blend(image, np.array(dataset.images[item.other]), rng)
    return SPOILERS[item.change](image, rng) if item.change else image


def _truth(plan: _Plan, order: NDArray[np.int64]) -> pd.DataFrame:
    place = np.argsort(order)
    truth = pd.DataFrame(plan.rows, columns=["index", "kind", "group", "true_label", "planted"])
    truth["index"] = place[truth["index"].to_numpy(np.int64)]
    truth = truth.astype({"index": "int64", "group": "int64", "true_label": "int16", "planted": bool})
    return truth.sort_values(["index", "kind"], ignore_index=True)
