"""Put the reader's code into a module's source, name by name, as text.

A top-level function or class of the reader's takes the place of the one of the same name. In a
class that both have, the reader's methods take the places of those they name and the others stay.
The reader's own lines, comments included, are kept as they were typed.
"""

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

MARK = "# yours"
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Line = tuple[str, int]  # a line of text, and its number in the reader's cell (0: not the reader's)


_parse = lru_cache(64)(ast.parse)  # the same modules are read again and again


@dataclass(frozen=True)
class Grafted:
    """A module's text with the reader's code in it; `lines` leads from its lines to the cell's."""

    text: str
    lines: dict[int, int]


def graft(base: str, cell: str, label: str) -> Grafted:
    """Return `base` with the definitions of `cell` in it, each marked as the reader's.

    `label` stands in the mark: the name of the exercise. Both texts must parse.
    """
    mine = _Text.of(cell, numbered=True)
    lines = _Text.of(base)
    for imported in _imports(mine, base):
        lines = lines.insert(lines.after_imports(), imported)
    for name, nodes in _groups(mine.tree.body):
        lines = _graft_one(lines, mine, name, nodes, label)
    text = "\n".join(line for line, _ in lines.lines) + "\n"
    numbers = {here: there for here, (_, there) in enumerate(lines.lines, 1) if there}
    return Grafted(text, numbers)


def merge(cell: str, changed: str) -> str:
    """Return `cell` with the definitions of `changed` in it, and no marks."""
    text = graft(cell, changed, "merge").text
    return "\n".join(line for line in text.splitlines() if not line.strip().startswith(MARK)) + "\n"


def scratch(cell: str) -> str:
    """Return the lines of `cell` that are not grafted (trials, prints), the others left empty."""
    text = _Text.of(cell)
    kept = {
        number
        for node in text.tree.body
        if not _is_grafted(node) and not _is_import(node) and not _is_docstring(node)
        for number in range(node.lineno, node.end_lineno + 1)
    }
    return "\n".join(s if n in kept else "" for n, (s, _) in enumerate(text.lines, 1))


def extract(source: str, names: tuple[str, ...]) -> str:
    """Return the definitions `names` ("drive", "Future.result") of `source` as a cell's text."""
    text = _Text.of(source)
    parts: dict[str, list[str]] = {}
    for name in names:
        owner, _, method = name.rpartition(".")
        body = text.find_class(owner).body if owner else text.tree.body
        nodes = [node for key, group in _groups(body) if key == method for node in group]
        if not nodes:
            raise LookupError(f"the source has no {name}")
        code = "\n".join("\n".join(s for s, _ in text.span(node)) for node in nodes)
        parts.setdefault(owner, []).append(code)
    return "\n\n".join(_wrap(owner, code) for owner, code in parts.items()) + "\n"


def defined(source: str) -> dict[str, str]:
    """Return what `source` defines: dotted name to a normal form of its code, for comparing."""
    found: dict[str, str] = {}
    for name, nodes in _groups(_parse(source).body):
        found[name] = "\n".join(map(ast.dump, nodes))
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                for inner, group in _groups(node.body):
                    found[f"{name}.{inner}"] = "\n".join(map(ast.dump, group))
    return found


def marked(source: str) -> set[str]:
    """Return the dotted names in `source` that carry the mark of the reader's code."""
    text = _Text.of(source)
    found = set()
    for name, nodes in _groups(text.tree.body):
        for node in nodes:
            if text.is_marked(node):
                found.add(name)
            if isinstance(node, ast.ClassDef):
                inside = ((key, n) for key, group in _groups(node.body) for n in group)
                found |= {f"{name}.{key}" for key, n in inside if text.is_marked(n)}
    return found


def same_code(one: str, other: str) -> bool:
    """Tell whether two texts are the same program, comments and layout apart."""
    try:
        return ast.dump(_parse(one)) == ast.dump(_parse(other))
    except (SyntaxError, ValueError):
        return one.split() == other.split()


@dataclass
class _Text:
    lines: list[_Line]
    tree: ast.Module

    @classmethod
    def of(cls, source: str, numbered: bool = False) -> "_Text":
        # split at newlines only, as the parser does: splitlines() also splits at form feeds
        texts = [_spaces(line) for line in _regular(source).rstrip().split("\n")]
        lines = [(text, number if numbered else 0) for number, text in enumerate(texts, 1)]
        return cls(lines, _parse("\n".join(texts) + "\n"))

    @classmethod
    def _reparsed(cls, lines: list[_Line]) -> "_Text":
        return cls(lines, _parse("\n".join(text for text, _ in lines) + "\n"))

    def first(self, node: ast.stmt) -> int:
        """The number of the node's first line, its decorators included."""
        decorators = [d.lineno for d in getattr(node, "decorator_list", ())]
        return min([node.lineno, *decorators])

    def span(self, node: ast.stmt) -> list[_Line]:
        """The node's lines, with the comment lines that stand directly above it."""
        return self.lines[self._start(node) : node.end_lineno]

    def _start(self, node: ast.stmt) -> int:
        start = self.first(node) - 1
        while start > 0 and self._is_comment_at(start - 1, node.col_offset):
            start -= 1
        return start

    def _is_comment_at(self, index: int, column: int) -> bool:
        text = self.lines[index][0]
        return text[column:].startswith("#") and not text[:column].strip() and MARK not in text

    def is_marked(self, node: ast.stmt) -> bool:
        above = self._start(node) - 1
        return above >= 0 and self.lines[above][0].strip().startswith(MARK)

    def find_class(self, name: str) -> ast.ClassDef:
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return node
        raise LookupError(f"the source has no class {name}")

    def after_imports(self) -> int:
        head = takewhile(lambda n: _is_import(n) or _is_docstring(n), self.tree.body)
        return max((node.end_lineno for node in head), default=0)

    def insert(self, at: int, lines: list[_Line]) -> "_Text":
        return self._reparsed(self.lines[:at] + lines + self.lines[at:])

    def replace(self, nodes: list[ast.stmt], lines: list[_Line]) -> "_Text":
        """Put `lines` in the place of the first of `nodes`, and take the others out."""
        result = list(self.lines)
        for node in reversed(nodes):
            start = self._start(node) - self.is_marked(node)
            result[start : node.end_lineno] = lines if node is nodes[0] else []
        return self._reparsed(result)


