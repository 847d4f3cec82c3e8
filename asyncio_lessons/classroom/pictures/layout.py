"""Where everything in a timeline stands, in points. Nothing is painted here.

A step is at least two points wide and pushed aside by the one before, so that no two dark pieces
share an x; lanes, bars, stems and marks follow the steps.
"""

import math
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..filming.film import ENDS, Event, Film, Wake
from .canvas import WIDTH, text_width, wrapped

MOST_LANES = 40
BLOCKS = 0.1  # seconds: what asyncio's debug mode calls a slow callback
STEPS = "steps"  # the loop's name in a film whose clock counts steps

RIGHT = 670.0
MARKS = 688.0  # the column of end marks
SHARES = 699.0  # the column of "12% ran"
LANE = 37.5
HALF = 11.6  # of a bar that runs
LOW = 0.62 * HALF  # of a bar that waits
THIN = 2.0  # the least width of a step
STEMS_APART = 6.3


@dataclass(frozen=True)
class Look:
    """How the reader wants it: the options of `draw`."""

    title: str | None
    note: str | None
    titles: tuple[str, ...]
    theme: str
    heartbeat: str | None
    axis: str
    blocks: float
    most_lanes: int


@dataclass
class Piece:
    """A step: where the loop was busy with a lane."""

    lane: "Lane | None"
    start: float
    end: float
    x0: float = 0.0
    x1: float = 0.0
    blocks: str = ""
    text: str = ""


@dataclass
class Lane:
    name: str
    hue: int
    y: float = 0.0
    tasks: list[int] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    waits: list[tuple[float, float, str]] = field(default_factory=list)
    readies: list[tuple[float, float]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)  # x, "timer", "io", "thread"
    ends: Counter = field(default_factory=Counter)
    ran: float = 0.0


@dataclass
class Stem:
    x: float
    waker: Lane
    woken: list[Lane]
    first: bool


@dataclass
class Panel:
    """One film."""

    film: Film
    title: str | None
    top: float = 0.0
    grid: float = 0.0  # y where the grid begins, below all titles
    strip: float | None = None  # y of the loop's strip
    beat: float | None = None
    beats: list[float] = field(default_factory=list)  # x
    flats: list[tuple[float, float, str]] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    stems: list[Stem] = field(default_factory=list)
    busy: float = 0.0
    bottom: float = 0.0


