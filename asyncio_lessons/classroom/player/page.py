"""The page of a player: one film, packed, with the script and the style that show it.

What the page holds is built from the film's changes from step to step. A scene is a list of slots
(running, ready, timers, selector, how many lines are printed, and one for each task); equal values
are kept once, in a table, and numbers below zero stand for them. `player.js` takes it apart again.
"""

import base64
import functools
import html
import json
import textwrap
import zlib
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..filming.film import ENDS, Film
from ..filming.recorder import run_filmed
from ..filming.scenes import change
from ..pictures.drawing import can_paint_png
from ..pictures.timeline import Picture, draw
from . import lean, words

PACKED_ABOVE = 36_000  # bytes of a film; a larger one is compressed, and unpacked in the browser
MOST_PICTURE = 120_000  # bytes of the still picture as an SVG
MOST = 60  # entries of a list that are shown
MOST_LINES = 24  # of the steps in the text
_KINDS = (
    "begin create ready run wait done cancelled failed call return timer sleep due throw end"
).split()
_STATES = "ready running waiting created interrupted done cancelled failed".split()
_STATE_WORDS = "ready|runs|waits for|not started|interrupted|done|cancelled|failed".split("|")
_GENERATOR_WORDS = "ready|runs|suspended at|not started|calls|finished|closed|failed".split("|")
_HERE = Path(__file__).parent
_SLOTS = ("running", "ready", "timers", "selector", "printed")
_TRUST = (
    "This is the film of a program, to step through forwards and backwards: run the cell, or trust "
    "the notebook, and this picture becomes the player."
)


class Player:
    """A film one can step through: shows itself at the end of a cell; `save` writes a page.

    film: recorded with ``details=True``; at: the step at which it opens; predict: open with the
    question which task runs next. `film` is the film.
    """

    def __init__(
        self,
        film: Film,
        *,
        title: str | None = None,
        note: str | None = None,
        predict: bool = False,
        at: int = 0,
    ) -> None:
        steps = film.steps  # raises for a film without details
        self.film = film
        self.title, self.note = title or film.title, note or film.note
        self.options = {"predict": bool(predict), "at": max(0, min(at, len(steps) - 1))}

    @functools.cached_property
    def sentences(self) -> list[str]:
        """One sentence for each step, as plain text."""
        return [words.plain(self.film, text) for text in self._packed.sentences]

    @functools.cached_property
    def _packed(self) -> "Packed":
        return Packed(self.film)

    def html(self, picture: bool = True) -> str:
        """Return the player as one element of HTML, which needs nothing else.

        picture: with the still picture, for where scripts are cut.
        """
        options = self.options | {"title": self.title, "note": self.note}
        data = _for_script([*self._packed.data, options])
        still = _still(draw(self.film, title=self.title, note=self.note)) if picture else ""
        return (
            f"<div data-player><p>{html.escape(self.title or '')}</p><p>{_TRUST}</p>{still}"
            f"<script>({script()})(document.currentScript.parentNode,{data},{style()})</script>"
            "</div>"
        )

    def page(self) -> str:
        """Return the player as a whole page, light or dark as the reader's system is."""
        return page_of([self], self.title or "The film of a program")

    def save(self, path: Any) -> None:
        """Write the page to a file, which must end in .html; raises ValueError else."""
        if not str(path).endswith((".html", ".htm")):
            raise ValueError(f"the file must end in .html; got {str(path)!r}")
        Path(path).write_text(self.page(), encoding="utf-8")

    def __str__(self) -> str:
        """The steps as a list, shortened; of real time only what is the same in each run."""
        film, last = self.film, len(self.film.steps) - 1
        heading = self.title or "film"
        if film.loop and not film.virtual:
            names = ", ".join(dict.fromkeys(task.name for task in film.tasks))
            return f"{heading}\non {film.loop}, in real time: {names or 'nothing ran'}"
        lines = [f"{number:>4}  {said}" for number, said in enumerate(self.sentences)]
        if len(lines) > MOST_LINES:
            kept = MOST_LINES - 3
            lines[kept:-1] = [f"      ... {len(lines) - kept - 1} more steps"]
        return "\n".join([f"{heading}: {last} steps", *(line.rstrip() for line in lines)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}


def film(
    what: Film | Coroutine,
    *,
    loop: str | ModuleType | Callable[[], Any] = "lessons",
    virtual: bool = False,
    title: str | None = None,
    note: str | None = None,
    predict: bool = False,
    at: int = 0,
) -> Player:
    """Return a player, which shows itself at the end of a cell.

    what: a film recorded with ``details=True``, or a coroutine, which is run and filmed now; loop,
    virtual: as in `record`, for a coroutine; title: the claim; note: the proof; predict: open with
    the question which task runs next; at: the step at which it opens. What the coroutine raises is
    the player's last step, and is not raised here. Raises TypeError for anything else.
    """
    if isinstance(what, Coroutine):
        what = run_filmed(what, loop, virtual, details=True, name="main")
        if what.error is not None and not isinstance(what.error, Exception):
            raise what.error
    what = getattr(what, "film", what)  # of a filmed generator
    if not isinstance(what, Film):
        raise TypeError(f"film() needs a coroutine, such as main(), or a film; got {what!r}")
    return Player(what, title=title, note=note, predict=predict, at=at)


def page_of(players: Iterable[Player], title: str) -> str:
    """Return a whole page with players, one below the other."""
    shown = "\n".join(player.html() for player in players)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>:root{{color-scheme:light dark}}"
        "body{margin:12px auto;max-width:1120px;padding:0 8px}</style></head>"
        f"<body>{shown}</body></html>\n"
    )


