"""Paints strokes as an SVG document: text without an id, a script, or anything from outside.

Two canvases of one layout, light and dark, give one document that follows the colour scheme of the
page around it; one canvas gives a document in its colours.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

from .canvas import WIDTH, Canvas, Path, Shape, Text
from .words import text_width

_FONTS = """text{font-family:"DejaVu Sans",Verdana,sans-serif;white-space:pre}
.mono{font-family:"DejaVu Sans Mono",Menlo,Consolas,monospace}
.bold{font-weight:bold}.italic{font-style:italic}
.middle{text-anchor:middle}.end{text-anchor:end}
.crisp{shape-rendering:crispEdges}path{fill:none}"""
_MIDDLE = 0.38  # of the size: from the middle of a line down to its baseline
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def paint(canvases: Sequence[Canvas], description: str) -> str:
    """Return the document; canvases: one, or a light and a dark one; description: what it shows."""
    colors = _Colors([canvas.theme.face for canvas in canvases])
    height = f"{canvases[0].layout.height:g}"
    strokes = zip(*(canvas.strokes() for canvas in canvases), strict=True)
    marks = [_PAINTERS[type(looks[0])](looks, colors) for looks in strokes]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height}" role="img" '
            f'width="{WIDTH:g}pt" height="{height}pt">',
            f"<title>{_escape(description)}</title>",
            f"<style>{_FONTS}\n{colors.rules()}</style>",
            f'<rect class="f0" width="{WIDTH:g}" height="{height}"/>',
            *marks,
            "</svg>\n",
        ]
    )


class _Colors:
    """Gives each colour, or pair of a light and a dark one, a class for filling and for drawing."""

    def __init__(self, ground: list[str]) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._used: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.fill(ground)

    def fill(self, colors: Sequence[str]) -> str:
        return self._class("fill", colors)

    def stroke(self, colors: Sequence[str]) -> str:
        return self._class("stroke", colors)

    def _class(self, way: str, colors: Sequence[str]) -> str:
        number = self._numbers.setdefault(tuple(colors), len(self._numbers))
        name = f"{way[0]}{number}"
        self._used[name] = (way, tuple(colors))
        return name

    def rules(self) -> str:
        light, *dark = (
            "".join(f".{name}{{{way}:{color}}}" for name, (way, color) in theme)
            for theme in zip(*map(self._rules, self._used), strict=True)
        )
        return light + "".join(f"\n@media (prefers-color-scheme:dark){{{rules}}}" for rules in dark)

    def _rules(self, name: str) -> list[tuple[str, tuple[str, str]]]:
        way, colors = self._used[name]
        return [(name, (way, color)) for color in colors]


def _shape(looks: Sequence[Shape], colors: _Colors) -> str:
    shape = looks[0]
    classes = [colors.fill([look.face for look in looks])]
    stroke = ""
    if shape.width:
        classes.append(colors.stroke([look.edge for look in looks]))
        stroke = f' stroke-width="{shape.width:g}"'
    classes += ["crisp"] if shape.crisp else []
    d = _rects(shape.polygons) if shape.crisp else _points(shape.polygons, "z")
    return f'<path class="{" ".join(classes)}"{stroke} d="{d}"/>'


def _path(looks: Sequence[Path], colors: _Colors) -> str:
    path = looks[0]
    dash = f' stroke-dasharray="{path.dash[0]:g} {path.dash[1]:g}"' if path.dash else ""
    color = colors.stroke([look.color for look in looks])
    style = f'class="{color}" stroke-width="{path.width:g}"{dash}'
    return f'<path {style} d="{_points(path.lines, "")}"/>'


def _text(looks: Sequence[Text], colors: _Colors) -> str:
    text = looks[0]
    classes = [colors.fill([look.color for look in looks])]
    classes += ["mono"] if text.family == "mono" else []
    classes += ["bold"] if text.weight == "bold" else []
    classes += ["italic"] if text.italic else []
    classes += {"center": ["middle"], "right": ["end"]}.get(text.align, [])
    width = text_width(text.words, text.size, text.weight, text.family)
    return (
        f'<text class="{" ".join(classes)}" x="{_number(text.x)}" '
        f'y="{_number(text.y + _MIDDLE * text.size)}" font-size="{text.size:g}" '
        f'textLength="{_number(width)}">{_escape(text.words)}</text>'
    )


_PAINTERS: dict[type, Any] = {Shape: _shape, Path: _path, Text: _text}


def _rects(polygons: Sequence[Sequence[tuple[float, float]]]) -> str:
    return "".join(
        f"M{_number(left)} {_number(top)}H{_number(right)}V{_number(bottom)}H{_number(left)}z"
        for (left, top), _, (right, bottom), _ in polygons
    )


def _points(lines: Sequence[Sequence[tuple[float, float]]], end: str) -> str:
    return "".join(
        "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in line) + end for line in lines
    )


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}"


def _escape(text: str) -> str:
    return html.escape(_NOT_XML.sub("\ufffd", text), quote=False)
