"""One line a figure: what was measured, ours, the peer's, the ratio of the two, and over how many images.

`BLOODAPP_BENCH_OUT` names a file to which every figure is appended as a JSON line.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median


def row(
    what: str,
    ours: Sequence[float],
    peer: Sequence[float],
    *,
    unit: str,
    than: str,
    images: int | None = None,
) -> None:
    """Print one figure and keep it.

    `ours` and `peer` are the measurements of the same turns, in `unit`; `than` names the peer. The line shows
    both medians and the ratio ours/peer: the median of the turns' ratios and, between brackets, their range.
    """
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    print(
        f"\n{what}: ours {_number(median(ours))} {unit}, {than} {_number(median(peer))} {unit}, "
        f"ratio {_number(median(ratios))}"
        + (f" ({_number(ratios[0])} to {_number(ratios[-1])})" if len(ratios) > 1 else "")
        + (f", {images:,} images" if images else ""),
        flush=True,
    )
    if out := os.environ.get("BLOODAPP_BENCH_OUT"):
        figure = {
            "what": what,
            "unit": unit,
            "ours": list(ours),
            "peer": list(peer),
            "peer_name": than,
            "ratio": median(ratios),
            "images": images,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        }
        with Path(out).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(figure) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
