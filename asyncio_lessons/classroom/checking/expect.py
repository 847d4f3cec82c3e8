"""What the checks are written with: compare, and say one sentence about what is wrong."""

import re
from collections.abc import Callable
from typing import Any


class Refused(Exception):
    """The reader's code does not do what a check claims; says what it does, and what it should."""

    def __init__(self, sentence: str, yours: Any = "", expected: Any = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.yours = yours
        self.expected = expected

    def row(self) -> dict:
        """Return the row of the report."""
        return {
            "holds": False,
            "yours": _shown(self.yours),
            "expected": _shown(self.expected),
            "sentence": self.sentence,
        }


class Events(list):
    """What happened, in order, a line each; shown as a list rather than as a value."""


def same(yours: Any, expected: Any, sentence: str) -> None:
    """Refuse with `sentence` unless both are equal (and of one type: True is not 1)."""
    if type(yours) is not type(expected) or yours != expected:
        kind = Events if isinstance(expected, Events) else _value
        raise Refused(sentence, kind(yours), kind(expected))


def holds(fact: Any, sentence: str, yours: Any = "", expected: Any = "") -> None:
    """Refuse with `sentence` unless `fact` is true; `yours` and `expected` are words."""
    if not fact:
        raise Refused(sentence, yours, expected)


def raises(
    kind: type[BaseException], call: Callable[[], Any], sentence: str, text: str = ""
) -> BaseException:
    """Refuse with `sentence` unless ``call()`` raises a `kind`; return what was raised."""
    try:
        value = call()
    except kind as error:
        if text not in str(error):
            mine, other = f"{kind.__name__}: {error}", f"{kind.__name__}: {text}"
            raise Refused(sentence, mine, other) from None
        return error
    except (NameError, AttributeError):
        raise  # a slip of the pen, which the line it stands in says best
    except Exception as error:
        raise Refused(sentence, f"raised {_error(error)}", f"raises {kind.__name__}") from None
    raise Refused(sentence, f"returned {safe_repr(value)}", f"raises {kind.__name__}")


def safe_repr(value: Any) -> str:
    """Return a short repr, whatever the object's own ``__repr__`` does."""
    try:
        text = repr(value)
    except BaseException as error:
        return f"<{type(value).__name__}, whose __repr__ raises {type(error).__name__}>"
    if not isinstance(text, str):
        return f"<{type(value).__name__}>"
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _error(error: BaseException) -> str:
    name = type(error).__name__
    return f"{name}: {safe_str(error)}" if safe_str(error) else name


def safe_str(value: Any) -> str:
    """Return a short str on one line, whatever the object's own ``__str__`` does."""
    try:
        return " ".join(str(value).split())[:160]
    except BaseException:
        return ""


class _value:
    """Wraps a value, so that the row shows its repr: a string in quotes, unlike words."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _shown(side: Any) -> str | list[str]:
    if isinstance(side, Events):
        return [event if isinstance(event, str) else safe_repr(event) for event in side]
    if isinstance(side, _value):
        return safe_repr(side.value)
    return side if isinstance(side, str) else safe_repr(side)
