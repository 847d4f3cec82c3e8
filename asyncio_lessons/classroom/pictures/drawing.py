"""What shows itself in a notebook and writes itself to a file, the same bytes each time.

In a page stands an SVG, which follows the page's theme and needs no package; beside it a PNG, for
readers of notebooks that show nothing else, where matplotlib is there to paint it.
"""

import base64
import html
import importlib.util
from typing import Any

from . import png, svg
from .canvas import THEMES, WIDTH, Canvas, Theme

CHOICES = ("auto", *THEMES)  # "auto": an SVG follows the page, a PNG is light
PIXELS = round(WIDTH * 4 / 3)  # the width in a page

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
        if not can_paint_png():
            raise ModuleNotFoundError(
                "a PNG is painted by matplotlib and Pillow, and one of them is not installed: "
                "save the picture as .svg, or pip install matplotlib pillow"
            )
        theme = THEMES["light" if self.theme == "auto" else self.theme]
        return png.paint(self.canvas(theme), self.layout.hues.values(), dpi)

    def svg(self) -> str:
        """Return an SVG document, the same text for the same film; it needs no other package."""
        themes = THEMES if self.theme == "auto" else (self.theme,)
        return svg.paint([self.canvas(THEMES[name]) for name in themes], self.describe())

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
    try:
        return all(importlib.util.find_spec(name) for name in ("matplotlib", "PIL"))
    except ValueError:  # barred by an entry of None in sys.modules
        return False
