"""What a timeline shows, in words: the alternative text of its picture."""

from typing import Any

from .layout import Lane, Layout, Panel, seconds

MOST_LANES = 8  # told one by one
MOST_WAITS = 3


def described(layout: Layout) -> str:
    """Return what a layout shows: the claim, the proof, and lane by lane who ran and waited."""
    head = [layout.title or "", *layout.notes]
    panels = [_panel(layout, panel) for panel in layout.panels]
    return " ".join(filter(None, [*map(_ended, head), *panels]))


def _panel(layout: Layout, panel: Panel) -> str:
    lanes = [_lane(lane) for lane in panel.lanes[:MOST_LANES]]
    more = len(panel.lanes) - MOST_LANES
    lanes += [f"and {more} more lanes"] if more > 0 else []
    lanes += [_values(values) for values in panel.values]
    length = f"{panel.film.duration:.0f} steps" if layout.unit else seconds(panel.film.duration)
    busy = (
        f", the loop is busy {panel.busy:.0%} of the time" if panel.busy and panel.film.loop else ""
    )
    count = f"{len(panel.lanes)} lane{'s' * (len(panel.lanes) != 1)}"
    title = f"{panel.title}: t" if panel.title else "T"
    return f"{title}imeline of {count}, {length}{busy}. {'; '.join(lanes)}."


def _lane(lane: Lane) -> str:
    waits = list(dict.fromkeys(text for _, _, text in lane.waits if text))
    words = [f"{len(lane.pieces)} step{'s' * (len(lane.pieces) != 1)}"]
    words += [f"blocks {piece.blocks}" for piece in lane.pieces if piece.blocks][:1]
    if waits:
        more = ", …" if len(waits) > MOST_WAITS else ""
        words.append(f"waits in {', '.join(waits[:MOST_WAITS])}{more}")
    words += [f"{late} late" for _, _, late in lane.lates][:1]
    ends = {"open": "not finished"}
    words += [ends.get(kind, kind) for kind in lane.ends]
    return f"{lane.name}: {', '.join(words)}"


def _values(values: Any) -> str:
    numbers = [f"{value:g}" for _, value in values.points]
    most = max(value for _, value in values.points)
    return f"{values.name}: {', '.join(numbers[:12])}, at most {most:g}"


def _ended(text: str) -> str:
    return text if not text or text[-1] in ".!?" else f"{text}."
