"""Paints strokes as a PNG, with matplotlib: what GitHub and other readers without SVG show.

matplotlib is imported when something is painted, never before, pyplot is not involved, and the
reader's style is left alone.
"""

import io
import warnings
from collections.abc import Iterable
from typing import Any

from .canvas import WIDTH, Canvas, Path, Shape, Text, Theme, hue_of, mix

SHADES = 5  # between two colours: few make the file small, and a notebook holds several
_FONTS = {"sans": "DejaVu Sans", "mono": "DejaVu Sans Mono"}


def paint(canvas: Canvas, hues: Iterable[int], dpi: int) -> bytes:
    """Return the bytes of a PNG, the same ones for the same strokes; hues: the numbers in use."""
    from PIL import Image

    palette = Image.new("P", (1, 1))
    palette.putpalette(palette_of(canvas.theme, hues))
    with _own_style(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph the font has not is drawn as a box
        figure = _figure(canvas)
        figure.set_dpi(dpi)
        figure.canvas.draw()
        size = figure.canvas.get_width_height()
        pixels = Image.frombuffer("RGBA", size, figure.canvas.buffer_rgba())
        few = pixels.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, format="PNG", optimize=True)
    return file.getvalue()


def _figure(canvas: Canvas) -> Any:
    """Return a matplotlib Figure, as high as the layout says, with all strokes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = canvas.layout.height
    figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor=canvas.theme.face)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    painters = {Shape: _shape, Path: _path, Text: _text}
    for order, stroke in enumerate(canvas.strokes()):
        painters[type(stroke)](axes, stroke, order)
    return figure


def _shape(axes: Any, shape: Shape, order: int) -> None:
    from matplotlib.collections import PolyCollection

    style = {"facecolors": shape.face, "linewidths": shape.width, "joinstyle": "miter"}
    style |= {"edgecolors": shape.edge or "none", "snap": shape.crisp or None, "zorder": order}
    axes.add_collection(PolyCollection(shape.polygons, **style), autolim=False)


def _path(axes: Any, path: Path, order: int) -> None:
    from matplotlib.collections import LineCollection

    dash = (0, path.dash) if path.dash else "-"
    style = {"colors": path.color, "linewidths": path.width, "linestyles": [dash]}
    lines = LineCollection(path.lines, zorder=order, capstyle="butt", **style)
    axes.add_collection(lines, autolim=False)


def _text(axes: Any, text: Text, order: int) -> None:
    style = {"color": text.color, "weight": text.weight, "ha": text.align, "zorder": order}
    style |= {"family": _FONTS[text.family], "style": "italic" if text.italic else "normal"}
    style |= {"fontsize": text.size, "va": "center_baseline", "parse_math": False}
    axes.text(text.x, text.y, text.words, **style)


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


def _own_style() -> Any:
    """Return a context in which nothing of the reader's matplotlib style is in force."""
    import matplotlib

    keep = ("backend", "interactive", "toolbar", "timezone", "savefig.directory")
    ours = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(keep)}
    return matplotlib.rc_context(ours | {"path.simplify": False})
