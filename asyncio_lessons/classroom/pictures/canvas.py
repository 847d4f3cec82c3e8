"""A drawing in points: colours, words, and strokes. What is drawn, others say.

A `Canvas` paints on a matplotlib figure, one unit a point, y downwards; a `Drawing` shows itself in
a notebook and writes itself to a file, the same bytes each time. matplotlib is imported when
something is painted or measured, never before, and its global style is left alone.
"""

import base64
import functools
import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WIDTH = 756.0  # points (1/72 inch): 10.5 inches
SHADES = 5  # between two colours of a PNG: few make it small, and a notebook holds several

LIGHT = ("#2b323c", "#0077bb", "#e0752d", "#a74753", "#684000", "#00429d", "#2b9fca")
DARK = ("#eef1f5", "#4fb0f0", "#f59a5c", "#ee3377", "#f0e442", "#009988", "#b8860b")


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


_FONTS = {"sans": "DejaVu Sans", "mono": "DejaVu Sans Mono"}


class Drawing:
    """Shows itself at the end of a cell; `save` writes it to a file.

    A subclass has a `theme`, and a `layout` with a height in points and `hues`, a dictionary whose
    values are the numbers of the hues in use. It says in `figure` what is drawn, and in `__str__`
    what it is as text.
    """

    theme: Theme
    layout: Any

    def figure(self) -> Any:
        """Return a new matplotlib Figure; pyplot is not involved."""
        raise NotImplementedError(f"{type(self).__name__} needs a figure() method")

    def png(self, dpi: int = 120) -> bytes:
        """Return the bytes of a PNG, the same ones for the same film."""
        from PIL import Image

        palette = Image.new("P", (1, 1))
        palette.putpalette(palette_of(self.theme, self.layout.hues.values()))
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

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        size = {"width": round(WIDTH * 4 / 3), "height": round(self.layout.height * 4 / 3)}
        png = base64.b64encode(self.png()).decode()
        return {"image/png": png, "text/plain": str(self)}, {"image/png": size}


class Canvas:
    """Paints a layout (its title, notes and height) in the colours of a theme."""

    def __init__(self, layout: Any, theme: Theme) -> None:
        self.layout, self.theme = layout, theme

    def blank(self) -> Any:
        """Return a new figure as high as the layout says; strokes go to `axes` from now on."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH / 72, self.layout.height / 72), facecolor=self.theme.face)
        FigureCanvasAgg(figure)
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, WIDTH)
        self.axes.set_ylim(self.layout.height, 0)
        return figure

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
        self, rects: list[tuple[float, float, float, float]], order: float, **style: Any
    ) -> None:
        """Draw rectangles, each (left, top, right, bottom); `order`: what is drawn over what."""
        from matplotlib.collections import PolyCollection

        if rects:
            corners = [((a, c), (b, c), (b, d), (a, d)) for a, c, b, d in rects]
            self.axes.add_collection(
                PolyCollection(corners, zorder=order, snap=True, **{"linewidths": 0, **style}),
                autolim=False,
            )

    def polygon(
        self, points: list[tuple[float, float]], order: float, face: str, edge: str, width: float
    ) -> None:
        """Draw a filled shape."""
        from matplotlib.collections import PolyCollection

        style = {"facecolors": face, "edgecolors": edge, "linewidths": width, "joinstyle": "miter"}
        self.axes.add_collection(PolyCollection([points], zorder=order, **style), autolim=False)

    def line(
        self, xs: tuple, ys: tuple, order: float, color: str, width: float, style: Any = "-"
    ) -> None:
        """Draw a line through points."""
        from matplotlib.lines import Line2D

        line = Line2D(xs, ys, color=color, linewidth=width, linestyle=style, zorder=order)
        line.set_solid_capstyle("butt")
        line.set_dash_capstyle("butt")
        self.axes.add_line(line)

    def text(self, x: float, y: float, text: str, size: float, color: str, **style: Any) -> None:
        """Write a text, never read as a formula; (x, y) is its middle left unless told."""
        family = _FONTS[style.pop("family", "sans")]
        options = {"va": "center_baseline", "ha": "left", "zorder": 9, **style}
        self.axes.text(
            x, y, text, fontsize=size, color=color, family=family, parse_math=False, **options
        )


# -- words ----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float, weight: str = "normal", family: str = "sans") -> float:
    """Return how wide a text is, in points."""
    from matplotlib import font_manager
    from matplotlib.textpath import TextToPath

    prop = font_manager.FontProperties(family=_FONTS[family], weight=weight, size=size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return TextToPath().get_text_width_height_descent(text, prop, ismath=False)[0]


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


def wrapped(text: str | None, size: float, room: float) -> list[str]:
    """Return a text in lines that have the room."""
    lines: list[str] = []
    for word in (text or "").split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


# -- colours --------------------------------------------------------------------------------------


def hue_of(theme: Theme, number: int) -> str:
    """Return the colour of the lane with this number; after the last one they come again."""
    hues = theme.hues
    return hues[number if number < len(hues) else 1 + (number - 1) % (len(hues) - 1)]


def palette_of(theme: Theme, numbers: Iterable[int]) -> list[int]:
    """Return every colour of a picture as red, green, blue: the hues, and shades at their edges."""
    hues = dict.fromkeys(hue_of(theme, number) for number in (0, 1, *numbers))
    colors = [theme.face, theme.idle, theme.faint]
    for color in (theme.ink, theme.muted, *hues):
        shades = 2 * SHADES if color == theme.ink else SHADES
        colors += [mix(color, theme.face, step / shades) for step in range(1, shades + 1)]
    for hue in hues:
        pale = mix(hue, theme.face, theme.pale)
        colors += [pale, mix(hue, theme.face, theme.edge)]
        colors += [mix(theme.ink, pale, step / SHADES) for step in range(1, SHADES)]
    return [int(color[i : i + 2], 16) for color in dict.fromkeys(colors) for i in (1, 3, 5)]


def mix(color: str, face: str, share: float) -> str:
    """Return `share` of a colour on a ground."""
    pairs = [(int(color[i : i + 2], 16), int(face[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _own_style() -> Any:
    """Return a context in which nothing of the reader's matplotlib style is in force."""
    import matplotlib

    keep = ("backend", "interactive", "toolbar", "timezone", "savefig.directory")
    ours = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(keep)}
    ours |= {"svg.hashsalt": "timeline", "hatch.linewidth": 1.3, "path.simplify": False}
    return matplotlib.rc_context(ours)
