"""The queue: what one click can decide is one card, in a steady order."""

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.decisions import Judged
from bloodapp.review.findings import combined, finding_table
from bloodapp.review.queue import Card, cards, kept_by, matching, offers, sheets


def judged(count: int = 20, labels: list[int] | None = None, **changed: list[int]) -> Judged:
    """Nothing decided about `count` images, labelled as `labels`, then 0, but for the listed indices of each array."""
    arrays = {
        "included": np.ones(count, bool),
        "decided": np.zeros(count, bool),
        "flagged": np.zeros(count, bool),
    }
    for name, indices in changed.items():
        arrays[name][indices] = ~arrays[name][indices]
    now = np.zeros(count, np.int16)
    now[: len(labels or [])] = labels or []
    return Judged(labels=now, seq=0, **arrays)


@pytest.fixture
def findings() -> pd.DataFrame:
    """Three copies in conflict, near copies that hold an exact pair, one soft image, one dark and soft."""
    return combined(
        [
            finding_table("exact_duplicate", [0, 1, 2], 0.67, "same", group=0),
            finding_table("label_conflict", [0, 1, 2], 0.8, "conflict", group=0, suggested=[-1, -1, 3]),
            finding_table("exact_duplicate", [5, 7], 0.5, "same", group=5),
            finding_table("near_duplicate", [4, 5, 7], 0.7, "near", group=4),
            finding_table("blurred", [9], 0.6, "soft"),
            finding_table("dark", [11], 0.9, "dim"),
            finding_table("blurred", [11], 0.55, "soft"),
            finding_table("blurred", [1], 0.55, "soft"),
        ]
    )


def by_key(findings: pd.DataFrame, now: Judged) -> dict[str, Card]:
    """The cards by key."""
    return {card.key: card for card in cards(findings, now)}


def test_findings_that_share_images_are_one_card(findings: pd.DataFrame) -> None:
    """Groups merge with what is found about their images; findings about one image merge too."""
    found = by_key(findings, judged())
    assert list(found) == ["group-0", "group-4", "image-11", "image-9"]
    assert found["group-0"].indices.tolist() == [0, 1, 2]
    assert set(found["group-0"].kinds) == {"exact_duplicate", "label_conflict", "blurred"}
    assert found["group-4"].indices.tolist() == [4, 5, 7]
    assert found["image-11"].kinds == ("dark", "blurred")


def test_the_reason_says_the_most_telling_thing_first(findings: pd.DataFrame) -> None:
    """A conflict says more than a copy; what is found beside it follows, and about how many of them."""
    found = by_key(findings, judged())
    assert found["group-0"].reason == "conflict. One of them: soft"
    assert found["group-4"].reason == "near"
    assert found["image-11"].reason == "dim. soft"


def test_the_card_that_settles_most_faults_comes_first(findings: pd.DataFrame) -> None:
    """Worth is the number of faults to expect, each image as surely as its surest finding; it falls along the queue."""
    queue = cards(findings, judged())
    worths = [card.worth for card in queue]
    assert worths == sorted(worths, reverse=True)
    assert by_key(findings, judged())["image-11"].worth == pytest.approx(0.9)
    copies = cards(finding_table("exact_duplicate", [5, 7], [0.02, 0.98], "same", group=5), judged())
    assert copies[0].worth == pytest.approx(1.0)


def test_what_else_is_wrong_is_known_of_each_image(findings: pd.DataFrame) -> None:
    """Faults of an image's own and doubtful labels are told from being a copy."""
    more = combined([findings, finding_table("mislabelled", [5], 0.6, "like class 2", suggested=2)])
    found = by_key(more, judged())
    assert found["group-0"].faulty.tolist() == [1] and not len(found["group-0"].doubtful)
    assert found["group-4"].doubtful.tolist() == [5] and found["group-4"].suggested == 2
    assert found["image-11"].faulty.tolist() == [11]
    assert found["group-4"].reason == "near. One of them: like class 2"


def test_a_single_suggestion_is_passed_on(findings: pd.DataFrame) -> None:
    """The one label that is suggested for a group is the card's; without one it is -1."""
    found = by_key(findings, judged())
    assert found["group-0"].suggested == 3
    assert found["image-9"].suggested == -1


