"""The timeline: one strip for the loop, one lane a task, and who woke whom.

Read it from the top. The strip shows when the loop ran something; no two dark pieces of the whole
picture share an x, because one thread runs one thing at a time. Below, the hue is the task and the
depth is the state: dark and full height runs, hatched is ready (woken, not yet its turn), pale and
lower waits. A vertical stem has its dot at the task that wakes and a head at each task it wakes.

The picture is laid out first (`_Layout`, in points, no matplotlib) and then painted (`_Painter`).
matplotlib is imported when a picture is painted, never before, and its global style is left alone.
"""

import functools
import io
import math
import re
import statistics
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .film import ENDS, Event, Film, Wake
from .loops import current_loop
from .recorder import Recorder

LIGHT = ("#2b323c", "#0077bb", "#e0752d", "#a74753", "#684000", "#00429d", "#2b9fca")
DARK = ("#eef1f5", "#4fb0f0", "#f59a5c", "#ee3377", "#f0e442", "#009988", "#b8860b")
MOST_LANES = 40
SHADES = 5  # between two colours of a PNG: few make it small, and a notebook holds several
BLOCKS = 0.1  # seconds: what asyncio's debug mode calls a slow callback


@dataclass(frozen=True)
class Theme:
    """Colours: `hues` for the tasks (the first for main), and how deep the pale state is."""

    hues: tuple[str, ...]
    face: str
    ink: str
    muted: str
    faint: str
    idle: str
    pale: float
    edge: float


THEMES = {
    "light": Theme(LIGHT, "#ffffff", "#16191f", "#5b6472", "#e3e6ea", "#eef0f3", 0.16, 0.42),
    "dark": Theme(DARK, "#12161c", "#eef1f5", "#9aa4b2", "#2a313b", "#1e252e", 0.27, 0.55),
}

# Points (1/72 inch); a picture is 10.5 inches wide.
WIDTH = 756.0
RIGHT = 670.0
MARKS = 688.0  # the column of end marks
SHARES = 699.0  # the column of "12% ran"
LANE = 37.5
HALF = 11.6  # of a bar that runs
LOW = 0.62 * HALF  # of a bar that waits
THIN = 2.0  # the least width of a step
STEMS_APART = 6.3


def draw(
    *films: Film,
    title: str | None = None,
    note: str | None = None,
    titles: Sequence[str] = (),
    theme: str = "light",
    heartbeat: str | None = None,
    axis: str = "auto",
    blocks: float = BLOCKS,
    most_lanes: int = MOST_LANES,
) -> "Picture":
    """Return the timeline of one film, or of several, stacked on one time axis.

    title: the claim; note: the proof, under it; titles: one for each film; theme: "light" or
    "dark"; heartbeat: the name of a task whose steps are drawn as a pulse; axis: "time", or
    "steps", one unit for each step (the choice of "auto" where no time passes); blocks: seconds
    from which a step is marked with its length; most_lanes: fold tasks by name above this many.
    Raises TypeError or ValueError, in one sentence, for anything else.
    """
    for film in films:
        if not isinstance(film, Film):
            raise TypeError(f"draw() needs films, as record(main()) returns; got {film!r}")
    if not films:
        raise TypeError("draw() needs at least one film, as record(main()) returns")
    if theme not in THEMES:
        raise ValueError(f"theme must be light or dark; got {theme!r}")
    if axis not in ("auto", "time", "steps"):
        raise ValueError(f"axis must be auto, time or steps; got {axis!r}")
    if titles and len(titles) != len(films):
        raise ValueError(f"titles must be one for each film: {len(films)}; got {len(titles)}")
    look = _Look(title, note, tuple(titles), theme, heartbeat, axis, blocks, most_lanes)
    return Picture(films, look)


@dataclass(frozen=True)
class _Look:
    title: str | None
    note: str | None
    titles: tuple[str, ...]
    theme: str
    heartbeat: str | None
    axis: str
    blocks: float
    most_lanes: int