# -- the film, packed -----------------------------------------------------------------------------


class Table:
    """Keeps equal values once: `of` returns the number below zero that stands for a value."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._known: dict[Any, int] = {}

    def of(self, value: Any) -> int | None:
        """Return the number for a string or a list; None for None."""
        if value is None:
            return None
        if isinstance(value, list | tuple):
            value = tuple(map(self._inside, value))
        number = self._known.get(value)
        if number is None:
            self.values.append(value)
            number = self._known[value] = -len(self.values)
        return number

    def _inside(self, value: Any) -> Any:
        return self.of(value) if isinstance(value, str | list | tuple) else value


class Packed:
    """What the page needs of a film: `data`, a list in the order in which `player.js` takes it.

    sentences: one for each step, with their marks (see `words`).
    """

    def __init__(self, film: Film) -> None:
        self._film, self._table = film, Table()
        self._pages = Pages(film.sources)
        self.sentences: list[str] = []
        scene: dict[str, Any] = {}
        first: list = []
        steps: list[list] = []
        for step, deltas in zip(film.steps, film.deltas(), strict=True):
            nested = step.kind in ("run", "throw") and bool(scene.get("running"))
            awaited = _waits_of(scene, step.task)
            for delta in deltas:
                change(scene, delta)
            slots = [[slot, self._slot(scene, slot)] for slot in _changed(deltas, scene)]
            if not steps:
                first, slots = [ref for _, ref in sorted(slots)], []
            self.sentences.append(words.sentence(film, step, scene, awaited))
            steps.append(self._step(step, slots, nested))
        self.data = [
            self._table.values,
            [task.name for task in film.tasks],
            self._pages.pages,
            self._pages.sources,
            [[line["text"], line["task"]] for line in scene["printed"]],
            first,
            steps,
            _STATE_WORDS if film.loop else _GENERATOR_WORDS,
            [_KINDS.index(kind) for kind in ("run", "throw", "sleep")] if film.loop else [],
            [_KINDS.index(kind) for kind in ("create", "ready")],
            int(bool(film.loop)),
            _time(film.duration),
        ]

    def _step(self, step: Any, slots: list, nested: bool) -> list:
        cause = step.cause.task if step.cause and step.cause.kind == "task" else None
        row = [_KINDS.index(step.kind), _time(step.time), step.turn, step.task, cause]
        row += [self._table.of(self.sentences[-1]), slots, self._spot(step)]
        return [*row, 1] if nested else row if row[-1] else row[:-1]

    def _spot(self, step: Any) -> list | None:
        """Return [page, line] of where a task failed: its own frames are gone then."""
        if step.kind not in ENDS:
            return None
        known = [f for f in step.frames if not self._film.sources[f["code"]]["library"]]
        return [self._pages.sources[known[-1]["code"]][1], known[-1]["line"]] if known else None

    def _slot(self, scene: dict[str, Any], slot: int) -> int | None:
        """Return the number that stands for a slot of a scene."""
        table = self._table
        if slot >= len(_SLOTS):
            task = scene["tasks"][slot - len(_SLOTS)]
            return None if task is None else table.of(self._task(task))
        held = scene[_SLOTS[slot]]
        if held is None or _SLOTS[slot] == "printed":
            return None if held is None else len(held)
        if _SLOTS[slot] == "running":
            return table.of((held.get("task"), held.get("callback")))
        if _SLOTS[slot] == "ready":
            return table.of(
                [(e["task"], e["label"], e["reason"]) for e in held[:MOST]] + _rest(held)
            )
        if _SLOTS[slot] == "timers":
            timers = [(_time(e["when"]), self._timer(e), e["task"]) for e in held[:MOST]]
            return table.of(timers + _rest(held))
        return table.of([(e["label"], e["events"], e["task"]) for e in held[:MOST]] + _rest(held))

    def _timer(self, entry: dict[str, Any]) -> str:
        """Return a timer's label without the name of its task, which stands beside it."""
        if entry["task"] is None:
            return entry["label"]
        return entry["label"].removesuffix(f" of {self._film.tasks[entry['task']].name}")

    def _task(self, task: dict[str, Any]) -> tuple:
        frames = [
            (
                frame["code"],
                frame["line"],
                [(n, text, int(new)) for n, text, new in frame["locals"] if n != text],
            )
            for frame in task["frames"]
        ]
        ends = task["result"], task["error"]
        return (_STATES.index(task["state"]), task["waits"] or None, task["on"], frames, *ends)