def _graft_one(base: _Text, mine: _Text, name: str, nodes: list[ast.stmt], label: str) -> _Text:
    there = dict(_groups(base.tree.body)).get(name, [])
    if _are_classes(nodes) and _are_classes(there) and len(nodes) == 1:
        return _graft_class(base, mine, nodes[0], label)
    lines = _marked_lines(mine, nodes, 0, label)
    if there:
        return base.replace(there, lines)
    replaced = [base.first(n) for key, _ in _groups(mine.tree.body) for n in _find(base, key)]
    # A helper must stand before what uses it when the module is imported.
    at = min(replaced, default=len(base.lines) + 1) - 1
    while at > 0 and base.lines[at - 1][0].startswith("#"):
        at -= 1
    return base.insert(at, [*lines, ("", 0), ("", 0)])


def _graft_class(base: _Text, mine: _Text, cls: ast.ClassDef, label: str) -> _Text:
    for name, nodes in _groups(cls.body):
        there = base.find_class(cls.name)
        column = there.body[0].col_offset
        lines = _marked_lines(mine, nodes, column, label)
        known = dict(_groups(there.body)).get(name, [])
        if known:
            base = base.replace(known, lines)
        elif isinstance(nodes[0], _DEFS):
            base = base.insert(there.end_lineno, [("", 0), *lines])
        else:  # a class attribute: near the top, where what stands below can rely on it
            base = base.insert(there.body[0].end_lineno, lines)
    return base


def _marked_lines(mine: _Text, nodes: list[ast.stmt], column: int, label: str) -> list[_Line]:
    lines: list[_Line] = []
    for node in nodes:
        text = textwrap.dedent("\n".join(s for s, _ in mine.span(node)))
        if node.col_offset == column:  # the usual case: what was typed, to the letter
            text = "\n".join(s for s, _ in mine.span(node))
        else:
            text = textwrap.indent(text, " " * column)
        numbers = [number for _, number in mine.span(node)]
        lines += zip(text.split("\n"), numbers, strict=True)
        if node is not nodes[-1]:
            lines.append(("", 0))
    return [(" " * column + f"{MARK} ({label})", 0), *lines]


def _groups(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield each grafted name with all statements that define it (a property has several)."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if _is_grafted(node):
            for name in _names(node)[:1]:
                found.setdefault(name, []).append(node)
    yield from found.items()


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, _DEFS):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    parts = [part for t in targets for part in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [part.id for part in parts if isinstance(part, ast.Name)]


def _is_grafted(node: ast.stmt) -> bool:
    """Definitions, and constants; an assignment that calls something is a trial of the reader's."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        calls = node.value is not None and any(
            isinstance(n, ast.Call) for n in ast.walk(node.value)
        )
        return bool(_names(node)) and (not calls or node.col_offset > 0)
    return isinstance(node, _DEFS)


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def _are_classes(nodes: list[ast.stmt]) -> bool:
    return bool(nodes) and all(isinstance(node, ast.ClassDef) for node in nodes)


def _find(text: _Text, name: str) -> list[ast.stmt]:
    return dict(_groups(text.tree.body)).get(name, [])


def _imports(mine: _Text, base: str) -> Iterator[list[_Line]]:
    known = {ast.dump(n) for n in _parse(base).body if _is_import(n)}
    for node in mine.tree.body:
        if _is_import(node) and getattr(node, "module", "") != "__future__":
            if ast.dump(node) not in known:
                yield mine.span(node)


def _wrap(owner: str, code: list[str]) -> str:
    joined = ("\n\n" if owner else "\n\n\n").join(code)
    return f"class {owner}:\n{joined}" if owner else joined


def _spaces(line: str) -> str:
    """Turn the tabs a line is indented with into spaces; those inside it stay."""
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)].expandtabs(8) + body


def _regular(source: str) -> str:
    """Return `source` with each statement on lines of its own, as cutting by lines needs it."""
    tree = _parse(source)
    for block in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
        last = getattr(block, "lineno", 0)
        for node in block.body:
            if node.lineno <= last:
                return ast.unparse(tree)
            last = node.end_lineno
    return source