class Picture:
    """A drawn timeline: shows itself at the end of a cell; `save` writes it to a file."""

    def __init__(self, films: Sequence[Film], look: _Look) -> None:
        self.films, self._look = tuple(films), look
        for film in films:
            if look.heartbeat is not None:
                film.times_of(look.heartbeat)  # raises for a name no task has

    @functools.cached_property
    def _layout(self) -> "_Layout":
        return _Layout(self.films, self._look)

    def figure(self) -> Any:
        """Return a new matplotlib Figure; pyplot is not involved."""
        return _Painter(self._layout, THEMES[self._look.theme]).figure()

    def png(self, dpi: int = 120) -> bytes:
        """Return the bytes of a PNG, the same ones for the same film."""
        from PIL import Image

        palette = Image.new("P", (1, 1))
        palette.putpalette(_palette(THEMES[self._look.theme], self._layout.hues.values()))
        with _own_style(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a glyph the font has not is drawn as a box
            figure = self.figure()
            figure.set_dpi(dpi)
            figure.canvas.draw()
            pixels = Image.frombuffer(
                "RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba()
            )
            few = pixels.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
        file = io.BytesIO()
        few.save(file, format="PNG", optimize=True)
        return file.getvalue()

    def svg(self) -> str:
        """Return an SVG document, the same text for the same film."""
        file = io.StringIO()
        with _own_style(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.figure().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue()

    def save(self, path: Any) -> None:
        """Write a .png or an .svg file; raises ValueError for another ending."""
        name = str(path)
        if name.endswith(".png"):
            data = self.png()
        elif name.endswith(".svg"):
            data = self.svg().encode()
        else:
            raise ValueError(f"the file must end in .png or .svg; got {name!r}")
        with open(path, "wb") as file:
            file.write(data)

    def __str__(self) -> str:
        return "\n\n".join(
            _as_text(film, self._look, index) for index, film in enumerate(self.films)
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        import base64

        layout = self._layout
        size = {"width": round(WIDTH * 4 / 3), "height": round(layout.height * 4 / 3)}
        png = base64.b64encode(self.png()).decode()
        return {"image/png": png, "text/plain": str(self)}, {"image/png": size}


class timeline:  # noqa: N801 - reads as a word of the language: with timeline():
    """Film what runs inside a ``with`` block on the running loop, and show its timeline after it.

    title, note, theme and the other options are those of `draw`; details: those of `record`.
    Afterwards `film` is the film and `picture` the picture. Raises RuntimeError where no loop
    runs, or if the loop is being filmed already.
    """

    def __init__(
        self,
        title: str | None = None,
        *,
        note: str | None = None,
        details: bool = False,
        **look: Any,
    ) -> None:
        if isinstance(title, Film):
            raise TypeError("timeline() films a with block; to draw a film write draw(film)")
        draw(Film(), title=title, note=note, **{k: v for k, v in look.items() if k != "heartbeat"})
        self._look = {"title": title, "note": note, **look}
        self._details = details
        self.film: Film | None = None
        self.picture: Picture | None = None

    def __enter__(self) -> "timeline":
        import sys

        loop = current_loop()
        if loop is None:
            raise RuntimeError(
                "timeline() films the loop that runs, and none does here: use it inside a "
                "coroutine or in a notebook cell, or write record(main())"
            )
        code = sys._getframe(1).f_code
        self._recorder = Recorder(loop, details=self._details, scoped=True, code=code).start()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.film = self._recorder.stop(error)
        self.film.error = error
        self.picture = draw(self.film, **self._look)
        show(self.picture)


def show(picture: Picture) -> None:
    """Display a picture in a notebook; elsewhere do nothing."""
    import sys

    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import display

        display(picture)


def _own_style() -> Any:
    """Return a context in which nothing of the reader's matplotlib style is in force."""
    import matplotlib

    keep = ("backend", "interactive", "toolbar", "timezone", "savefig.directory")
    ours = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(keep)}
    ours |= {"svg.hashsalt": "timeline", "hatch.linewidth": 1.3, "path.simplify": False}
    return matplotlib.rc_context(ours)


# -- layout: what stands where, in points ---------------------------------------------------------


@dataclass
class _Piece:
    """A step: where the loop was busy with a lane."""

    lane: "_Lane | None"
    start: float
    end: float
    x0: float = 0.0
    x1: float = 0.0
    blocks: str = ""
    text: str = ""


@dataclass
class _Lane:
    name: str
    hue: int
    y: float = 0.0
    tasks: list[int] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)
    waits: list[tuple[float, float, str]] = field(default_factory=list)
    readies: list[tuple[float, float]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)  # x, "timer", "io", "thread"
    ends: Counter = field(default_factory=Counter)
    ran: float = 0.0


@dataclass
class _Stem:
    x: float
    waker: _Lane
    woken: list[_Lane]
    first: bool


@dataclass
class _Panel:
    """One film."""

    film: Film
    title: str | None
    top: float = 0.0
    grid: float = 0.0  # y where the grid begins, below all titles
    strip: float | None = None  # y of the loop's strip
    beat: float | None = None
    beats: list[float] = field(default_factory=list)  # x
    flats: list[tuple[float, float, str]] = field(default_factory=list)
    lanes: list[_Lane] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)
    stems: list[_Stem] = field(default_factory=list)
    busy: float = 0.0
    bottom: float = 0.0


