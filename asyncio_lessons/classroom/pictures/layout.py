"""Where everything in a timeline stands, in points. Nothing is painted here.

The loop's steps have their places first, on the `scale`, so that no two dark pieces share an x;
lanes, bars, stems and marks follow the steps.
"""

import itertools
import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..filming.film import ENDS, Film, Span, Wake
from .canvas import WIDTH
from .scale import THIN, WIDE, Scale
from .words import text_width, wrapped

MOST_LANES = 40
BLOCKS = 0.1  # seconds: what asyncio's debug mode calls a slow callback
STEPS = "steps"  # the loop's name in a film whose clock counts steps

RIGHT = 670.0
MARKS = 688.0  # the column of end marks
SHARES = 699.0  # the column of "12% ran"
LANE = 37.5
HALF = 11.6  # of a bar that runs
LOW = 0.62 * HALF  # of a bar that waits
DATA = 34.0  # the height of a lane of values
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
    data: tuple[Mapping[str, Sequence[tuple]], ...] = ()  # for each film


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
    order: int = 0


@dataclass
class Lane:
    name: str
    hue: int
    y: float = 0.0
    tasks: list[int] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    waits: list[tuple[float, float, str]] = field(default_factory=list)
    readies: list[tuple[float, float]] = field(default_factory=list)
    lates: list[tuple[float, float, str]] = field(default_factory=list)  # x0, x1, how late
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
class Values:
    """A lane of values: each (x, value) holds until the next; `least` and `most` of all films."""

    name: str
    points: list[tuple[float, float]]
    least: float = 0.0
    most: float = 0.0
    y: float = 0.0  # its base line
    end: float = 0.0  # x


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
    values: list[Values] = field(default_factory=list)
    places: list[float] = field(default_factory=list)  # x of each event
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
        for panel, film, values in zip(
            self.panels, films, look.data or [{}] * len(films), strict=True
        ):
            data = {**film.data, **values}
            panel.values = [Values(name, list(points)) for name, points in data.items() if points]
        names = [lane.name for panel in self.panels for lane in (*panel.lanes, *panel.values)]
        widest = max(text_width(name, 10.2, "bold") for name in [*names, "event loop"])
        self.left = min(max(widest + 20, 78), 168)
        self._steps = [_steps(film, (RIGHT - self.left) / self.duration) for film in shown]
        times = [
            [(span.start, span.end) for span in steps if film.loop]
            for film, steps in zip(shown, self._steps, strict=True)
        ]
        self.scale = Scale(times, self.duration, self.left, RIGHT)
        self.x = self.scale.x
        self.moments = [(x0, x1) for x0, x1 in self.scale.moments if x1 - x0 >= WIDE]
        y = 16.5 + (18 if self.title else 0) + 15 * len(self.notes) + (6 if self.notes else 0)
        for panel in self.panels:
            y = self._place(panel, y)
        self.axis_y = y + 4
        self.legend = self._legend()
        self.height = math.ceil((self.axis_y + 26 + 16 * len(self.legend)) / 3) * 3  # whole pixels

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
        for values in panel.values:
            values.y = y + DATA - 6
            y += DATA
        self._place_pieces(panel)
        self._place_events(panel)
        self._place_states(panel)
        self._place_stems(panel)
        self._place_beats(panel)
        self._place_values(panel)
        panel.bottom = y
        return y + (14 if len(self.panels) > 1 else 4)

    def _place_pieces(self, panel: Panel) -> None:
        """Give each step its place and its width: none beside another."""
        number = self.panels.index(panel)
        lane_of = {task: lane for lane in panel.lanes for task in lane.tasks}
        total, on_loop = panel.film.duration or 1.0, bool(panel.film.loop)
        steps = self._steps[number]
        widths = self.scale.widths[number] if on_loop else [THIN] * len(steps)
        edge = -math.inf
        for span, width in zip(steps, widths, strict=True):
            lane, length = lane_of.get(span.task), span.end - span.start
            panel.busy += length / total
            short = length * self.scale.each < width
            x0 = max(self.x(span.start), edge) if on_loop else self.x(span.start)
            x1 = x0 + width if short and on_loop else max(self.x(span.end), x0 + THIN)
            edge = x1
            piece = Piece(lane, span.start, span.end, x0, x1, text=span.text, order=span.order)
            if length >= self.look.blocks and not self.unit and on_loop:
                piece.blocks = seconds(length)
            panel.pieces.append(piece)
            if lane is not None:
                lane.pieces.append(piece)
                lane.ran += length / total

    def _place_events(self, panel: Panel) -> None:
        """Find the place of each event: within the step in which it happens, or after the last."""
        pieces = {piece.order: piece for piece in panel.pieces}
        inside: list[Piece | None] = []
        edge = -math.inf
        for order, event in enumerate(panel.film.events):
            if not panel.film.loop:
                panel.places.append(self.x(event.time))
                continue
            if order in pieces and event.kind not in ("run", "call"):  # the outer step continues
                x, edge = edge, pieces[order].x1
                inside[-2:] = [pieces[order]]
            elif event.kind in ("run", "call"):
                piece = pieces.get(order)
                inside.append(piece)
                x, edge = (piece.x0, piece.x1) if piece else (self._x(event.time, edge),) * 2
            elif event.kind in ("wait", "return", *ENDS) and inside:
                piece = inside.pop()
                x = piece.x1 if piece else self._x(event.time, edge)
            elif inside and inside[-1] is not None:
                x = self._within(inside[-1], event.time)
            else:
                x = self._x(event.time, edge)
            panel.places.append(x)

    def _x(self, time: float, edge: float) -> float:
        return max(self.x(time), edge)

    def _within(self, piece: Piece, time: float) -> float:
        """Return where in a step a time stands: not on its very edge."""
        margin = min((piece.x1 - piece.x0) / 2, STEMS_APART / 2)
        x = piece.x0 + self.x(time) - self.x(piece.start)
        return min(max(x, piece.x0 + margin), piece.x1 - margin)

    def _place_states(self, panel: Panel) -> None:
        """Fill what is between the steps of a lane: it waits, it is late, it is ready."""
        film = panel.film
        spans, late = film.spans(brief=True), _late(film)
        for lane in panel.lanes:
            mine = sorted((s for s in spans if s.task in lane.tasks), key=lambda s: s.order)
            placed = (
                self._side_by_side(mine) if len(lane.tasks) > 1 else self._in_a_row(mine, panel)
            )
            for span, x0, x1, woken_by in placed:
                if span.state == "ready" and x1 - x0 >= 1:
                    lane.readies.append((x0, x1))
                if span.state == "waiting" and woken_by in late:
                    due = max(x0, self.x(late[woken_by]))
                    lane.lates.append((due, x1, seconds(span.end - late[woken_by])))
                    x1 = due
                if span.state == "waiting" and x1 > x0:
                    lane.waits.append((x0, x1, span.text))
        ends = film.ends()
        for lane in panel.lanes:
            lane.ends = Counter(ends.get(task, "open") for task in lane.tasks)

    def _in_a_row(self, spans: list[Span], panel: Panel) -> Iterable[tuple]:
        """Yield (span, x0, x1, index of the event that ends it), each up to the next."""
        pieces = {piece.order: piece for piece in panel.pieces}
        edge = -math.inf
        for span, after in itertools.zip_longest(spans, spans[1:]):
            if span.state == "running":
                edge = pieces[span.order].x1
                continue
            x0 = max(panel.places[span.order], edge)
            if after is None:
                edge = self.scale.after(span.end)
            else:
                begins = pieces.get(after.order)
                edge = begins.x0 if begins else panel.places[after.order]
            edge = max(edge, x0)
            yield span, x0, edge, after and after.order

    def _side_by_side(self, spans: list[Span]) -> Iterable[tuple]:
        """Yield the same for a lane of many tasks, without the words."""
        for span in spans:
            if span.state != "running" and span.end > span.start:
                x0, x1 = self.x(span.start), self.x(span.end)
                yield span._replace(text=""), x0, x1, None

    # -- stems ----------------------------------------------------------------------------------

    def _place_stems(self, panel: Panel) -> None:
        lane_of = {task: lane for lane in panel.lanes for task in lane.tasks}
        late, stems = _late(panel.film), {}
        for wake in panel.film.wakes():
            woken, waker = lane_of.get(wake.task), lane_of.get(wake.cause.task)
            if woken is None:
                continue
            if wake.cause.kind in ("timer", "io", "thread"):
                if len(woken.tasks) == 1:
                    due = late.get(wake.order)
                    x = panel.places[wake.order] if due is None else self.x(due)
                    woken.marks.append((x, wake.cause.kind))
            elif wake.cause.kind == "task" and waker is not None and waker is not woken:
                self._place_stem(panel, wake, waker, woken, stems)
        _spread(panel.stems, self.left - 2, RIGHT + 5)

    def _place_stem(
        self, panel: Panel, wake: Wake, waker: Lane, woken: Lane, stems: dict[tuple, Stem]
    ) -> None:
        """Let one stem serve all whom a step wakes at one place."""
        x = panel.places[wake.order]
        step = next((p for p in reversed(waker.pieces) if p.order <= wake.order), None)
        if step is not None:
            x = min(max(x, step.x0), step.x1)
        key = (id(waker), step and step.order, wake.first)
        stem = stems.get(key)
        if stem is None or abs(stem.x - x) >= 1:
            stem = stems[key] = Stem(x, waker, [], wake.first)
            panel.stems.append(stem)
        if woken not in stem.woken:
            stem.woken.append(woken)

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

    def _place_values(self, panel: Panel) -> None:
        for values in panel.values:
            placed = []
            for time, value, *order in values.points:
                known = order and order[0] is not None and order[0] < len(panel.places)
                x = max(panel.places[order[0]], self.x(time)) if known else self.x(time)
                placed.append((x, value))
            values.points = placed
            values.end = max(self.scale.after(panel.film.duration), placed[-1][0])
            same = [v for p in self.panels for v in p.values if v.name == values.name]
            numbers = [point[1] for values in same for point in values.points]
            values.least, values.most = min(0.0, *numbers), max(0.0, *numbers)

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
            ("late", "late: due while another ran", any(lane.lates for lane in lanes)),
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
            ("moment", "one moment, drawn wide", bool(self.moments)),
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


def _steps(film: Film, even: float) -> list[Span]:
    """Return the steps of a film, without callbacks of no length to see."""
    steps = [span for span in film.spans() if span.state == "running"]
    steps = [s for s in steps if s.task >= 0 or (s.end - s.start) * even >= THIN]
    return sorted(steps, key=lambda span: span.order)


def _late(film: Film) -> dict[int, float]:
    """Return when the timer was due, for each task that it woke too late to overlook."""
    late = {}
    for order, event in enumerate(film.events):
        due = event.due
        if event.kind == "ready" and due is not None and event.time - due > film.duration / 200:
            late[order] = due
    return late


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
