"""Paints the layout of a timeline: the strip, the lanes, who woke whom, and the legend."""

import math
import re
from collections import defaultdict

from ..filming.film import ENDS
from .canvas import WIDTH, Canvas, hue_of, mix
from .layout import (
    DATA,
    HALF,
    LANE,
    LOW,
    MARKS,
    RIGHT,
    SHARES,
    Lane,
    Panel,
    Piece,
    Stem,
    Values,
    legend_width,
)
from .words import shortened, text_width

DASHES = (2.2, 1.6)


class Painter(Canvas):
    """Puts a `Layout` on a canvas."""

    def draw(self) -> None:
        """Draw all of it."""
        self.head()
        self._grid()
        for panel in self.layout.panels:
            self._panel(panel)
        self._foot()

    def hue(self, lane: Lane) -> str:
        return hue_of(self.theme, lane.hue)

    # -- parts ----------------------------------------------------------------------------------

    def _grid(self) -> None:
        panels, theme = self.layout.panels, self.theme
        for x0, x1 in self.layout.moments:
            rects = [(x0, panel.grid, x1, panel.bottom - 2) for panel in panels]
            self.rects(rects, -1, mix(theme.idle, theme.face, 0.75))
        for x, text in self.layout.ticks():
            for panel in panels:
                self.line((x, x), (panel.grid, panel.bottom - 2), 0, theme.faint, 0.8)
            self.text(x, self.layout.axis_y, text, 9.6, theme.muted, align="center")

    def _panel(self, panel: Panel) -> None:
        theme = self.theme
        if panel.title:
            title = shortened(panel.title, 10.5, WIDTH - 20, "bold")
            self.text(10.5, panel.top + 4, title, 10.5, theme.ink, weight="bold")
        if panel.strip is not None:
            self._strip(panel)
        if panel.beat is not None:
            self._heartbeat(panel)
        if panel.lanes and panel.strip is not None:
            y = panel.lanes[0].y - LANE / 2 + 0.5
            self.line((0, WIDTH), (y, y), 0.5, theme.faint, 1.0)
        for lane in panel.lanes:
            self._lane(lane, panel)
        for values in panel.values:
            self._values(values)
        thin = len(panel.stems) > (RIGHT - self.layout.left) / 3
        for stem in panel.stems:
            self._stem(stem, thin)

    def _strip(self, panel: Panel) -> None:
        theme, y, left = self.theme, panel.strip, self.layout.left
        self.text(left - 9, y, "event loop", 10.2, theme.ink, weight="bold", align="right")
        end = self.layout.x(panel.film.duration)
        self.rects([(left, y - HALF, end, y + HALF)], 1, theme.idle)
        last = -math.inf
        by_hue: dict[str, list] = defaultdict(list)
        for piece in panel.pieces:
            if piece.x1 - last < 0.25:
                continue
            hue = self.hue(piece.lane) if piece.lane else theme.muted
            by_hue[hue].append((max(piece.x0, last), y - HALF, piece.x1, y + HALF))
            last = piece.x1
            self._strip_label(piece, y)
        for hue, rects in by_hue.items():
            self.rects([(a - 0.7, c, b + 0.7, d) for a, c, b, d in rects], 1.5, theme.face)
            apart = [(a + 0.8 if b - a > 4 else a, c, b, d) for a, c, b, d in rects]
            self.rects(apart, 2, hue)
        self._idle(panel, y)
        self._share(y, panel.busy, "busy", panel)

    def _strip_label(self, piece: Piece, y: float) -> None:
        name = piece.lane.name if piece.lane else piece.text.rsplit(".", 1)[-1]
        room = piece.x1 - piece.x0 - 4
        for text in (name, re.split(r"[\s_-]+", name)[-1] if piece.lane else ""):
            if text and text_width(text, 8.8, "bold") <= room:
                middle = (piece.x0 + piece.x1) / 2
                self.text(middle, y, text, 8.8, self.theme.face, weight="bold", align="center")
                return

    def _idle(self, panel: Panel, y: float) -> None:
        """Write "idle" into the first gap that has the room."""
        edge = self.layout.left
        end = self.layout.x(panel.film.duration)
        for x0, x1 in [(piece.x0, piece.x1) for piece in panel.pieces] + [(end, end)]:
            if x0 - edge > 40:
                middle = (edge + x0) / 2
                self.text(middle, y, "idle", 8.8, self.theme.muted, italic=True, align="center")
                return
            edge = max(edge, x1)

    def _heartbeat(self, panel: Panel) -> None:
        theme, y, left = self.theme, panel.beat, self.layout.left
        self.text(
            left - 9,
            y,
            self.layout.look.heartbeat or "heartbeat",
            10.2,
            theme.muted,
            weight="bold",
            align="right",
        )
        xs, ys = [left], [y]
        shape = ((-2.2, 0), (-1.1, -7.5), (0.9, 5), (2.2, 0))
        for x in panel.beats:
            if x - xs[-1] > 2.5 or len(xs) == 1:
                xs += [x + dx for dx, _ in shape]
                ys += [y + dy for _, dy in shape]
        xs.append(max(self.layout.x(panel.film.duration), xs[-1]))
        ys.append(y)
        self.line(tuple(xs), tuple(ys), 3, theme.ink, 1.1)
        for x0, x1, text in panel.flats:
            words = f"flat for {text}"
            if text_width(words, 8.2) <= x1 - x0 - 6:
                self.text(
                    (x0 + x1) / 2, y - 6.5, words, 8.2, theme.ink, align="center", italic=True
                )
        self.text(SHARES, y, f"{len(panel.beats)} beats", 9, theme.muted)

    def _lane(self, lane: Lane, panel: Panel) -> None:
        theme, hue, y, left = self.theme, self.hue(lane), lane.y, self.layout.left
        name = shortened(lane.name, 10.2, left - 16, "bold")
        self.text(left - 9, y, name, 10.2, hue, weight="bold", align="right")
        pale, edge = mix(hue, theme.face, theme.pale), mix(hue, theme.face, theme.edge)
        waits = [(a, y - LOW, b, y + LOW) for a, b, _ in _joined(lane.waits)]
        self.rects(waits, 2, pale, edge)
        lates = [(a, y - LOW, b, y + LOW) for a, b, _ in lane.lates]
        self.hatched(lates, 2.1, pale, hue, apart=3.5, back=True)
        readies = [(a, y - HALF, b, y + HALF) for a, b in lane.readies]
        self.hatched(readies, 2.5, theme.face, hue)
        self.rects(_dark(lane.pieces, y), 3, hue)
        obstacles = [s.x for s in panel.stems if _crosses(s, y)]
        for x0, x1, text in lane.waits:
            self._wait_label(x0, x1, y, text, obstacles, pale)
        self._marks(lane, y)
        for x0, x1, text in lane.lates:
            words = f"{text} late"
            if text_width(words, 7.4) <= x1 - x0 + 20:
                self.text(x0 + 5, y - HALF - 2.6, words, 7.4, theme.ink)
        self._blocks(lane, y)
        self._ends(lane, y)
        self._share(y, lane.ran, "ran", panel)

    def _share(self, y: float, part: float, word: str, panel: Panel) -> None:
        """Write how much of the time it was busy: nothing where no time passes in a step."""
        text = f"{_share(part)} {word}" if part > 0 else ""
        if self.layout.unit:
            steps = round(part * panel.film.duration)
            text = f"{steps} step{'s' * (steps != 1)}"
        self.text(SHARES, y, text, 9, self.theme.muted)

    def _wait_label(
        self, x0: float, x1: float, y: float, text: str, obstacles: list[float], ground: str
    ) -> None:
        """Write what is waited for: where no stem crosses it, or else over the stem."""
        size = 8.2
        if not text or x1 - x0 < 20:
            return
        if text_width(text, size, family="mono") > x1 - x0 - 8:
            text = re.sub(r"^async (with|for) ", "", text)
        width = text_width(text, size, family="mono")
        cuts = [x0 + 3, *sorted(x for x in obstacles if x0 < x < x1), x1 - 1]
        for begin, end in zip(cuts, cuts[1:], strict=False):
            if end - begin - 8 >= width:
                self.text(begin + 4, y, text, size, self.theme.ink, family="mono")
                return
        text = shortened(text, size, x1 - x0 - 8, family="mono")
        end = x0 + 6 + text_width(text, size, family="mono")
        self.rects([(x - 1, y - 4.5, x + 1, y + 4.5) for x in cuts[1:-1] if x < end], 8, ground)
        self.text(x0 + 6, y, text, size, self.theme.ink, family="mono")

    def _marks(self, lane: Lane, y: float) -> None:
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
        self.polygon(points, 6, self.theme.face, self.theme.muted, 0.9)

    def _blocks(self, lane: Lane, y: float) -> None:
        theme = self.theme
        for piece in lane.pieces:
            words = f"blocks {piece.blocks}"
            if not piece.blocks:
                continue
            if text_width(words, 8, "bold") <= piece.x1 - piece.x0 - 6:
                middle = (piece.x0 + piece.x1) / 2
                self.text(middle, y, words, 8, theme.face, weight="bold", align="center")
            else:
                at_end = piece.x0 > RIGHT - 70
                x = piece.x1 - 4.5 if at_end else piece.x0 + 4.5
                side = "right" if at_end else "left"
                self.text(x, y - HALF - 3.6, words, 7.4, theme.ink, align=side)

    def _ends(self, lane: Lane, y: float) -> None:
        kinds = [kind for kind in (*ENDS, "open") if lane.ends[kind]]
        for place, kind in enumerate(kinds[:1] if len(lane.tasks) == 1 else kinds[:2]):
            self._end(kind, MARKS, y + (place - (len(kinds[:2]) - 1) / 2) * 9)

    def _end(self, kind: str, x: float, y: float) -> None:
        """A tick, a cross, an exclamation mark, three dots: shapes, which need no colour."""
        ink = self.theme.ink
        if kind == "done":
            self.line((x - 3.6, x - 1.2, x + 3.8), (y + 0.4, y + 3.4, y - 4), 7, ink, 1.6)
        elif kind == "cancelled":
            self.line((x - 3, x + 3), (y - 3, y + 3), 7, ink, 1.6)
            self.line((x - 3, x + 3), (y + 3, y - 3), 7, ink, 1.6)
        elif kind == "failed":
            self.line((x, x), (y - 5, y + 1.6), 7, ink, 2.1)
            self.line((x, x), (y + 3.2, y + 5.2), 7, ink, 2.1)
        else:
            for dx in (-3.4, 0, 3.4):
                self.line((x + dx - 0.9, x + dx + 0.9), (y, y), 7, ink, 1.8)

    def _stem(self, stem: Stem, thin: bool) -> None:
        theme, x, y = self.theme, stem.x, stem.waker.y
        tips = [lane.y - HALF if lane.y > y else lane.y + HALF for lane in stem.woken]
        ends = [tip + (-4.5 if tip > y else 4.5) for tip in tips]
        low, high = min([y, *ends]), max([y, *ends])
        dash = DASHES if stem.first else None
        self.line((x, x), (low, high), 4.5, theme.ink, 0.6 if thin else 1.3, dash)
        for tip in tips:
            back = -5.2 if tip > y else 5.2
            head = [(x, tip), (x - 2.8, tip + back), (x + 2.8, tip + back)]
            self.polygon(head, 5, theme.ink, theme.face, 0.6)
        self._dot(x, y)

    def _values(self, values: Values) -> None:
        """Draw a lane of numbers as steps, each number where it begins."""
        theme, base, height = self.theme, values.y, DATA - 16
        least = values.least
        scale = height / ((values.most - least) or 1)
        left = self.layout.left
        name = shortened(values.name, 10.2, left - 16, "bold")
        self.text(
            left - 9, base - height / 2, name, 10.2, theme.muted, weight="bold", align="right"
        )
        ends = [x for x, _ in values.points[1:]] + [values.end]
        top: list[tuple[float, float]] = []
        for (x, value), end in zip(values.points, ends, strict=True):
            y = base - (value - least) * scale
            top += [(x, y), (end, y)]
        zero = base + least * scale
        ground = [(top[0][0], zero), *top, (top[-1][0], zero)]
        self.polygon(ground, 2, mix(theme.muted, theme.face, 0.18), "", 0)
        self.lines([top], 3, theme.muted, 1.3)
        free = -math.inf
        for (x, value), (_, y) in zip(values.points, top[::2], strict=True):
            text = f"{value:g}"
            width = text_width(text, 7.8, "bold")
            if x + 1.5 >= free:
                self.text(x + 1.5, y - 5.2, text, 7.8, theme.ink, weight="bold")
                free = x + width + 4

    def _dot(self, x: float, y: float) -> None:
        around = [
            (x + 2.9 * math.cos(a / 12 * math.pi), y + 2.9 * math.sin(a / 12 * math.pi))
            for a in range(24)
        ]
        self.polygon(around, 5.5, self.theme.ink, self.theme.face, 0.9)

    # -- the legend -----------------------------------------------------------------------------

    def _foot(self) -> None:
        y = self.layout.axis_y + 22
        for row in self.layout.legend:
            x = 12.0
            for key, words in row:
                self._key(key, x, y)
                self.text(x + 20, y, words, 9.3, self.theme.muted)
                x += legend_width(words)
            y += 16

    def _key(self, key: str, x: float, y: float) -> None:
        """Draw what an entry means: in grey, because a hue is a task."""
        theme = self.theme
        grey = theme.muted
        box = [(x, y - 4, x + 14.5, y + 4)]
        pale, edge = mix(grey, theme.face, theme.pale), mix(grey, theme.face, theme.edge)
        if key == "running":
            self.rects(box, 2, grey)
        elif key == "ready":
            self.hatched(box, 2, theme.face, grey, apart=4.0)
        elif key == "late":
            self.hatched([(x, y - 2.8, x + 14.5, y + 2.8)], 2, pale, grey, apart=3.5, back=True)
        elif key == "waiting":
            self.rects([(x, y - 2.8, x + 14.5, y + 2.8)], 2, pale, edge)
        elif key == "moment":
            self.rects([(x, y - 6, x + 14.5, y + 6)], 2, mix(theme.idle, theme.face, 0.75))
        elif key == "callback":
            self.rects([(x + 4, y - 4, x + 10.5, y + 4)], 2, grey)
        elif key == "wakes":
            self.line((x, x + 11), (y, y), 4, theme.ink, 1.3)
            self.polygon(
                [(x + 15, y), (x + 8.5, y - 3.2), (x + 8.5, y + 3.2)], 5, theme.ink, theme.face, 0.4
            )
        elif key == "starts":
            self.line((x, x + 14), (y, y), 4, theme.ink, 1.3, DASHES)
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


def _dark(pieces: list[Piece], y: float) -> list[tuple[float, float, float, float]]:
    """Return the rectangles of the steps, leaving out what is hidden behind the one before."""
    rects, last = [], -math.inf
    for piece in pieces:
        if piece.x1 - last >= 0.25:
            rects.append((piece.x0, y - HALF, piece.x1, y + HALF))
            last = piece.x1
    return rects


def _crosses(stem: Stem, y: float) -> bool:
    ys = [stem.waker.y, *(lane.y for lane in stem.woken)]
    return min(ys) <= y <= max(ys)


def _share(part: float) -> str:
    return "<1%" if part < 0.01 else f"{part * 100:.0f}%"
