"""The timeline: one strip for the loop, one lane a task, and who woke whom.

Read it from the top. The strip shows when the loop ran something; no two solid pieces of the whole
picture share an x, because one thread runs one thing at a time. Below, the hue is the task and the
depth is the state: solid and full height runs, hatched is ready (woken, not yet its turn), faint
and lower waits. A vertical stem has its dot at the task that wakes, and a head at each it wakes.

The picture is laid out first (`layout`) and then painted (`paint`, on a `canvas`), or told in
characters, for where there are no pictures.
"""

import functools
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..filming.film import Film
from ..filming.loops import current_loop
from ..filming.recorder import Recorder
from .canvas import Theme
from .drawing import CHOICES, Drawing
from .layout import BLOCKS, MOST_LANES, STEPS, Layout, Look, in_steps, lanes_of, seconds
from .paint import Painter
from .say import described


def draw(
    *films: Film,
    title: str | None = None,
    note: str | None = None,
    titles: Sequence[str] = (),
    theme: str = "auto",
    heartbeat: str | None = None,
    data: Any = None,
    axis: str = "auto",
    blocks: float = BLOCKS,
    most_lanes: int = MOST_LANES,
) -> "Picture":
    """Return the timeline of one film, or of several, stacked on one time axis.

    title: the claim; note: the proof, under it; titles: one for each film; theme: "light", "dark",
    or "auto", that of the page; heartbeat: the name of a task whose steps are drawn as a pulse;
    data: numbers of the program beside those that `measure` noted, as a dictionary
    {"shelf": [(seconds, length), ...]}, or a list of one for each film; axis: "time", or "steps",
    one unit for each step (the choice of "auto" where no time passes); blocks: seconds from which a
    step is marked with its length; most_lanes: fold tasks by name above this many.
    Raises TypeError or ValueError, in one sentence, for anything else.
    """
    for film in films:
        if not isinstance(film, Film):
            raise TypeError(f"draw() needs films, as record(main()) returns; got {film!r}")
    if not films:
        raise TypeError("draw() needs at least one film, as record(main()) returns")
    if theme not in CHOICES:
        raise ValueError(f"theme must be auto, light or dark; got {theme!r}")
    if axis not in ("auto", "time", "steps"):
        raise ValueError(f"axis must be auto, time or steps; got {axis!r}")
    if titles and len(titles) != len(films):
        raise ValueError(f"titles must be one for each film: {len(films)}; got {len(titles)}")
    lanes = _checked(data, len(films))
    look = Look(title, note, tuple(titles), theme, heartbeat, axis, blocks, most_lanes, lanes)
    return Picture(films, look)


def _checked(data: Any, films: int) -> tuple[Mapping[str, Sequence[tuple]], ...]:
    """Return the values for each film; raise in one sentence if they are no values."""
    if data is None:
        return ()
    each = (data,) if isinstance(data, Mapping) else tuple(data)
    if len(each) != films:
        raise ValueError(f"data must be one dictionary for each film: {films}; got {len(each)}")
    for values in each:
        for name, points in values.items():
            for point in points:
                if not (isinstance(point, Sequence) and len(point) >= 2):
                    raise TypeError(
                        f"data[{name!r}] needs pairs (seconds, value), such as (0.5, 3); "
                        f"got {point!r}"
                    )
    return each


class Picture(Drawing):
    """A drawn timeline: shows itself at the end of a cell; `save` writes it to a file."""

    def __init__(self, films: Sequence[Film], look: Look) -> None:
        self.films, self.look, self.theme = tuple(films), look, look.theme
        for film in films:
            if look.heartbeat is not None:
                film.times_of(look.heartbeat)  # raises for a name no task has

    @functools.cached_property
    def layout(self) -> Layout:
        """Where everything stands, in points."""
        return Layout(self.films, self.look)

    def canvas(self, theme: Theme) -> Painter:
        """Return a canvas for a theme."""
        return Painter(self.layout, theme)

    def describe(self) -> str:
        """Return what the picture shows, for those who do not see it."""
        return described(self.layout)

    def __str__(self) -> str:
        return "\n\n".join(
            _as_text(film, self.look, index) for index, film in enumerate(self.films)
        )


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
        if not any(event.kind == "wait" for event in self.film.events):
            self.film.note = (
                "Nothing was awaited inside the block. A program that runs a loop of its own is "
                "filmed by %%timeline, or by record(main())."
            )
        self.picture = draw(self.film, **self._look)
        show(self.picture)


def show(picture: Picture) -> None:
    """Display a picture in a notebook; elsewhere do nothing."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.display import display

        display(picture)


# -- as text --------------------------------------------------------------------------------------

COLUMNS = 60
MOST_TEXT_LANES = 12
GLYPHS = {"running": "█", "ready": "▒", "waiting": "─"}


def _as_text(film: Film, look: Look, index: int) -> str:
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
        lanes = lanes_of(film, set(range(len(film.tasks))) - set(shown), MOST_TEXT_LANES)
        names = ", ".join(dict.fromkeys(lane.name for lane in lanes))
        return "\n".join([*lines, f"on {film.loop}, in real time: {names or 'nothing ran'}"])
    film_drawn = film if film.duration and look.axis != "steps" else in_steps(film)
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
    end = seconds(film.duration) if film_drawn is film else f"{film_drawn.duration:.0f} steps"
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
