"""A drawing in points: strokes, words and colours. What is drawn, others say.

A `Canvas` collects strokes, one unit a point, y downwards. `svg` and `png` paint them; only `png`
needs matplotlib. A `Drawing` shows itself in a notebook and writes itself to a file, the same bytes
each time.
"""

import base64
import html
import importlib.util
from collections.abc import Iterable
from typing import Any, NamedTuple

from .words import shortened

WIDTH = 756.0  # points (1/72 inch): 10.5 inches
PIXELS = round(WIDTH * 4 / 3)  # the width in a page

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
CHOICES = ("auto", *THEMES)  # "auto": an SVG follows the page, a PNG is light

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


# -- what shows itself ----------------------------------------------------------------------------

# The picture follows the page it stands in: what a page says of its theme, as the picture reads it.
_FOLLOW = """<style>
.asyncio-lessons-picture { max-width: 100%; height: auto; }
[data-jp-theme-light="true"] .asyncio-lessons-picture,
.vscode-light .asyncio-lessons-picture { color-scheme: light; }
[data-jp-theme-light="false"] .asyncio-lessons-picture,
.vscode-dark .asyncio-lessons-picture { color-scheme: dark; }
</style>"""


class Drawing:
    """Shows itself at the end of a cell; `save` writes it to a file.

    A subclass has a `theme` (one of CHOICES), and a `layout` with a height in points and `hues`, a
    dictionary whose values are the numbers of the hues in use. It says in `canvas` what is drawn,
    in `describe` what it shows, and in `__str__` what it is as text.
    """

    theme: str
    layout: Any

    def canvas(self, theme: Theme) -> Canvas:
        """Return a canvas for a theme."""
        raise NotImplementedError(f"{type(self).__name__} needs a canvas() method")

    def describe(self) -> str:
        """Return what the picture shows, for those who do not see it."""
        raise NotImplementedError(f"{type(self).__name__} needs a describe() method")

    def png(self, dpi: int = 120) -> bytes:
        """Return the bytes of a PNG, the same ones for the same film.

        Raises ModuleNotFoundError where matplotlib or Pillow is not installed.
        """
        from .png import paint

        theme = THEMES["light" if self.theme == "auto" else self.theme]
        return paint(self.canvas(theme), self.layout.hues.values(), dpi)

    def svg(self) -> str:
        """Return an SVG document, the same text for the same film; it needs no other package."""
        from .svg import paint

        themes = THEMES if self.theme == "auto" else (self.theme,)
        return paint([self.canvas(THEMES[name]) for name in themes], self.describe())

    def html(self) -> str:
        """Return the SVG as an image for a page; with the theme "auto" it follows the page's."""
        data = base64.b64encode(self.svg().encode()).decode()
        size = f'width="{PIXELS}" height="{round(self.layout.height * 4 / 3)}"'
        return (
            f'{_FOLLOW}\n<img class="asyncio-lessons-picture" {size} style="max-width:100%" '
            f'alt="{html.escape(self.describe())}" src="data:image/svg+xml;base64,{data}">'
        )

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

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        data = {"text/html": self.html(), "text/plain": str(self)}
        if not can_paint_png():
            return data, {}
        height = round(self.layout.height * 4 / 3)
        size = {"width": PIXELS, "height": height, "alt": self.describe()}
        return data | {"image/png": base64.b64encode(self.png()).decode()}, {"image/png": size}


def can_paint_png() -> bool:
    """Say whether the packages that paint a PNG are here."""
    return all(importlib.util.find_spec(name) is not None for name in ("matplotlib", "PIL"))


# -- colours --------------------------------------------------------------------------------------


def hue_of(theme: Theme, number: int) -> str:
    """Return the colour of the lane with this number; after the last one they come again."""
    hues = theme.hues
    return hues[number if number < len(hues) else 1 + (number - 1) % (len(hues) - 1)]


def mix(color: str, face: str, share: float) -> str:
    """Return `share` of a colour on a ground."""
    pairs = [(int(color[i : i + 2], 16), int(face[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