class Layout:
    """Where everything stands: panels, one below the other, on one scale."""

    def __init__(self, films: Sequence[Film], look: Look) -> None:
        self.look = look
        steps = look.axis == "steps" or (look.axis == "auto" and not any(f.duration for f in films))
        self.unit = "steps" if steps else ""
        shown = [in_steps(film) if steps else film for film in films]
        self.duration = max([film.duration for film in shown] + [1e-9])
        titles = look.titles or [film.title for film in films] if len(films) > 1 else [None]
        title, note = look.title, look.note
        if len(films) == 1:
            title, note = (
                title or films[0].title or (look.titles or [None])[0],
                note or films[0].note,
            )
        self.title, self.notes = title, wrapped(note, 10.0, WIDTH - 22)
        cut = next((film for film in films if film.truncated), None)
        if cut is not None:
            self.notes.append(
                f"The recording stopped after {len(cut.events):,} events; later ones are missing."
            )
        self.hues = hues = {}  # name of a lane: its number in the palette
        self.panels = [
            self._panel(film, title, hues) for film, title in zip(shown, titles, strict=True)
        ]
        names = [lane.name for panel in self.panels for lane in panel.lanes] + ["event loop"]
        widest = max(text_width(name, 10.2, "bold") for name in names)
        self.left = min(max(widest + 20, 78), 168)
        y = 16.5 + (18 if self.title else 0) + 15 * len(self.notes) + (6 if self.notes else 0)
        for panel in self.panels:
            y = self._place(panel, y)
        self.axis_y = y + 4
        self.legend = self._legend()
        self.height = math.ceil((self.axis_y + 26 + 16 * len(self.legend)) / 3) * 3  # whole pixels

    def x(self, time: float) -> float:
        """Return where a time stands."""
        return self.left + (RIGHT - self.left) * time / self.duration

    def ticks(self) -> list[tuple[float, str]]:
        """Return (x, text) of the numbers on the axis, the unit on the first one."""
        scale, unit = 1.0, "steps"
        if not self.unit:
            scale, unit = next(
                (s, u)
                for s, u, least in ((1, "s", 1), (1e3, "ms", 2e-3), (1e6, "µs", 0))
                if self.duration >= least
            )
        step = _nice(self.duration * scale / 6)
        if self.unit:
            step = max(1, step)
        count = int(self.duration * scale / step * (1 + 1e-9))
        texts = [f"{index * step:.6g}" for index in range(count + 1)]
        return [
            (self.x(index * step / scale), f"{text} {unit}" if not index else text)
            for index, text in enumerate(texts)
        ]

    # -- lanes ----------------------------------------------------------------------------------

    def _panel(self, film: Film, title: str | None, hues: dict[str, int]) -> Panel:
        panel = Panel(film, title)
        heart = self.look.heartbeat
        hidden = {i for i, task in enumerate(film.tasks) if task.name == heart}
        panel.beats = film.times_of(heart) if heart else list(film.heartbeat or ())
        panel.lanes = lanes_of(film, hidden, self.look.most_lanes)
        for lane in panel.lanes:
            first = film.loop and 0 in lane.tasks  # the program itself, whatever its name
            lane.hue = 0 if first else hues.setdefault(lane.name, len(hues) + 1)
        return panel

    def _place(self, panel: Panel, y: float) -> float:
        """Give a panel its place from `y` down; return where the next one begins."""
        panel.top = y
        y += 16 if panel.title else 0
        panel.grid = y + 2
        if panel.film.loop or not panel.film.tasks:
            panel.strip = y + 22
            y += 42
        if panel.beats:
            panel.beat = y + 17
            y += 32
        for lane in panel.lanes:
            lane.y = y + LANE / 2 - 1
            y += LANE
        self._place_pieces(panel)
        self._place_states(panel)
        self._place_stems(panel)
        self._place_beats(panel)
        panel.bottom = y
        return y + (14 if len(self.panels) > 1 else 4)

    def _place_pieces(self, panel: Panel) -> None:
        """Give each step its width: two points at least, and none beside another."""
        lane_of = {task: lane for lane in panel.lanes for task in lane.tasks}
        total = panel.film.duration or 1.0
        edge = -math.inf
        spans = sorted(
            (s for s in panel.film.spans() if s.state == "running"), key=lambda s: s.order
        )
        for span in spans:
            lane = lane_of.get(span.task)
            length = span.end - span.start
            panel.busy += length / total
            x0, x1 = self.x(span.start), self.x(span.end)
            if span.task < 0 and x1 - x0 < THIN:
                continue  # a callback of no length to see
            if panel.film.loop:
                x0 = min(max(x0, edge), x0 + 4 * THIN)  # pushed aside, but never far
            x1 = max(x1, x0 + THIN)
            edge = x1
            piece = Piece(lane, span.start, span.end, x0, x1, text=span.text)
            if length >= self.look.blocks and not self.unit and panel.film.loop:
                piece.blocks = seconds(length)
            panel.pieces.append(piece)
            if lane is not None:
                lane.pieces.append(piece)
                lane.ran += length / total

    def _place_states(self, panel: Panel) -> None:
        film = panel.film
        for lane in panel.lanes:
            for state, x0, x1, text in self._states(lane, film):
                if state == "waiting":
                    lane.waits.append((x0, x1, text))
                elif x1 - x0 >= 1:
                    lane.readies.append((x0, x1))
        ends = film.ends()
        for lane in panel.lanes:
            lane.ends = Counter(ends.get(task, "open") for task in lane.tasks)

    def _states(self, lane: Lane, film: Film) -> Iterable[tuple[str, float, float, str]]:
        """Yield (state, x0, x1, text) between the steps of a lane, where they were drawn."""
        if len(lane.tasks) > 1:
            for span in film.spans():
                if span.task in lane.tasks and span.state != "running":
                    yield span.state, self.x(span.start), self.x(span.end), ""
            return
        pieces = iter(lane.pieces)
        edge = after = None
        spans = [span for span in film.spans() if span.task in lane.tasks]
        coming = list(lane.pieces)
        for span in sorted(spans, key=lambda s: s.order):
            if span.state == "running":
                piece = next(pieces, None)
                if piece is not None:
                    edge = piece.x1
                    coming.pop(0)
                continue
            x0, x1 = self.x(span.start), self.x(span.end)
            x0 = max(x0, edge or x0)
            if coming and span.end >= coming[0].start:
                x1 = max(x1, coming[0].x0)  # up to the step that follows, where it is drawn
            after = max(x0, min(x1, RIGHT + 4))
            if after > x0:
                yield span.state, x0, after, span.text
            edge = after

    # -- stems ----------------------------------------------------------------------------------

    def _place_stems(self, panel: Panel) -> None:
        wakes = {wake.order: wake for wake in panel.film.wakes()}
        walk = _Walk(panel.lanes)
        for order, event in enumerate(panel.film.events):
            if order in wakes:
                self._place_wake(panel, wakes[order], walk)
            walk.see(event)
        _spread(panel.stems, self.left - 2, RIGHT + 5)

    def _place_wake(self, panel: Panel, wake: Wake, walk: "_Walk") -> None:
        """Draw a mark for what comes from outside; else a stem, one for a waker and instant."""
        woken, waker = walk.lane_of.get(wake.task), walk.lane_of.get(wake.cause.task)
        if woken is None:
            return
        if wake.cause.kind in ("timer", "io", "thread"):
            if len(woken.tasks) == 1:
                woken.marks.append((self._mark_x(woken, wake.time), wake.cause.kind))
            return
        if wake.cause.kind != "task" or waker is None or waker is woken:
            return
        x = walk.x_of(wake.cause.task, wake.time, self.x)
        step = (wake.cause.task, walk.steps[wake.cause.task], wake.first)
        stem = walk.stems.get(step)
        if stem is None or abs(stem.x - x) >= 1:
            stem = walk.stems[step] = Stem(x, waker, [], wake.first)
            panel.stems.append(stem)
        if woken not in stem.woken:
            stem.woken.append(woken)

    def _mark_x(self, lane: Lane, time: float) -> float:
        x = self.x(time)
        step = next((piece for piece in lane.pieces if piece.start >= time), None)
        return x if step is None or step.start > time else max(x, step.x0)

    def _place_beats(self, panel: Panel) -> None:
        times = sorted(panel.beats)
        panel.beats = [self.x(time) for time in times]
        gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
        if len(gaps) < 2:
            return
        usual = statistics.median_low(gaps)
        for earlier, later in zip(times, times[1:], strict=False):
            if later - earlier > 1.8 * usual:
                panel.flats.append((self.x(earlier), self.x(later), seconds(later - earlier)))

    def _legend(self) -> list[list[tuple[str, str]]]:
        """Return rows of (key, words): only what occurs in the picture."""
        lanes = [lane for panel in self.panels for lane in panel.lanes]
        stems = [stem for panel in self.panels for stem in panel.stems]
        marks = {kind for lane in lanes for _, kind in lane.marks}
        ends = {kind for lane in lanes for kind in lane.ends}
        callbacks = any(
            piece.lane is None and piece.text for p in self.panels for piece in p.pieces
        )
        occurs = [
            ("running", "running", any(lane.pieces for lane in lanes)),
            ("ready", "ready: could run, not its turn", any(lane.readies for lane in lanes)),
            ("waiting", "waiting for …", any(lane.waits for lane in lanes)),
            ("callback", "a plain callback", callbacks),
            ("wakes", "wakes", any(not stem.first for stem in stems)),
            ("starts", "starts", any(stem.first for stem in stems)),
            ("timer", "woken by a timer", "timer" in marks),
            ("io", "woken by I/O", "io" in marks),
            ("thread", "woken by a thread", "thread" in marks),
            ("done", "done", "done" in ends),
            ("cancelled", "cancelled", "cancelled" in ends),
            ("failed", "failed", "failed" in ends),
            ("open", "not finished", "open" in ends),
        ]
        rows: list[list[tuple[str, str]]] = [[]]
        room = WIDTH - 24
        for key, words, there in occurs:
            width = legend_width(words)
            if there and width > room and rows[-1]:
                rows.append([])
                room = WIDTH - 24
            if there:
                rows[-1].append((key, words))
                room -= width
        return rows if rows[0] else []


