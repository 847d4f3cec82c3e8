"""The figure of lesson 12: what each engine did with the same script of clients, step by step.

What `demos.echo_reverse.compare` observed is drawn one engine below the other on one axis, which
counts the steps of the script. Each has the server's strip, the calls in which its threads wait, a
lane for each client, and a heartbeat.
"""

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from .canvas import WIDTH, Canvas, Theme, mix
from .drawing import CHOICES, Drawing
from .words import text_width, wrapped

LEFT, RIGHT = 148.0, 742.0
NAMES = 10.5
TOP = 16.5
STRIP, WORDS, LANE, BEAT = 15.0, 11.0, 12.0, 15.0  # heights of an engine's rows
BLOCK = 12.0  # between two engines
MARK = 0.16  # of a step: how wide a message is drawn
USUAL_GAP = 2  # steps from one beat to the next, if each is answered at once


def draw_engines(
    observations: Iterable[Any],
    script: Sequence[str],
    *,
    title: str | None = None,
    note: str | None = None,
    theme: str = "auto",
) -> "Engines":
    """Return the figure of what each engine did.

    observations: of `compare.observe`; script: the steps they went through; title: the claim;
    note: the proof, under it; theme: "light", "dark", or "auto", that of the page.
    """
    if theme not in CHOICES:
        raise ValueError(f"theme must be auto, light or dark; got {theme!r}")
    return Engines(tuple(observations), tuple(script), title, note, theme)


