"""The heat map of the corruption suite: what stands in its cells, and what a click on one tells."""

import numpy as np

from bloodapp.charts.robustness import robustness_chart

TABLE = np.array([[0.01, 0.05, 0.2, 0.6, 0.999], [0.0, np.nan, 0.0, 0.0, 0.0]])


def test_every_cell_says_its_number_and_what_it_is() -> None:
    """Percent in each cell and of each row's mean, a dash where it is not known; name and severity for a click."""
    figure = robustness_chart(TABLE, ["noise", "zoom"], ["Noise", "Zoom"], clean=0.01, what="Monocyte")
    said = [note.text for note in figure.layout.annotations]
    assert said == ["1.0", "5.0", "20", "60", "100", "37", "0.0", "–", "0.0", "0.0", "0.0", "–"]
    (bars,) = figure.data
    assert [tuple(one) for one in bars.customdata[:6]] == [
        *(("noise", place) for place in range(1, 6)),
        ("noise", 0),
    ]
    assert "Monocyte: 20.0 % wrong; 1.0 % as they are" in bars.hovertext[2]


def test_the_shade_only_grows() -> None:
    """One hue that gets stronger with the error, never so strong that the text of the page is lost on it."""
    shares = np.linspace(0, 1, 21)[None]
    (bars,) = robustness_chart(shares, ["noise"], ["Noise"], clean=0).data
    hues = {colour.rpartition(",")[0] for colour in bars.marker.color}
    strengths = [float(colour.rpartition(",")[2].strip(" )")) for colour in bars.marker.color[:21]]
    assert len(hues) == 1 and strengths == sorted(strengths) and len(set(strengths)) == 21
    assert max(strengths) < 0.75


def test_the_chosen_cell_is_outlined() -> None:
    """A frame around it; none for a corruption that is not there."""
    chosen = robustness_chart(TABLE, ["noise", "zoom"], ["Noise", "Zoom"], clean=0, chosen=("zoom", 4))
    (frame,) = chosen.layout.shapes
    assert (frame.x0 + frame.x1) / 2 == 4 and (frame.y0 + frame.y1) / 2 == 1
    assert not robustness_chart(TABLE, ["noise", "zoom"], ["", ""], clean=0, chosen=("fog", 4)).layout.shapes