def test_deciding_changes_states_and_never_the_order(findings: pd.DataFrame) -> None:
    """A card is decided when all its images are, flagged when they are put aside, open otherwise."""
    before = [card.key for card in cards(findings, judged())]
    now = judged(decided=[0, 1, 2, 9], included=[0, 1, 2], flagged=[11])
    states = {card.key: card.state for card in cards(findings, now)}
    assert states == {"group-0": "decided", "group-4": "open", "image-11": "flagged", "image-9": "decided"}
    assert [card.key for card in cards(findings, now)] == before


def test_the_last_of_its_copies_is_no_copy_any_more(findings: pd.DataFrame) -> None:
    """Excluding all but the first settles a group, unless something else is found about that first."""
    rest = judged(decided=[5, 7], included=[5, 7])
    assert by_key(findings, rest)["group-4"].state == "decided"
    kept = judged(decided=[5, 7])
    assert by_key(findings, kept)["group-4"].state == "open"
    blurred_left = judged(decided=[0, 2], included=[0, 2])
    assert by_key(findings, blurred_left)["group-0"].state == "open"


TITLES = [f"Class {label}" for label in range(8)]


def said(card: Card, now: Judged, **how: object) -> list[str]:
    """The titles of what is offered about a card."""
    return [offer.title for offer in offers(card, now, TITLES, **how)]


def test_copies_offer_to_keep_the_first(findings: pd.DataFrame) -> None:
    """Of mere copies the first is worth keeping; of one image there is only to exclude or keep."""
    found = by_key(findings, judged())
    first, exclude, keep = offers(found["group-4"], judged(), TITLES)
    assert (first.title, first.action, first.indices.tolist()) == (
        "Keep the first, exclude 2",
        "exclude",
        [5, 7],
    )
    assert (exclude.title, exclude.indices.tolist()) == ("Exclude all 3", [4, 5, 7])
    assert (keep.title, keep.action) == ("Keep all 3", "keep")
    assert said(found["image-9"], judged()) == ["Exclude", "Keep"]


def test_the_keeper_rule_of_the_page_is_the_first_offer(findings: pd.DataFrame) -> None:
    """Another rule keeps another image; `none` excludes them all and is not offered twice."""
    group, now = by_key(findings, judged())["group-4"], judged()
    sharp = offers(group, now, TITLES, "sharpest", np.array([0.1, 0.9, 0.9]))[0]
    assert (sharp.key, sharp.title, sharp.indices.tolist()) == (
        "sharpest",
        "Keep the sharpest, exclude 2",
        [4, 7],
    )
    assert said(group, now, rule="none") == ["Exclude all 3", "Keep all 3"]
    conflict = by_key(findings, judged())["group-0"]
    kept = kept_by(conflict, judged(labels=[5, 3, 3]), "majority")
    assert kept is not None and kept.indices.tolist() == [0, 2]
    torn = kept_by(conflict, judged(labels=[5, 3, 4]), "majority")
    assert torn is not None and torn.indices.tolist() == [0, 1, 2]
    assert kept_by(conflict, judged(included=[0, 1, 2]), "first") is None


def test_copies_with_a_fault_of_their_own_are_not_worth_keeping() -> None:
    """The advice keeps a copy without another fault, and none if each has one."""
    twins = finding_table("near_duplicate", [3, 6], [0.1, 0.9], "near", group=3)
    soft = cards(combined([twins, finding_table("blurred", [3], 0.8, "soft")]), judged())[0]
    first = offers(soft, judged(), TITLES)[0]
    assert (first.title, first.indices.tolist()) == ("Keep image 6, exclude 1", [3])
    both = cards(combined([twins, finding_table("dark", [3, 6], 0.8, "dim")]), judged())[0]
    assert said(both, judged())[0] == "Exclude both"


def test_what_was_excluded_already_is_not_what_is_kept(findings: pd.DataFrame) -> None:
    """Keeping the first of what is left never leaves a group with nothing."""
    group = by_key(findings, judged())["group-4"]
    first = offers(group, judged(included=[4], decided=[4]), TITLES)[0]
    assert first.title == "Keep image 5, exclude 2" and 5 not in first.indices