class Engines(Drawing):
    """A drawn comparison: shows itself at the end of a cell; `save` writes it to a file."""

    def __init__(
        self, seen: tuple, script: tuple[str, ...], title: str | None, note: str | None, theme: str
    ) -> None:
        self.seen, self.script = seen, script
        self.title, self.note, self.theme = title, note, theme

    @functools.cached_property
    def layout(self) -> SimpleNamespace:
        notes = wrapped(self.note, 10.0, WIDTH - 22)
        head = TOP + (18.5 if self.title else 0) + 15 * len(notes) + 10
        rows = STRIP + WORDS + 2 * LANE + BEAT + BLOCK
        height = head + 14 + rows * len(self.seen) + 28
        return SimpleNamespace(
            title=self.title,
            notes=notes,
            head=head,
            height=-(-height // 3) * 3,  # whole pixels
            hues={"client 1": 1, "client 2": 2},
        )

    def canvas(self, theme: Theme) -> Canvas:
        """Return a canvas for a theme."""
        return _EnginesPainter(self, theme)

    def describe(self) -> str:
        """Return what the picture shows, for those who do not see it."""
        text = ". ".join(part.rstrip(".") for part in (self.title, self.note) if part)
        engines = [f"{seen.engine}: {_told(seen)}" for seen in self.seen]
        return f"{text}. {'; '.join(engines)}.".removeprefix(". ")

    def __str__(self) -> str:
        width = max(len(seen.engine) for seen in self.seen)
        lines = [self.title or "engines"]
        for seen in self.seen:
            pulse = "".join("♥" if n in seen.beats else "─" for n in range(len(self.script)))
            lines.append(f"{seen.engine:<{width}}  {pulse}")
        return "\n".join([*lines, f"{'':<{width}}  a character a step; ♥ a beat is answered"])


class _EnginesPainter(Canvas):
    """Puts the observations on a canvas, with the strokes of a timeline."""

    def __init__(self, picture: Engines, theme: Any) -> None:
        super().__init__(picture.layout, theme)
        self.picture = picture
        self.step = (RIGHT - LEFT) / len(picture.script)
        self.of = {"client 1": theme.hues[1], "client 2": theme.hues[2], "beat": theme.ink}

    def draw(self) -> None:
        """Draw all of it."""
        self.head()
        y = self._script(self.layout.head)
        for seen in self.picture.seen:
            y = self._engine(seen, y)
        self._keys(y + 8)

    def x(self, step: float) -> float:
        return LEFT + self.step * step

    def _script(self, y: float) -> float:
        """Write above the figure what the clients do in each step."""
        bottom = self.layout.height - 34
        for number, action in enumerate(self.picture.script):
            words = action.removeprefix("client ").replace("beat asks", "beat")
            hue = self.of[action.rpartition(" ")[0]]
            x = self.x(number + 0.5)
            self.text(
                x, y, words, 7.6, hue if words != "beat" else self.theme.muted, align="center"
            )
            self.line((self.x(number),) * 2, (y + 8, bottom), 0, self.theme.faint, 0.7)
        return y + 14

    def _engine(self, seen: Any, y: float) -> float:
        theme = self.theme
        places = dict(_places(seen.messages))
        self.text(NAMES, y + STRIP / 2, seen.engine, 11, theme.ink, weight="bold")
        words = f"{seen.threads} thread{'s' * (seen.threads > 1)}"
        self.text(NAMES, y + STRIP + WORDS / 2 + 1, words, 8.4, theme.muted)
        self._server(seen, places, y)
        y += STRIP
        self._stands(seen.stands, y)
        y += WORDS
        for client in seen.stays:
            self._client(client, seen, places, y)
            y += LANE
        self._beats(seen, places, y)
        y += BEAT
        bottom = y + BLOCK / 2
        self.line((0, WIDTH), (bottom, bottom), 0.5, theme.faint, 1.0)
        return y + BLOCK

    def _label(self, y: float, words: str, color: str) -> None:
        self.text(LEFT - 6, y, words, 8.2, color, align="right")

    def _server(self, seen: Any, places: dict, y: float) -> None:
        theme = self.theme
        self._label(y + STRIP / 2, "server", theme.ink)
        whole = [(LEFT, y + 1.5, RIGHT, y + STRIP - 1.5)]
        self.rects(whole, 1, theme.muted if seen.spins else theme.idle)
        for message, x0, x1 in self._marks(seen, places):
            rect = [(x0, y + 1.5, x1, y + STRIP - 1.5)]
            self.rects(rect, 2, self.of[message.who])

    def _marks(self, seen: Any, places: dict) -> Iterator[tuple[Any, float, float]]:
        for number, message in enumerate(seen.messages):
            x = self.x(places[number])
            yield message, x, x + MARK * self.step

    def _stands(self, stands: list[str], y: float) -> None:
        """Write in which calls the threads wait: once for as long as that does not change."""
        number = 0
        for words, same in itertools.groupby(stands):
            steps = len(list(same))
            if text_width(words, 6.9, family="mono") > steps * self.step - 4:
                words = re.sub(r" from \d+", "", words)
            x = self.x(number) + 2
            self.text(x, y + WORDS / 2, words, 6.9, self.theme.muted, family="mono")
            number += steps

    def _client(self, client: str, seen: Any, places: dict, y: float) -> None:
        theme, hue = self.theme, self.of[client]
        self._label(y + LANE / 2, client, hue)
        came, left = seen.stays[client]
        pale, edge = mix(hue, theme.face, theme.pale), mix(hue, theme.face, theme.edge)
        top, bottom = y + 1.2, y + LANE - 1.2
        here = [(self.x(came + 0.1), top + 1.4, self.x(left + 0.1), bottom - 1.4)]
        self.rects(here, 2, pale, edge)
        for message, x0, x1 in self._marks(seen, places):
            if message.who != client:
                continue
            if message.taken > message.asked:
                wait = [(self.x(message.asked + 0.1), top, x0, bottom)]
                self.hatched(wait, 2.5, theme.face, hue)
            self.rects([(x0, top, x1, bottom)], 3, hue)

    def _beats(self, seen: Any, places: dict, y: float) -> None:
        theme, middle = self.theme, y + BEAT / 2 + 2
        self._label(middle, "heartbeat", theme.ink)
        xs, ys = [LEFT], [middle]
        for message, x, _ in self._marks(seen, places):
            if message.who != "beat":
                continue
            for dx, dy in ((-1.6, 0), (-0.8, -7), (0.7, 3.6), (1.6, 0)):
                xs.append(x + 1.6 + dx)
                ys.append(middle + dy)
        self.line((*xs, RIGHT), (*ys, middle), 3, theme.ink, 1.0)
        for before, after in itertools.pairwise(seen.beats):
            words = f"flat for {after - before} steps"
            if after - before > USUAL_GAP and text_width(words, 7.8) < self.step * (after - before):
                style = {"align": "center", "italic": True}
                self.text(self.x((before + after) / 2), middle - 5, words, 7.8, theme.ink, **style)

    def _keys(self, y: float) -> None:
        """Say what the shapes mean: in grey, because a hue is a client."""
        theme, x, grey = self.theme, 12.0, self.theme.muted
        pale, edge = mix(grey, theme.face, theme.pale), mix(grey, theme.face, theme.edge)
        keys = [
            ("takes a message in", (theme.ink, "")),
            ("has asked, waits for the server", None),
            ("connected, says nothing", (pale, edge)),
            ("server asleep", (theme.idle, "")),
            ("server asks without end", (grey, "")),
        ]
        for words, colors in keys:
            rect = [(x, y - 4, x + 14.5, y + 4)]
            if colors is None:
                self.hatched(rect, 2, theme.face, grey, apart=4.0)
            else:
                self.rects(rect, 2, *colors)
            self.text(x + 20, y, words, 8.8, theme.muted)
            x += 20 + text_width(words, 8.8) + 12


def _told(seen: Any) -> str:
    """Say of an engine how its heart beat."""
    flat = max((b - a for a, b in itertools.pairwise(seen.beats)), default=0)
    threads = f"{seen.threads} thread{'s' * (seen.threads > 1)}"
    return f"{threads}, " + (
        f"no heartbeat answered for {flat} steps"
        if flat > USUAL_GAP
        else "every heartbeat answered"
    )


def _places(messages: list) -> Iterator[tuple[int, float]]:
    """Yield for each message where in the steps it is drawn: those of one step side by side."""
    total = Counter(message.taken for message in messages)
    before: Counter = Counter()
    for number, message in enumerate(messages):
        place = before[message.taken]
        before[message.taken] += 1
        yield number, message.taken + 0.1 + place * min(0.25, 0.85 / total[message.taken])
