"""What looks at the staircase: the film of a program, its pictures, and the exercises.

The rooms: `filming` records, `pictures` draws, `player` steps through what was recorded,
`predictions` holds the questions, `exercises` what the reader solves, `checking` runs and judges
it, `workshop` is the reader's own package, `notebook` holds the commands.

In a notebook, after ``%load_ext asyncio_lessons.classroom``::

    %%timeline --virtual --title "Two sleepers, one thread" --note "They wait together."
    await gather(sleeper(1), sleeper(2))      # the cell runs on the course's loop

``%%timeline`` takes ``--loop lessons|asyncio|uvloop`` (default: lessons), ``--virtual`` (time jumps
to the next timer: the same picture on every machine), ``--title``, ``--note``, ``--theme dark`` and
``--save NAME`` (keeps the film under that name). Names stay in the notebook.

``%%film`` takes ``--loop``, ``--virtual``, ``--title``, ``--note`` and ``--save``, too, and shows
the player, which steps through the run, forwards and backwards. ``--predict`` asks which task runs
next; ``--at STEP`` opens it at that step.

Around an ordinary top-level ``await``, on the loop that runs already::

    with timeline("My claim", note="The proof."):
        await main()

In plain Python, and to draw several films on one time axis::

    from asyncio_lessons.classroom import draw, record, work, xray

    film = record(main(), loop="lessons", virtual=True)      # or "asyncio", "uvloop"
    film.result                                              # what main() returned
    draw(film, title="The claim", note="The proof")          # shown at the end of a cell
    draw(film).save("film.png")                              # or .svg; theme="dark" for dark
    draw(one, two, titles=["one by one", "together"])        # stacked, aligned
    draw(film, heartbeat="heart")                            # this task's steps as a pulse
    measure("shelf", len(shelf))                             # in the program: a lane of values
    record(main(), check=False).error                        # a failing program: no raise
    film(main(), virtual=True, title="The claim")            # the player
    film(record(main(), details=True)).save("film.html")     # a page of its own
    numbers = film_generator(count(3))                       # use it as you would use count(3)
    film(numbers)                                            # the player of what was done with it

``work(seconds)`` is CPU work of that length: it blocks the loop, on the real clock and on the
virtual one. ``xray(obj)`` shows the chain of suspended frames of a generator, coroutine or task.
``%xray obj`` is the same in a line of its own. ``trace(film, "trace.json")`` writes the film for
https://ui.perfetto.dev. `filming.film` says what a film holds; `Film.by_hand` makes one of
what no loop runs (threads). All options of `draw` work in ``timeline(...)``, too.

``ladder("06")`` draws the parts built up to lesson 06, and how many lines of them are the reader's.
`environment.check()` says in plain words what a machine lacks for the course (lesson 00), and
`draw_engines` draws the engines of the echo-reverse server side by side (lesson 12).
"""

from importlib import import_module
from typing import Any

from . import web_page  # noqa: F401 - first: the rest finds what it puts in place
from .filming.film import Cause, Event, Film
from .filming.loops import work
from .filming.perfetto import trace
from .filming.recorder import Recorder, measure, record
from .notebook.magics import load_ipython_extension, unload_ipython_extension
from .notebook.source import show_source
from .pictures.timeline import Picture, draw, timeline
from .pictures.xray import xray
from .player.page import Player, film

_PAGES = dict.fromkeys(("chat", "environment", "museum"), "notebook")
_PAGES |= {"schedule_lab": "filming"}
_PAGES |= {"plans": "pictures"}
_PAGES |= dict.fromkeys(("GeneratorRecorder", "film_generator"), "filming.generators")
_PAGES |= {"draw_engines": "pictures.engines", "spinning_naps": "filming.spin"}
_PAGES |= {"delivery": "filming.delivery", "TinyLoop": "notebook.tiny_loop"}
_PAGES |= dict.fromkeys(("attempt", "cpu_seconds", "printed_warnings"), "notebook.attempt")
_PAGES |= {"cost": "notebook.attempt", "resumptions": "notebook.attempt"}
_PAGES |= {"ladder": "notebook.ladder"}
_PAGES |= {"trace_link": "filming.perfetto"}
_PAGES |= dict.fromkeys(("SlowLine", "SlowSocket", "slow_server", "two_visits"), "notebook.slow")
_PAGES |= dict.fromkeys(("call_graph", "never_awaited", "printed_log"), "notebook.reports")
_PAGES |= {"run_python": "notebook.reports"}


def __getattr__(name: str) -> Any:
    """Hand on what only one lesson needs, when it is asked for."""
    if name not in _PAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f".{_PAGES[name]}", __name__)
    return getattr(home, name) if hasattr(home, name) else import_module(f".{name}", home.__name__)


__all__ = [
    "Cause",
    "Event",
    "Film",
    "Picture",
    "Player",
    "Recorder",
    "draw",
    "film",
    "load_ipython_extension",
    "measure",
    "record",
    "show_source",
    "timeline",
    "trace",
    "unload_ipython_extension",
    "work",
    "xray",
]