class _Walk:
    """Follows the events, to know which drawn step of a task we are in."""

    def __init__(self, lanes: list[Lane]) -> None:
        self.steps: Counter = Counter()
        self.stems: dict[tuple, Stem] = {}
        self.lane_of = {task: lane for lane in lanes for task in lane.tasks}
        self._taken: dict[int, int] = defaultdict(lambda: -1)
        self._stack: list[int] = []

    def see(self, event: Event) -> None:
        if event.kind == "run":
            self._next(event.task)
            self._stack.append(event.task)
        elif event.kind in ("wait", *ENDS) and self._stack and self._stack[-1] == event.task:
            self._stack.pop()
            if self._stack:
                self._next(self._stack[-1])  # the outer step goes on

    def _next(self, task: int) -> None:
        self.steps[task] += 1
        lane = self.lane_of.get(task)
        if lane is not None:
            self._taken[id(lane)] += 1

    def x_of(self, task: int, time: float, scale: Any) -> float:
        """Return where in the present step of `task` a time stands."""
        lane = self.lane_of[task]
        number = self._taken[id(lane)]
        if not 0 <= number < len(lane.pieces):
            return scale(time)
        piece = lane.pieces[number]
        x = piece.x0 + scale(time) - scale(piece.start)
        return min(max(x, piece.x0 + THIN / 2), piece.x1)


