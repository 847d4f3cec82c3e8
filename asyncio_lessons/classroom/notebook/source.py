"""Show code of the package in a notebook, as the reader will find it in the file."""

import ast
import inspect
import textwrap
from typing import Any


class Source:
    """Python source, coloured where the notebook can show it, plain text elsewhere."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.code}\n```"


def show_source(*things: Any, docstrings: bool = False) -> Source:
    """Return the source of functions, methods or classes, one after the other, to be shown.

    docstrings: keep the docstrings. Raises TypeError for what is not written in Python.
    """
    return Source("\n\n".join(_source_of(thing, docstrings) for thing in things))


def _source_of(thing: Any, docstrings: bool) -> str:
    try:
        code = textwrap.dedent(inspect.getsource(thing)).rstrip()
    except (OSError, TypeError) as error:
        raise TypeError(
            f"show_source() shows functions, methods and classes written in Python, not {thing!r}"
        ) from error
    return code if docstrings else _without_docstrings(code)


def _without_docstrings(code: str) -> str:
    lines = code.splitlines()
    for node in reversed(list(ast.walk(ast.parse(code)))):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            first, end = node.body[0].lineno - 1, node.body[0].end_lineno
            while end < len(lines) and not lines[end].strip():
                end += 1  # the blank lines under it go with it
            lines[first:end] = [None] * (end - first)
    return "\n".join(line for line in lines if line is not None)
