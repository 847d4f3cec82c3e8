"""Leaves out of a script and a style what only their author needs: comments, spaces, long names."""

import re
import string
from collections import Counter
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'
        |(?:(?<=[(,=:\[!&|?])|(?<=[(,=:\[!&|?]\s))/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\\n])+/[a-z]*)
    |(?P<template>`(?:\\.|[^`\\])*`)
    |(?P<space>\s+)
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<sign>\.\.\.|=>|.)""",
    re.VERBOSE | re.DOTALL,
)
_INSERTED = re.compile(r"\$\{([^{}]*)\}")


def script(text: str) -> str:
    """Return JavaScript without comments and needless spaces, its own long names shortened.

    Each statement ends in ";" or "}", a template holds no other template and no "{" in what it
    inserts, and a name that is declared is not written as a property in shorthand.
    """
    tokens = [(found.lastgroup, found[0]) for found in _TOKEN.finditer(text)]
    short = _short_names(tokens)
    parts: list[str] = []
    space = False
    for kind, token in tokens:
        if kind in ("space", "comment"):
            space = True
            continue
        if kind == "word" and not (parts and parts[-1] == "."):
            token = short.get(token, token)
        elif kind == "template":
            token = _INSERTED.sub(lambda found: "${" + _in_template(found[1], short) + "}", token)
        if token == "}" and parts and parts[-1] == ";":
            parts.pop()
        if token in ")]}" and parts and parts[-1] == ",":
            parts.pop()
        if space and parts and _would_join(parts[-1], token):
            parts.append(" ")
        parts.append(token)
        space = False
    return "".join(parts)


def _in_template(text: str, short: dict[str, str]) -> str:
    """Return an expression with short names."""
    names = re.compile(r"""("[^"]*")|(?<![\w$.])([A-Za-z_$][\w$]*)""")
    return names.sub(lambda found: found[1] or short.get(found[2], found[2]), text)


def _short_names(tokens: list[tuple[str, str]]) -> dict[str, str]:
    """Return a short name for each one that is declared, and is nowhere a property's."""
    code = [token for kind, token in tokens if kind not in ("space", "comment")]
    words = Counter(token for kind, token in tokens if kind == "word")
    words.update(re.findall(r"[A-Za-z_$][\w$]*", " ".join(t for k, t in tokens if k == "template")))
    triples = list(zip(code, code[1:], code[2:], strict=False))
    properties = {name for sign, name, _ in triples if sign == "."}
    properties |= {name for a, name, b in triples if b == ":" and a in "{,"}
    declared = set(_declared(code))
    free = (a + b for a in string.ascii_letters for b in ("", *"0123456789") if a + b not in words)
    free = iter(sorted(free, key=len))
    wanted = [n for n, _ in words.most_common() if n in declared - properties and len(n) > 2]
    return dict(zip(wanted, free, strict=False))


def _declared(code: list[str]) -> Iterator[str]:
    """Yield the names after const and let, and those of parameters; not what stands in braces."""
    for place, token in enumerate(code):
        if token in ("const", "let"):
            yield from _names_of(_group(code, place + 1, 1))
        elif token == "=>":
            yield from _names_of(_group(code, place - 1, -1))


def _group(code: list[str], place: int, way: int) -> list[str]:
    """Return the token at a place, or the group in brackets that begins or ends there."""
    depth, end = 0, place
    while True:
        depth += (code[end] in "([{") - (code[end] in ")]}")
        if not depth:
            return code[min(place, end) : max(place, end) + 1]
        end += way


def _names_of(group: list[str]) -> Iterator[str]:
    depth = 0
    for token in group:
        depth += (token == "{") - (token == "}")
        if not depth and re.fullmatch(r"[A-Za-z_$][\w$]*", token):
            yield token


def _would_join(last: str, first: str) -> bool:
    """Say whether two tokens need the space between them."""
    ends, begins = last[-1], first[0]
    if ends in "+-":
        return ends == begins
    return (ends.isalnum() or ends in "_$") and (begins.isalnum() or begins in "_$")


def style(text: str) -> str:
    """Return CSS without comments and needless spaces."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" ?([{};,>]) ?", r"\1", text)
    text = re.sub(r"(?<=[\w-]): ", ":", text)
    return text.replace(";}", "}").strip()
