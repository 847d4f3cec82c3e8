"""A drawing in points: strokes, words and colours. What is drawn, others say.

A `Canvas` collects strokes, one unit a point, y downwards. `svg` and `png` paint them, and a
`drawing` shows them.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from .words import shortened

WIDTH = 756.0  # points (1/72 inch): 10.5 inches

LIGHT = ("#2b323c", "#0077bb", "#e0752d", "#a74753", "#684000", "#00429d", "#2b9fca")
DARK = ("#eef1f5", "#4fb0f0", "#f59a5c", "#ee3377", "#f0e442", "#009988", "#b8860b")


class Theme(NamedTuple):
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
# -- strokes --------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """Polygons of one look; `width` is that of the edge; `crisp`: on whole pixels."""

    polygons: tuple[tuple[tuple[float, float], ...], ...]
    face: str
    edge: str
    width: float
    crisp: bool


class Path(NamedTuple):
    """Lines of one look, each through its points; `dash`: the lengths of a dash and a gap."""

    lines: tuple[tuple[tuple[float, float], ...], ...]
    color: str
    width: float
    dash: tuple[float, float] | None


class Text(NamedTuple):
    """Words; (x, y) is the middle of their left end, of their middle, or of their right end."""

    x: float
    y: float
    words: str
    size: float
    color: str
    weight: str
    family: str
    align: str
    italic: bool


class Canvas:
    """Collects the strokes of a layout (with its title, notes and height) in a theme's colours."""

    def __init__(self, layout: Any, theme: Theme) -> None:
        self.layout, self.theme = layout, theme
        self._strokes: list[tuple[float, Any]] = []

    def draw(self) -> None:
        """Put everything on the canvas."""
        raise NotImplementedError(f"{type(self).__name__} needs a draw() method")

    def strokes(self) -> list[Any]:
        """Return what is drawn, the lowest first."""
        self._strokes = []
        self.draw()
        return [stroke for _, stroke in sorted(self._strokes, key=lambda entry: entry[0])]

    def head(self) -> None:
        """Write the title and the notes above everything."""
        layout, theme = self.layout, self.theme
        y = 16.5
        if layout.title:
            title = shortened(layout.title, 14, WIDTH - 20, "bold")
            self.text(10.5, y, title, 14, theme.ink, weight="bold")
            y += 18.5
        for line in layout.notes:
            self.text(10.5, y, line, 10, theme.muted)
            y += 15

    def rects(
        self,
        rects: Iterable[tuple[float, float, float, float]],
        order: float,
        face: str,
        edge: str = "",
        width: float = 0.6,
    ) -> None:
        """Draw rectangles, each (left, top, right, bottom); `order`: what is drawn over what."""
        corners = tuple(((a, c), (b, c), (b, d), (a, d)) for a, c, b, d in rects)
        if corners:
            shape = Shape(corners, face, edge, width if edge else 0.0, crisp=True)
            self._strokes.append((order, shape))

    def hatched(
        self,
        rects: Iterable[tuple[float, float, float, float]],
        order: float,
        face: str,
        hue: str,
        *,
        apart: float = 5.0,
        back: bool = False,
    ) -> None:
        """Draw rectangles full of slanted lines, `apart` points from one to the next."""
        rects = list(rects)
        self.rects(rects, order, face, hue, 0.9)
        lines = [line for rect in rects for line in _slants(rect, apart, back)]
        self.lines(lines, order + 0.01, hue, 1.2)

    def polygon(
        self,
        points: Iterable[tuple[float, float]],
        order: float,
        face: str,
        edge: str,
        width: float,
    ) -> None:
        """Draw a filled shape."""
        self._strokes.append((order, Shape((tuple(points),), face, edge, width, crisp=False)))

    def line(
        self, xs: tuple, ys: tuple, order: float, color: str, width: float, dash: Any = None
    ) -> None:
        """Draw a line through points."""
        self.lines([tuple(zip(xs, ys, strict=True))], order, color, width, dash)

    def lines(
        self, lines: Iterable[tuple], order: float, color: str, width: float, dash: Any = None
    ) -> None:
        """Draw lines of one look."""
        if lines := tuple(lines):
            self._strokes.append((order, Path(lines, color, width, dash)))

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float,
        color: str,
        *,
        weight: str = "normal",
        family: str = "sans",
        align: str = "left",
        italic: bool = False,
    ) -> None:
        """Write words; (x, y) is the middle of their left end unless `align` says otherwise."""
        if words:
            text = Text(x, y, words, size, color, weight, family, align, italic)
            self._strokes.append((9, text))


def _slants(
    rect: tuple[float, float, float, float], apart: float, back: bool
) -> Iterable[tuple[tuple[float, float], ...]]:
    """Yield lines at 45 degrees that fill a rectangle; `back`: falling, not rising."""
    left, top, right, bottom = rect
    height = bottom - top
    offset = left + apart / 2  # where a rising line would meet the bottom
    while offset - height < right:
        x0, x1 = max(offset - height, left), min(offset, right)
        if x1 > x0:  # x + y is constant on a rising line: offset + top at the top
            y0, y1 = bottom - (x0 - offset + height), bottom - (x1 - offset + height)
            if back:
                y0, y1 = top + bottom - y0, top + bottom - y1
            yield ((x0, y0), (x1, y1))
        offset += apart


# -- colours --------------------------------------------------------------------------------------


def hue_of(theme: Theme, number: int) -> str:
    """Return the colour of the lane with this number; after the last one they come again."""
    hues = theme.hues
    return hues[number if number < len(hues) else 1 + (number - 1) % (len(hues) - 1)]


def mix(color: str, face: str, share: float) -> str:
    """Return `share` of a colour on a ground."""
    pairs = [(int(color[i : i + 2], 16), int(face[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
