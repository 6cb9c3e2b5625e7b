"""Where a training computes; several devices at once are tried in `tests/full`."""

import pytest

from bloodapp.errors import InvalidValue


def test_which_gpus_a_recipe_means() -> None:
    """One by its number, all, the first, or none; one that is not there is refused with those that are."""
    from bloodapp.train.devices import check_shared, chosen

    two = ["first", "second"]
    assert chosen("auto", two) == ["first"] and chosen("auto", []) == []
    assert chosen("cpu", two) == []
    assert chosen("gpu:1", two) == ["second"] and chosen("all", two) == two
    with pytest.raises(
        InvalidValue, match="no gpu:2 on this computer: set device to auto, cpu or gpu:0, gpu:1"
    ):
        chosen("gpu:2", two)
    for device in ("gpu:0", "all"):
        with pytest.raises(InvalidValue, match="finds no GPU on this computer"):
            chosen(device, [])
    check_shared(64, 4)
    check_shared(7, 1)
    with pytest.raises(InvalidValue, match="cannot be: set batch to 60"):
        check_shared(62, 4)