def test_a_doubtful_label_is_changed_to_the_suggested_one() -> None:
    """Relabelling comes first, unless a worse fault stands beside it; without a suggestion it is not offered."""
    doubt = finding_table("mislabelled", [8], 0.7, "like class 5", suggested=5)
    alone = offers(cards(doubt, judged())[0], judged(), TITLES)
    assert [offer.title for offer in alone] == ["Relabel as Class 5", "Exclude", "Keep"]
    assert (alone[0].action, alone[0].label, alone[0].indices.tolist()) == ("relabel", 5, [8])
    worse = combined([doubt, finding_table("blend", [8], 0.9, "two cells")])
    assert said(cards(worse, judged())[0], judged()) == ["Exclude", "Relabel as Class 5", "Keep"]
    unknown = finding_table("mislabelled", [8], 0.7, "like no other")
    assert said(cards(unknown, judged())[0], judged()) == ["Exclude", "Keep"]


def test_the_copy_that_stays_is_relabelled_next() -> None:
    """A group whose copies are gone is about the one that is left, and so are its offers."""
    table = combined(
        [
            finding_table("exact_duplicate", [2, 7], [0.0, 0.9], "same", group=2),
            finding_table("mislabelled", [2, 7], 0.8, "like class 4", suggested=4),
        ]
    )
    now = judged()
    assert said(cards(table, now)[0], now) == [
        "Keep the first, exclude 1",
        "Exclude both",
        "Relabel as Class 4",
        "Keep both",
    ]
    later = judged(included=[7], decided=[7])
    card = cards(table, later)[0]
    first = offers(card, later, TITLES)[0]
    assert card.open and (first.title, first.indices.tolist()) == ("Relabel as Class 4", [2])


def test_a_conflict_of_few_labels_offers_to_keep_one_of_each(findings: pd.DataFrame) -> None:
    """The label that most carry is the advice; without one it is to exclude them all."""
    group, now = by_key(findings, judged())["group-0"], judged(labels=[3, 5, 3])
    assert said(group, now) == ["Keep Class 3", "Keep Class 5", "Exclude all 3", "Keep all 3"]
    assert offers(group, now, TITLES)[1].indices.tolist() == [0, 2]
    unclear = cards(finding_table("label_conflict", [0, 1], 0.75, "conflict", group=0), judged())[0]
    assert said(unclear, now) == ["Exclude both", "Keep Class 3", "Keep Class 5", "Keep both"]


def test_a_conflict_of_many_labels_offers_to_exclude_them_all() -> None:
    """A picture under eight labels is nobody's cell."""
    table = finding_table("label_conflict", range(8), 0.9, "conflict", group=0)
    many = offers(cards(table, judged())[0], judged(labels=list(range(8))), TITLES)
    assert [offer.key for offer in many] == ["exclude", "first", "keep"]
    agreed = judged(labels=[2, 2, 2, 2, 2, 0, 1, 3])
    assert said(cards(table, judged())[0], agreed)[:2] == ["Keep Class 2", "Exclude all 8"]


def test_filters_choose_cards(findings: pd.DataFrame) -> None:
    """By kind, by state and by an image's label as it is now."""
    now = judged(decided=[9])
    now.labels[7] = 5
    queue = cards(findings, now)
    assert [card.key for card in matching(queue, now, kind="blurred")] == ["group-0", "image-11", "image-9"]
    assert [card.key for card in matching(queue, now, state="decided")] == ["image-9"]
    assert [card.key for card in matching(queue, now, label=5)] == ["group-4"]
    assert len(matching(queue, now)) == 4


def test_pages_hold_so_many_cards_and_pictures() -> None:
    """No page has more cards or pictures than allowed, none is empty, nothing is lost or moved."""
    groups = [
        finding_table("exact_duplicate", range(i * 20, i * 20 + 20), 0.5, "", group=i * 20) for i in range(25)
    ]
    alone = finding_table("dark", range(500, 600), 0.9, "")
    queue = cards(combined([*groups, alone]), judged(600))
    pages = sheets(queue)
    assert [card for page in pages for card in page] == queue
    assert max(len(page) for page in pages) <= 24
    assert max(sum(min(len(card.indices), 12) for card in page) for page in pages) <= 120
    assert all(pages) and sheets([]) == [[]]


def test_no_findings_no_cards() -> None:
    """A clean dataset has an empty queue."""
    assert cards(combined([]), judged()) == []


def test_a_long_queue_is_made_in_full() -> None:
    """As many findings as images make as many cards."""
    table = finding_table("blurred", range(13_000), 0.6, "soft")
    assert len(cards(table, judged(13_000))) == 13_000