class _Layout:
    """Where everything stands: panels, one below the other, on one scale."""

    def __init__(self, films: Sequence[Film], look: _Look) -> None:
        self.look = look
        steps = look.axis == "steps" or (look.axis == "auto" and not any(f.duration for f in films))
        self.unit = "steps" if steps else ""
        shown = [_in_steps(film) if steps else film for film in films]
        self.duration = max([film.duration for film in shown] + [1e-9])
        titles = look.titles or [film.title for film in films] if len(films) > 1 else [None]
        title, note = look.title, look.note
        if len(films) == 1:
            title, note = (
                title or films[0].title or (look.titles or [None])[0],
                note or films[0].note,
            )
        self.title, self.notes = title, _wrapped(note, 10.0, WIDTH - 22)
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

    def _panel(self, film: Film, title: str | None, hues: dict[str, int]) -> _Panel:
        panel = _Panel(film, title)
        heart = self.look.heartbeat
        hidden = {i for i, task in enumerate(film.tasks) if task.name == heart}
        panel.beats = film.times_of(heart) if heart else list(film.heartbeat or ())
        panel.lanes = _lanes(film, hidden, self.look.most_lanes)
        for lane in panel.lanes:
            first = film.loop and 0 in lane.tasks  # the program itself, whatever its name
            lane.hue = 0 if first else hues.setdefault(lane.name, len(hues) + 1)
        return panel

    def _place(self, panel: _Panel, y: float) -> float:
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

    def _place_pieces(self, panel: _Panel) -> None:
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
            piece = _Piece(lane, span.start, span.end, x0, x1, text=span.text)
            if length >= self.look.blocks and not self.unit and panel.film.loop:
                piece.blocks = _seconds(length)
            panel.pieces.append(piece)
            if lane is not None:
                lane.pieces.append(piece)
                lane.ran += length / total

    def _place_states(self, panel: _Panel) -> None:
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

    def _states(self, lane: _Lane, film: Film) -> Iterable[tuple[str, float, float, str]]:
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

    def _place_stems(self, panel: _Panel) -> None:
        wakes = {wake.order: wake for wake in panel.film.wakes()}
        walk = _Walk(panel.lanes)
        for order, event in enumerate(panel.film.events):
            if order in wakes:
                self._place_wake(panel, wakes[order], walk)
            walk.see(event)
        _spread(panel.stems, self.left - 2, RIGHT + 5)

    def _place_wake(self, panel: _Panel, wake: Wake, walk: "_Walk") -> None:
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
            stem = walk.stems[step] = _Stem(x, waker, [], wake.first)
            panel.stems.append(stem)
        if woken not in stem.woken:
            stem.woken.append(woken)

    def _mark_x(self, lane: _Lane, time: float) -> float:
        x = self.x(time)
        step = next((piece for piece in lane.pieces if piece.start >= time), None)
        return x if step is None or step.start > time else max(x, step.x0)

    def _place_beats(self, panel: _Panel) -> None:
        times = sorted(panel.beats)
        panel.beats = [self.x(time) for time in times]
        gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
        if len(gaps) < 2:
            return
        usual = statistics.median_low(gaps)
        for earlier, later in zip(times, times[1:], strict=False):
            if later - earlier > 1.8 * usual:
                panel.flats.append((self.x(earlier), self.x(later), _seconds(later - earlier)))

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

    def __init__(self, lanes: list[_Lane]) -> None:
        self.steps: Counter = Counter()
        self.stems: dict[tuple, _Stem] = {}
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


def _spread(stems: list[_Stem], left: float, right: float) -> None:
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


def _lanes(film: Film, hidden: set[int], most: int) -> list[_Lane]:
    """Return one lane a task; above `most`, one for all tasks whose names differ in a number."""
    tasks = [(index, task.name) for index, task in enumerate(film.tasks) if index not in hidden]
    if len(tasks) <= most:
        return [_Lane(name, 0, tasks=[index]) for index, name in tasks]
    groups: dict[str, list[int]] = {}
    for index, name in tasks:
        groups.setdefault(re.sub(r"[\s_#-]*\d+\s*$", "", name) or name, []).append(index)
    names = list(groups)
    for stem in names[most - 1 :] if len(names) > most else ():
        groups.setdefault("others", []).extend(groups.pop(stem))
    return [
        _Lane(
            f"{stem} ×{len(members)}" if len(members) > 1 else film.tasks[members[0]].name,
            0,
            tasks=members,
        )
        for stem, members in groups.items()
    ]


def _in_steps(film: Film) -> Film:
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