def _spread(stems: list[Stem], left: float, right: float) -> None:
    """Move stems apart, in causal order, as little as possible."""
    if not stems:
        return
    apart = min(STEMS_APART, (right - left) / len(stems))
    groups: list[list[float]] = []  # [sum of wished places of a group's first stem, count]
    for stem in stems:
        groups.append([stem.x, 1])
        while len(groups) > 1:
            (sum_a, count_a), (sum_b, count_b) = groups[-2:]
            if sum_a / count_a + count_a * apart <= sum_b / count_b:
                break
            groups[-2:] = [[sum_a + sum_b - count_b * count_a * apart, count_a + count_b]]
    places = []
    for total, count in groups:
        begin = min(total / count, right - (count - 1) * apart)
        places += [max(left, begin) + index * apart for index in range(int(count))]
    for stem, place in zip(stems, places, strict=True):
        stem.x = place


def lanes_of(film: Film, hidden: set[int], most: int) -> list[Lane]:
    """Return one lane a task; above `most`, one for all tasks whose names differ in a number."""
    tasks = [(index, task.name) for index, task in enumerate(film.tasks) if index not in hidden]
    if len(tasks) <= most:
        return [Lane(name, 0, tasks=[index]) for index, name in tasks]
    groups: dict[str, list[int]] = {}
    for index, name in tasks:
        groups.setdefault(re.sub(r"[\s_#-]*\d+\s*$", "", name) or name, []).append(index)
    names = list(groups)
    for stem in names[most - 1 :] if len(names) > most else ():
        groups.setdefault("others", []).extend(groups.pop(stem))
    return [
        Lane(
            f"{stem} ×{len(members)}" if len(members) > 1 else film.tasks[members[0]].name,
            0,
            tasks=members,
        )
        for stem, members in groups.items()
    ]


def in_steps(film: Film) -> Film:
    """Return the film on a clock that counts steps: for programs in which no time passes."""
    steps, inside, events = 0.0, 0, []
    for event in film.events:
        if event.kind in ("wait", *ENDS) and inside:
            inside -= 1
            steps += 1
        between = 0.5 if inside and event.kind in ("ready", "create") else 0.0
        events.append(event._replace(time=steps + between))
        inside += event.kind == "run"
    events = [event for event in events if event.kind not in ("call", "return")]
    duration = max((event.time for event in events), default=0.0)
    return Film(
        film.tasks, events, duration, STEPS, film.virtual, film.truncated, film.title, film.note
    )


def _nice(step: float) -> float:
    power = 10 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.8)


def seconds(length: float) -> str:
    """Return a length of time with its unit, as short as it can be told: "120 ms"."""
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if length * scale >= 0.9995:
            return f"{length * scale:.3g} {unit}"
    return "0 ms"


def legend_width(words: str) -> float:
    """Return the width of an entry of the legend, with its key and the space after it."""
    return 20 + text_width(words, 9.3) + 11