def _rest(entries: list) -> list[int]:
    """Return how many entries are not shown: [] if all are."""
    return [len(entries) - MOST] if len(entries) > MOST else []


class Pages:
    """The sources as a reader knows them: of each file or cell, blocks of lines.

    pages: [file, [[first line, lines], ...]]; sources: [function, number of the page, library].
    """

    def __init__(self, sources: list[dict[str, Any]]) -> None:
        self.pages: list[list] = []
        self.sources: list[list] = []
        numbers: dict[tuple, int] = {}
        lines: list[dict[int, str]] = []
        for source in sources:
            number = numbers.setdefault((source["file"], source.get("unit")), len(lines))
            if number == len(lines):
                lines.append({})
                self.pages.append([source["file"], []])
            self.sources.append([source["function"], number, int(source["library"])])
        longest_first = sorted(range(len(sources)), key=lambda i: -len(sources[i]["lines"]))
        for index in longest_first:  # an outer function before those inside it
            source = sources[index]
            for line, text in enumerate(source["lines"], source["first"]):
                lines[self.sources[index][1]].setdefault(line, text)
        for page, held in zip(self.pages, lines, strict=True):
            page[1] = _blocks(held)


def _blocks(lines: dict[int, str]) -> list[list]:
    """Return lines as [first line, lines] where no line is missing, without a common indent."""
    blocks: list[list] = []
    for line in sorted(lines):
        if not blocks or line != blocks[-1][0] + len(blocks[-1][1]):
            blocks.append([line, []])
        blocks[-1][1].append(lines[line].rstrip())
    return [[first, textwrap.dedent("\n".join(held)).split("\n")] for first, held in blocks]


def _changed(deltas: Any, scene: dict[str, Any]) -> Iterable[int]:
    """Return the numbers of the slots that a step changes, each once."""
    slots: dict[int, None] = {}
    for path, *_ in deltas:
        if path[0] in _SLOTS:
            slots[_SLOTS.index(path[0])] = None
        elif path[0] == "tasks":
            changed = path[1:2] or range(len(scene["tasks"]))
            slots.update(dict.fromkeys(len(_SLOTS) + index for index in changed))
    return slots


def _waits_of(scene: dict[str, Any], task: int | None) -> str | None:
    """Return what a task waits for, None if it has not begun."""
    held = scene["tasks"][task] if task is not None and scene else None
    return (held["waits"] or held["on"]) and held["waits"] if held else None


def _time(seconds: float) -> float | int:
    rounded = round(max(seconds, 0.0), 9)
    return int(rounded) if rounded == int(rounded) else rounded


# -- the page -------------------------------------------------------------------------------------


def _for_script(data: list) -> str:
    """Return the data as a JavaScript expression that may stand in a page of HTML."""
    text = _json(data)
    if len(text.encode()) <= PACKED_ABOVE:
        return text
    return '"' + base64.b64encode(zlib.compress(text.encode(), 9)).decode() + '"'


def _json(data: Any) -> str:
    """Return JSON in which no tag begins and no line ends."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _still(picture: Picture) -> str:
    """Return the picture as an element: an SVG, but of a long film a PNG if one can be painted."""
    drawn = picture.html()
    if len(drawn) <= MOST_PICTURE or not can_paint_png():
        return drawn
    data = base64.b64encode(picture.png()).decode()
    about = html.escape(picture.describe())
    return f'<img style="max-width:100%" alt="{about}" src="data:image/png;base64,{data}">'


@functools.cache
def script() -> str:
    """Return the player's script, a function expression, as it is delivered."""
    return lean.script(_HERE.joinpath("player.js").read_text(encoding="utf-8"))


@functools.cache
def style() -> str:
    """Return the player's style as it is delivered: a string of JavaScript."""
    return _json(lean.style(_HERE.joinpath("player.css").read_text(encoding="utf-8")))