def _seconds(length: float) -> str:
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if length * scale >= 0.9995:
            return f"{length * scale:.3g} {unit}"
    return "0 ms"


def _share(part: float) -> str:
    if part <= 0:
        return "0%"
    return "<1%" if part < 0.01 else f"{part * 100:.0f}%"


# -- text -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, weight: str = "normal", family: str = "sans") -> float:
    """Return how wide a text is, in points."""
    from matplotlib import font_manager
    from matplotlib.textpath import TextToPath

    prop = font_manager.FontProperties(family=_FONTS[family], weight=weight, size=size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return TextToPath().get_text_width_height_descent(text, prop, ismath=False)[0]


_FONTS = {"sans": "DejaVu Sans", "mono": "DejaVu Sans Mono"}


def shortened(
    text: str, size: float, room: float, weight: str = "normal", family: str = "sans"
) -> str:
    """Return as much of a text as there is room for, with "…" where it is cut; "" for none."""
    if text_width(text, size, weight, family) <= room:
        return text
    for end in range(min(len(text) - 1, int(room / size * 2.5) + 1), 3, -1):
        cut = text[:end].rstrip() + "…"
        if text_width(cut, size, weight, family) <= room:
            return cut
    return ""


def _wrapped(text: str | None, size: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in (text or "").split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def legend_width(words: str) -> float:
    """Return the width of an entry of the legend, with its key and the space after it."""
    return 20 + text_width(words, 9.3) + 11


# -- paint ----------------------------------------------------------------------------------------


class _Painter:
    """Puts a layout on a matplotlib figure, one unit a point, y downwards."""

    def __init__(self, layout: _Layout, theme: Theme) -> None:
        self.layout, self.theme = layout, theme

    def figure(self) -> Any:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        layout, theme = self.layout, self.theme
        figure = Figure(figsize=(WIDTH / 72, layout.height / 72), facecolor=theme.face)
        FigureCanvasAgg(figure)
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, WIDTH)
        self.axes.set_ylim(layout.height, 0)
        self._head()
        self._grid()
        for panel in layout.panels:
            self._panel(panel)
        self._foot()
        return figure

    # -- what a drawing is made of --------------------------------------------------------------

    def _rects(
        self, rects: list[tuple[float, float, float, float]], order: float, **style: Any
    ) -> None:
        from matplotlib.collections import PolyCollection

        if rects:
            corners = [((a, c), (b, c), (b, d), (a, d)) for a, c, b, d in rects]
            self.axes.add_collection(
                PolyCollection(corners, zorder=order, snap=True, **{"linewidths": 0, **style}),
                autolim=False,
            )

    def _polygon(
        self, points: list[tuple[float, float]], order: float, face: str, edge: str, width: float
    ) -> None:
        from matplotlib.collections import PolyCollection

        style = {"facecolors": face, "edgecolors": edge, "linewidths": width, "joinstyle": "miter"}
        self.axes.add_collection(PolyCollection([points], zorder=order, **style), autolim=False)

    def _line(
        self, xs: tuple, ys: tuple, order: float, color: str, width: float, style: Any = "-"
    ) -> None:
        from matplotlib.lines import Line2D

        line = Line2D(xs, ys, color=color, linewidth=width, linestyle=style, zorder=order)
        line.set_solid_capstyle("butt")
        line.set_dash_capstyle("butt")
        self.axes.add_line(line)

    def _text(self, x: float, y: float, text: str, size: float, color: str, **style: Any) -> None:
        family = _FONTS[style.pop("family", "sans")]
        options = {"va": "center_baseline", "ha": "left", "zorder": 9, **style}
        self.axes.text(
            x, y, text, fontsize=size, color=color, family=family, parse_math=False, **options
        )

    def _hue(self, lane: _Lane) -> str:
        return _hue(self.theme, lane.hue)

    # -- parts ----------------------------------------------------------------------------------

    def _head(self) -> None:
        layout, theme = self.layout, self.theme
        y = 16.5
        if layout.title:
            title = shortened(layout.title, 14, WIDTH - 20, "bold")
            self._text(10.5, y, title, 14, theme.ink, weight="bold")
            y += 18.5
        for line in layout.notes:
            self._text(10.5, y, line, 10, theme.muted)
            y += 15

    def _grid(self) -> None:
        panels, theme = self.layout.panels, self.theme
        for x, text in self.layout.ticks():
            for panel in panels:
                self._line((x, x), (panel.grid, panel.bottom - 2), 0, theme.faint, 0.8)
            self._text(x, self.layout.axis_y, text, 9.6, theme.muted, ha="center")

    def _panel(self, panel: _Panel) -> None:
        theme = self.theme
        if panel.title:
            title = shortened(panel.title, 10.5, WIDTH - 20, "bold")
            self._text(10.5, panel.top + 4, title, 10.5, theme.ink, weight="bold")
        if panel.strip is not None:
            self._strip(panel)
        if panel.beat is not None:
            self._heartbeat(panel)
        if panel.lanes and panel.strip is not None:
            y = panel.lanes[0].y - LANE / 2 + 0.5
            self._line((0, WIDTH), (y, y), 0.5, theme.faint, 1.0)
        for lane in panel.lanes:
            self._lane(lane, panel)
        thin = len(panel.stems) > (RIGHT - self.layout.left) / 3
        for stem in panel.stems:
            self._stem(stem, thin)

    def _strip(self, panel: _Panel) -> None:
        theme, y, left = self.theme, panel.strip, self.layout.left
        self._text(left - 9, y, "event loop", 10.2, theme.ink, weight="bold", ha="right")
        end = self.layout.x(panel.film.duration)
        self._rects([(left, y - HALF, end, y + HALF)], 1, facecolors=theme.idle)
        last = -math.inf
        by_hue: dict[str, list] = defaultdict(list)
        for piece in panel.pieces:
            if piece.x1 - last < 0.25:
                continue
            hue = self._hue(piece.lane) if piece.lane else theme.muted
            by_hue[hue].append((max(piece.x0, last), y - HALF, piece.x1, y + HALF))
            last = piece.x1
            self._strip_label(piece, y)
        for hue, rects in by_hue.items():
            self._rects(
                [(a - 0.7, c, b + 0.7, d) for a, c, b, d in rects], 1.5, facecolors=theme.face
            )
            apart = [(a + 0.8 if b - a > 4 else a, c, b, d) for a, c, b, d in rects]
            self._rects(apart, 2, facecolors=hue)
        self._idle(panel, y)
        self._share(y, panel.busy, "busy")

    def _strip_label(self, piece: _Piece, y: float) -> None:
        name = piece.lane.name if piece.lane else piece.text.rsplit(".", 1)[-1]
        room = piece.x1 - piece.x0 - 4
        for text in (name, re.split(r"[\s_-]+", name)[-1] if piece.lane else ""):
            if text and text_width(text, 8.8, "bold") <= room:
                middle = (piece.x0 + piece.x1) / 2
                self._text(middle, y, text, 8.8, self.theme.face, weight="bold", ha="center")
                return

    def _idle(self, panel: _Panel, y: float) -> None:
        """Write "idle" into the first gap that has the room."""
        edge = self.layout.left
        end = self.layout.x(panel.film.duration)
        for x0, x1 in [(piece.x0, piece.x1) for piece in panel.pieces] + [(end, end)]:
            if x0 - edge > 40:
                middle = (edge + x0) / 2
                self._text(middle, y, "idle", 8.8, self.theme.muted, style="italic", ha="center")
                return
            edge = max(edge, x1)

    def _heartbeat(self, panel: _Panel) -> None:
        theme, y, left = self.theme, panel.beat, self.layout.left
        self._text(
            left - 9,
            y,
            self.layout.look.heartbeat or "heartbeat",
            10.2,
            theme.muted,
            weight="bold",
            ha="right",
        )
        xs, ys = [left], [y]
        shape = ((-2.2, 0), (-1.1, -7.5), (0.9, 5), (2.2, 0))
        for x in panel.beats:
            if x - xs[-1] > 2.5 or len(xs) == 1:
                xs += [x + dx for dx, _ in shape]
                ys += [y + dy for _, dy in shape]
        xs.append(max(self.layout.x(panel.film.duration), xs[-1]))
        ys.append(y)
        self._line(tuple(xs), tuple(ys), 3, theme.ink, 1.1)
        for x0, x1, text in panel.flats:
            words = f"flat for {text}"
            if text_width(words, 8.2) <= x1 - x0 - 6:
                self._text(
                    (x0 + x1) / 2, y - 6.5, words, 8.2, theme.ink, ha="center", style="italic"
                )
        self._text(SHARES, y, f"{len(panel.beats)} beats", 9, theme.muted)

    def _lane(self, lane: _Lane, panel: _Panel) -> None:
        theme, hue, y, left = self.theme, self._hue(lane), lane.y, self.layout.left
        name = shortened(lane.name, 10.2, left - 16, "bold")
        self._text(left - 9, y, name, 10.2, hue, weight="bold", ha="right")
        pale, edge = _mix(hue, theme.face, theme.pale), _mix(hue, theme.face, theme.edge)
        waits = [(a, y - LOW, b, y + LOW) for a, b, _ in _joined(lane.waits)]
        self._rects(waits, 2, facecolors=pale, edgecolors=edge, linewidths=0.6)
        readies = [(a, y - HALF, b, y + HALF) for a, b in lane.readies]
        self._rects(
            readies, 2.5, facecolors=theme.face, edgecolors=hue, linewidths=0.9, hatch="////"
        )
        self._rects(_dark(lane.pieces, y), 3, facecolors=hue)
        obstacles = [s.x for s in panel.stems if _crosses(s, y)]
        for x0, x1, text in lane.waits:
            self._wait_label(x0, x1, y, text, obstacles)
        self._marks(lane, y)
        self._blocks(lane, y)
        self._ends(lane, y)
        self._share(y, lane.ran, "ran")

    def _share(self, y: float, part: float, word: str) -> None:
        text = f"{_share(part)} {word}"
        if self.layout.unit:
            steps = round(part * self.layout.duration)
            text = f"{steps} step{'s' * (steps != 1)}"
        self._text(SHARES, y, text, 9, self.theme.muted)

    def _wait_label(
        self, x0: float, x1: float, y: float, text: str, obstacles: list[float]
    ) -> None:
        """Write what is waited for: where no stem crosses it if there is such a place."""
        size = 8.2
        if not text or x1 - x0 < 20:
            return
        if text_width(text, size, family="mono") > x1 - x0 - 8:
            text = re.sub(r"^async (with|for) ", "", text)
        width = text_width(text, size, family="mono")
        cuts = [x0 + 3, *sorted(x for x in obstacles if x0 < x < x1), x1 - 1]
        for begin, end in zip(cuts, cuts[1:], strict=False):
            if end - begin - 8 >= width:
                self._text(begin + 4, y, text, size, self.theme.ink, family="mono")
                return
        text = shortened(text, size, x1 - x0 - 8, family="mono")
        if text:
            self._text(x0 + 6, y, text, size, self.theme.ink, family="mono")

    def _marks(self, lane: _Lane, y: float) -> None:
        last = -math.inf
        for x, kind in lane.marks:
            if x - last > 1.5:
                self._mark(kind, x, y - HALF - 1.5)
                last = x

    def _mark(self, kind: str, x: float, y: float) -> None:
        shapes = {
            "timer": [(-2.7, -2.6), (2.7, -2.6), (0, 2.2)],
            "io": [(0, -3), (2.8, -0.2), (0, 2.6), (-2.8, -0.2)],
            "thread": [(-2.3, -2.6), (2.3, -2.6), (2.3, 2), (-2.3, 2)],
        }
        points = [(x + dx, y + dy) for dx, dy in shapes[kind]]
        self._polygon(points, 6, self.theme.face, self.theme.muted, 0.9)

    def _blocks(self, lane: _Lane, y: float) -> None:
        theme = self.theme
        for piece in lane.pieces:
            words = f"blocks {piece.blocks}"
            if not piece.blocks:
                continue
            if text_width(words, 8, "bold") <= piece.x1 - piece.x0 - 6:
                middle = (piece.x0 + piece.x1) / 2
                self._text(middle, y, words, 8, theme.face, weight="bold", ha="center")
            else:
                at_end = piece.x0 > RIGHT - 70
                x = piece.x1 - 4.5 if at_end else piece.x0 + 4.5
                side = "right" if at_end else "left"
                self._text(x, y - HALF - 3.6, words, 7.4, theme.ink, ha=side)

    def _ends(self, lane: _Lane, y: float) -> None:
        kinds = [kind for kind in (*ENDS, "open") if lane.ends[kind]]
        for place, kind in enumerate(kinds[:1] if len(lane.tasks) == 1 else kinds[:2]):
            self._end(kind, MARKS, y + (place - (len(kinds[:2]) - 1) / 2) * 9)

    def _end(self, kind: str, x: float, y: float) -> None:
        """A tick, a cross, an exclamation mark, three dots: shapes, which need no colour."""
        ink = self.theme.ink
        if kind == "done":
            self._line((x - 3.6, x - 1.2, x + 3.8), (y + 0.4, y + 3.4, y - 4), 7, ink, 1.6)
        elif kind == "cancelled":
            self._line((x - 3, x + 3), (y - 3, y + 3), 7, ink, 1.6)
            self._line((x - 3, x + 3), (y + 3, y - 3), 7, ink, 1.6)
        elif kind == "failed":
            self._line((x, x), (y - 5, y + 1.6), 7, ink, 2.1)
            self._line((x, x), (y + 3.2, y + 5.2), 7, ink, 2.1)
        else:
            for dx in (-3.4, 0, 3.4):
                self._line((x + dx - 0.9, x + dx + 0.9), (y, y), 7, ink, 1.8)

    def _stem(self, stem: _Stem, thin: bool) -> None:
        theme, x, y = self.theme, stem.x, stem.waker.y
        tips = [lane.y - HALF if lane.y > y else lane.y + HALF for lane in stem.woken]
        ends = [tip + (-4.5 if tip > y else 4.5) for tip in tips]
        low, high = min([y, *ends]), max([y, *ends])
        dashes = (0, (2.2, 1.6)) if stem.first else "-"
        if not thin:
            self._line((x, x), (low, high), 4, theme.face, 2.9)
        self._line((x, x), (low, high), 4.5, theme.ink, 0.6 if thin else 1.3, dashes)
        for tip in tips:
            back = -5.2 if tip > y else 5.2
            head = [(x, tip), (x - 2.8, tip + back), (x + 2.8, tip + back)]
            self._polygon(head, 5, theme.ink, theme.face, 0.6)
        self._dot(x, y)

    def _dot(self, x: float, y: float) -> None:
        around = [
            (x + 2.9 * math.cos(a / 12 * math.pi), y + 2.9 * math.sin(a / 12 * math.pi))
            for a in range(24)
        ]
        self._polygon(around, 5.5, self.theme.ink, self.theme.face, 0.9)

    # -- the legend -----------------------------------------------------------------------------

    def _foot(self) -> None:
        y = self.layout.axis_y + 22
        for row in self.layout.legend:
            x = 12.0
            for key, words in row:
                self._key(key, x, y)
                self._text(x + 20, y, words, 9.3, self.theme.muted)
                x += legend_width(words)
            y += 16

    def _key(self, key: str, x: float, y: float) -> None:
        theme = self.theme
        hue = theme.hues[1]
        box = [(x, y - 4, x + 14.5, y + 4)]
        if key == "running":
            self._rects(box, 2, facecolors=hue)
        elif key == "ready":
            self._rects(
                box, 2, facecolors=theme.face, edgecolors=hue, linewidths=0.9, hatch="//////"
            )
        elif key == "waiting":
            pale, edge = _mix(hue, theme.face, theme.pale), _mix(hue, theme.face, theme.edge)
            self._rects(box, 2, facecolors=pale, edgecolors=edge, linewidths=0.6)
        elif key == "callback":
            self._rects(box, 2, facecolors=theme.muted)
        elif key == "wakes":
            self._line((x, x + 11), (y, y), 4, theme.ink, 1.3)
            self._polygon(
                [(x + 15, y), (x + 8.5, y - 3.2), (x + 8.5, y + 3.2)], 5, theme.ink, theme.face, 0.4
            )
        elif key == "starts":
            self._line((x, x + 14), (y, y), 4, theme.ink, 1.3, (0, (2.2, 1.6)))
        elif key in ("timer", "io", "thread"):
            self._mark(key, x + 9, y)
        else:
            self._end(key, x + 10, y)


def _joined(waits: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Join waits that touch: a folded lane has many, and edges between them would be noise."""
    joined: list[tuple[float, float, str]] = []
    for x0, x1, text in sorted(waits):
        if joined and x0 < joined[-1][1] - 0.01:
            joined[-1] = (joined[-1][0], max(x1, joined[-1][1]), text)
        else:
            joined.append((x0, x1, text))
    return joined


def _dark(pieces: list[_Piece], y: float) -> list[tuple[float, float, float, float]]:
    """Return the rectangles of the steps, leaving out what is hidden behind the one before."""
    rects, last = [], -math.inf
    for piece in pieces:
        if piece.x1 - last >= 0.25:
            rects.append((piece.x0, y - HALF, piece.x1, y + HALF))
            last = piece.x1
    return rects


def _crosses(stem: _Stem, y: float) -> bool:
    ys = [stem.waker.y, *(lane.y for lane in stem.woken)]
    return min(ys) <= y <= max(ys)


def _hue(theme: Theme, number: int) -> str:
    """Return the colour of the lane with this number; after the last one they come again."""
    hues = theme.hues
    return hues[number if number < len(hues) else 1 + (number - 1) % (len(hues) - 1)]


def _palette(theme: Theme, numbers: Iterable[int]) -> list[int]:
    """Return every colour of a picture as red, green, blue: the hues, and shades at their edges."""
    hues = dict.fromkeys(_hue(theme, number) for number in (0, 1, *numbers))
    colors = [theme.face, theme.idle, theme.faint]
    for color in (theme.ink, theme.muted, *hues):
        shades = 2 * SHADES if color == theme.ink else SHADES
        colors += [_mix(color, theme.face, step / shades) for step in range(1, shades + 1)]
    for hue in hues:
        pale = _mix(hue, theme.face, theme.pale)
        colors += [pale, _mix(hue, theme.face, theme.edge)]
        colors += [_mix(theme.ink, pale, step / SHADES) for step in range(1, SHADES)]
    return [int(color[i : i + 2], 16) for color in dict.fromkeys(colors) for i in (1, 3, 5)]


def _mix(color: str, face: str, share: float) -> str:
    """Return `share` of a colour on a ground."""
    pairs = [(int(color[i : i + 2], 16), int(face[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


# -- as text --------------------------------------------------------------------------------------

COLUMNS = 60
MOST_TEXT_LANES = 12
STEPS = "steps"  # the loop's name in a film whose clock counts steps
GLYPHS = {"running": "█", "ready": "▒", "waiting": "─"}


def _as_text(film: Film, look: _Look, index: int) -> str:
    """Return the timeline in characters; of real time only what does not differ from run to run."""
    titles = look.titles or ([film.title] if film.title else [])
    heading = (titles[index] if index < len(titles) else None) or (
        look.title if not index else None
    )
    lines = [heading or film.title or "timeline"]
    if look.title and heading != look.title and not index:
        lines.insert(0, look.title)
    shown = [i for i, task in enumerate(film.tasks) if task.name != look.heartbeat]
    if not (film.virtual or not film.loop):
        lanes = _lanes(film, set(range(len(film.tasks))) - set(shown), MOST_TEXT_LANES)
        names = ", ".join(dict.fromkeys(lane.name for lane in lanes))
        return "\n".join([*lines, f"on {film.loop}, in real time: {names or 'nothing ran'}"])
    film_drawn = film if film.duration and look.axis != "steps" else _in_steps(film)
    width = max([len("event loop"), *(len(film.tasks[i].name) for i in shown[:MOST_TEXT_LANES])])
    width = min(width, 24)
    rows = _text_rows(film_drawn)
    ends = film.ends()
    marks = {"done": "✓", "cancelled": "✕", "failed": "!", None: "…"}
    if film.loop:
        lines.append(f"{'event loop':<{width}}  {''.join(rows[None])}")
    beats = film.times_of(look.heartbeat) if look.heartbeat else film.heartbeat
    if beats and film_drawn is film:
        lines.append(f"{'heartbeat':<{width}}  {_beats(film, beats)}")
    for i in shown[:MOST_TEXT_LANES]:
        lines.append(
            f"{film.tasks[i].name[:width]:<{width}}  {''.join(rows[i])} {marks[ends.get(i)]}"
        )
    if len(shown) > MOST_TEXT_LANES:
        lines.append(f"... and {len(shown) - MOST_TEXT_LANES} more")
    end = _seconds(film.duration) if film_drawn is film else f"{film_drawn.duration:.0f} steps"
    lines.append(f"{'':<{width}}  0{end:>{_columns(film_drawn) - 1}}")
    lines.append(
        f"{'':<{width}}  █ runs  ▒ ready  ─ waits  ✓ done  ✕ cancelled  ! failed  … not finished"
    )
    return "\n".join(line.rstrip() for line in lines)


def _beats(film: Film, beats: Iterable[float]) -> str:
    places = {min(int(beat * COLUMNS / film.duration + 1e-9), COLUMNS - 1) for beat in beats}
    return "".join("^" if column in places else "_" for column in range(COLUMNS))


def _columns(film: Film) -> int:
    """Return how many characters wide a film is: where steps are counted, a whole number a step."""
    steps = film.duration
    counted = film.loop == STEPS and steps
    return int(COLUMNS // steps * steps) if counted and steps <= COLUMNS else COLUMNS


def _text_rows(film: Film) -> dict[int | None, list[str]]:
    """Return a row of characters for each task, and for None the loop's."""
    columns = _columns(film)
    rows: dict[int | None, list[str]] = defaultdict(lambda: [" "] * columns)
    rows[None] = ["·"] * columns
    scale = columns / (film.duration or 1.0)
    depth = {" ": 0, "─": 1, "▒": 2, "█": 3}
    for span in film.spans():
        first = min(int(span.start * scale + 1e-9), columns - 1)
        last = max(first + 1, min(math.ceil(span.end * scale - 1e-9), columns))
        glyph = GLYPHS[span.state]
        for column in range(first, last):
            if depth[glyph] > depth[rows[span.task][column]]:
                rows[span.task][column] = glyph
            if span.state == "running":
                rows[None][column] = "█"
    return rows
