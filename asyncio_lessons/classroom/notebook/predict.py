"""%predict: a question in the page. The reader clicks an answer and reads the reason for it.

Each answer is a fold (``<details>``) that holds its own reason, so a click needs no script: it
works where scripts are cut, too. The script counts: it keeps the first answer to each question in
the page's storage, where `%progress` finds it, and covers the output of the cell below in a page
without a kernel. An answer that is typed (``%predict foo-called b``) is kept beside `my_asyncio`.
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .. import workshop
from ..checking.catalog import UnknownName
from ..checking.report import as_code
from ..predictions import Prediction, find

STORE = "asyncio_lessons.predictions"  # its name in the page's storage
_WORDS = {True: ("✓ Yes.", "#1a9850"), False: ("✕ No.", "#d6604d")}
_SCRIPT = (Path(__file__).with_name("predict.js")).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Asked:
    """A prediction as it is shown; `chosen` is the letter the reader typed, or nothing."""

    prediction: Prediction
    chosen: str = ""

    def __str__(self) -> str:
        asked = self.prediction
        if self.chosen:
            answer = asked.answers[self.chosen]
            return f"{self.chosen}  {answer.text}\n{_WORDS[answer.right][0]} {answer.reason}"
        lines = [f"Predict: {asked.question}"]
        lines += [f"  {letter}  {answer.text}" for letter, answer in asked.answers.items()]
        return "\n".join([*lines, f"Click an answer, or type its letter: %predict {asked.name} a"])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """Return the question with its answers as folds, without ids, and the script."""
        asked = self.prediction
        folds = "".join(self._fold(letter) for letter in asked.answers)
        return (
            f'<div data-predict="{escape(asked.name)}" data-lm-suppress-shortcuts="true" '
            'style="border-left:4px solid #0077bb;padding:2px 0 2px 12px;max-width:760px">'
            f"<div><b>Predict.</b> {as_code(asked.question)}</div>{folds}"
            '<div data-note style="font-size:90%;opacity:.8">Click your answer. '
            "Then run the cell below.</div>"
            f"<script>{_script()}</script></div>"
        )

    def _fold(self, letter: str) -> str:
        answer = self.prediction.answers[letter]
        words, colour = _WORDS[answer.right]
        return (
            f'<details data-answer="{letter}"{" open" * (letter == self.chosen)} style="margin:5px '
            '0;padding:4px 10px;border:1px solid rgba(128,128,128,.45);border-radius:6px">'
            f'<summary style="cursor:pointer">{as_code(answer.text)}</summary>'
            f'<div style="margin:4px 0 2px 14px"><b style="color:{colour}">{words}</b> '
            f"{as_code(answer.reason)}</div></details>"
        )


def _script() -> str:
    return " ".join(_SCRIPT.replace("STORE", json.dumps(STORE)).split())


def ask(name: str, letter: str = "") -> Asked:
    """Return the question of that name; with a letter, keep that answer and show its reason.

    Raises UnknownName for a prediction or an answer that does not exist.
    """
    prediction = find(name)
    if letter:
        letter = letter.lower()
        if letter not in prediction.answers:
            letters = ", ".join(prediction.answers)
            raise UnknownName(f"The answers of {name} are {letters}: {letter!r} is none of them.")
        _keep(name, letter)
    return Asked(prediction, letter)


def typed() -> dict[str, str]:
    """Return the answers that were typed: the name of a prediction to the first letter."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        return {str(name): str(letter) for name, letter in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep(name: str, letter: str) -> None:
    """Keep a first answer. Where nothing can be written, the reason is shown all the same."""
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: letter, **typed()}, indent=1)
        _file().write_text(f"{text}\n", encoding="utf-8")
    except OSError:
        print(f"{_file().parent} cannot be written: this answer is not counted.")


def _file() -> Path:
    return workshop.folder() / "predictions.json"
