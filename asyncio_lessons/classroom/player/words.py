"""One sentence for each step of a film: what the task, the loop or the timer did.

A sentence is text in which code stands between backticks and ``{3}`` stands for task 3, so that the
page can show code as code and a task as its badge; `plain` puts the names in.
"""

import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from ..filming.film import ENDS

MOST_CODE = 90  # characters of an expression, a result or an error in a sentence
_TASK = re.compile(r"\{(\d+)\}")


def sentence(film: Any, step: Any, scene: dict[str, Any], awaited: str | None = None) -> str:
    """Return the sentence of a step.

    scene: the loop after it, as `Scene.as_dict` has it; awaited: what its task waited for before.
    """
    return " ".join(_SENTENCES[step.kind](Told(film, step, scene, awaited)).split())


def plain(film: Any, text: str) -> str:
    """Return a sentence as plain text, with the names of the tasks."""
    parts = text.split("`")
    parts[::2] = [_TASK.sub(lambda found: film.tasks[int(found[1])].name, p) for p in parts[::2]]
    return "".join(parts)


def seconds(length: float) -> str:
    """Return a length of time with its unit: "120 ms", "1.25 s"."""
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if length * scale >= 0.9995:
            return f"{length * scale:.4g} {unit}"
    return "0 µs" if length else "0 s"


def _length(text: str) -> float:
    """Return the seconds of a length such as "120 ms"."""
    number, unit = text.split()
    return float(number) / {"s": 1, "ms": 1e3, "µs": 1e6}[unit]


def code(text: str) -> str:
    """Return foreign text as code, in one line, shortened."""
    text = " ".join(text.replace("`", "ˋ").split())
    return f"`{text if len(text) <= MOST_CODE else text[: MOST_CODE - 1] + '…'}`"


class Told:
    """A step and the scene after it, and the parts of sentences that depend on them."""

    def __init__(self, film: Any, step: Any, scene: dict[str, Any], awaited: str | None) -> None:
        self.film, self.step, self.scene, self.awaited = film, step, scene, awaited
        self.task = f"{{{step.task}}}"
        self.kind = step.cause.kind if step.cause else "outside"
        self.maker = step.cause.task if step.cause else None

    def state(self, index: int) -> str:
        """Return the state of a task, "" before it is created."""
        held = self.scene["tasks"][index]
        return held["state"] if held else ""

    def line(self) -> str:
        """Return " (line 12)": where the task's own coroutine is suspended."""
        held = self.scene["tasks"][self.step.task]
        return f" (line {held['frames'][0]['line']})" if held and held["frames"] else ""

    def site(self) -> str:
        """Return where it was done: " at line 74, `jobs.put_nowait(n)`"."""
        site = self.step.site
        if not site:
            return ""
        source = self.film.sources[site["code"]]
        row = site["line"] - source["first"]
        text = source["lines"][row].strip() if 0 <= row < len(source["lines"]) else ""
        return f" at line {site['line']}" + (f", {code(text)}" if text else "")

    def call(self) -> str:
        """Return who calls a generator, how, and where: "The code outside calls next(g) ..."."""
        caller = f"{{{self.maker}}}" if self.maker is not None else "The code outside"
        return f"{caller} calls {code(self.step.text)}{self.site()}"

    def last_entry(self) -> str:
        """Return the label of what was put at the end of the ready queue."""
        return code(self.scene["ready"][-1]["label"]) if self.scene["ready"] else "it"

    def ran_at(self, time: float) -> int | None:
        """Return the task whose step was the last to begin up to a time."""
        for step in reversed(self.film.steps[: self.step.number]):
            if step.kind in ("run", "throw") and step.time <= time + 1e-9:
                return step.task
        return None


def _await(text: str | None) -> str:
    if not text:
        return "its `await`"
    return code(text if text.startswith("async ") else f"await {text}")


# -- one function for each kind of step -----------------------------------------------------------


def _begin(told: Told) -> str:
    if not told.film.loop:
        return "Nothing has run yet."
    return "Nothing has run yet: no task, no timer, and the ready queue is empty."


def _create(told: Told) -> str:
    task = told.task
    if not told.film.loop:
        return f"{task} is created{told.site()}: none of its code has run."
    joins = f"{task} joins the end of the ready queue"
    if told.state(told.step.task) == "created":
        joins = f"{task} starts at once, without the ready queue"
    if told.maker is None:
        begins = "The program begins as" if told.step.task == 0 else "A callback creates"
        return f"{begins} the task {task}: {joins}."
    return f"{{{told.maker}}} creates {task}{told.site()}: {joins}."


def _ready(told: Told) -> str:
    if told.step.task is None:
        by = f"{{{told.maker}}} schedules" if told.maker is not None else "The loop gets"
        return f"{by} {told.last_entry()}{told.site()}: it joins the end of the ready queue."
    task = told.task
    joins = f"{task} joins the end of the ready queue."
    if told.kind == "again":
        return f"{task} lets the others run first: {joins}"
    if told.kind == "timer":
        return f"The timer ends {_await(told.awaited)}: {joins}"
    if told.kind == "io":
        reported = ", ".join(map(code, told.step.reported)) or "a socket"
        return f"The selector reports {reported}, and {task} waits for that: {joins}"
    if told.kind == "thread":
        return f"Another thread wakes {task}: {joins}"
    if told.maker is None:
        return joins
    if told.maker == told.step.task:
        return f"{task} makes itself ready{told.site()}: {joins}"
    if told.state(told.maker) in ENDS:
        return f"{{{told.maker}}} has ended, and {task} waits for that: {joins}"
    return f"{{{told.maker}}} wakes {task}{told.site()}: {joins}"


def _run(told: Told) -> str:
    task = told.task
    if not told.film.loop:
        verb = "starts" if told.awaited is None else "resumes where it was suspended"
        return f"{told.call()}: {task} {verb}."
    if told.awaited is None:
        return f"{task} was first in the ready queue: the loop starts it."
    return f"{task} was first in the ready queue: the loop resumes it after {_await(told.awaited)}."


def _wait(told: Told) -> str:
    value = told.step.value
    if not told.film.loop:
        return f"{told.task} yields {code(value or 'None')} and is suspended{told.line()}."
    held = f"{told.task} is suspended at {_await(told.step.text)}{told.line()}"
    if value in (None, "None"):
        return f"{held} and asks to run again: the loop takes over."
    if value == told.step.text:
        return f"{held}: the loop takes over."
    return f"{held} and waits for {code(value)}: the loop takes over."


def _done(told: Told) -> str:
    result = told.step.value
    returns = f" and returns {code(result)}" if result not in (None, "None") else ""
    if not told.film.loop:
        return f"{told.task} is finished{returns}."
    return f"{told.task} is done{returns}."


def _cancelled(told: Told) -> str:
    if not told.film.loop:
        return f"{told.task} is closed."
    return f"`CancelledError` leaves the coroutine of {told.task}: the task is cancelled."


def _failed(told: Told) -> str:
    error = code(told.step.text or told.step.value)
    if not told.film.loop:
        return f"{error} leaves {told.task}, which is finished."
    return f"{error} leaves the coroutine of {told.task}: the task has failed."


def _call(told: Told) -> str:
    by = f", which {{{told.maker}}} asked for" if told.maker is not None else ""
    if told.kind == "timer":
        return f"The loop runs the callback of the timer: {code(told.step.text)}."
    return f"The loop takes {code(told.step.text)} from the ready queue and calls it{by}."


def _return(told: Told) -> str:
    return "It returns: the loop takes over."


def _timer(told: Told) -> str:
    setter = told.step.task if told.step.task is not None else told.maker
    timers = [t for t in told.scene["timers"] if t["label"] == told.step.text]
    when = f", due at {seconds(timers[-1]['when'])}" if timers else ""
    if setter is None:
        return f"A timer is set{when}: {code(told.step.text)}."
    label = code(told.step.text.removesuffix(f" of {told.film.tasks[setter].name}"))
    site = told.site()
    told_there = label.replace("'", '"') in site.replace("'", '"')
    at = f",{site}" if when and site else site
    return f"{{{setter}}} sets a timer{when}{at}" + ("." if told_there else f": {label}.")


def _sleep(told: Told) -> str:
    timers = told.scene["timers"]
    waits = ", ".join(dict.fromkeys(code(t["label"]) for t in timers[:1]))
    why = f", when the timer of {waits} is due" if waits else ""
    return f"Nothing is ready: the loop sleeps {told.step.text}{why}."


def _due(told: Told) -> str:
    ready = reversed(told.scene["ready"])
    count = len(list(takewhile(lambda entry: (entry["cause"] or [""])[0] == "timer", ready)))
    timers = f"{count} timers are" if count > 1 else f"The timer of {code(told.step.text)} is"
    join = "their callbacks join" if count > 1 else "its callback joins"
    late = "" if told.step.value in (None, "", "0 s") else f", {told.step.value} late"
    if late and (busy := told.ran_at(told.step.time - _length(told.step.value))) is not None:
        late += f" because {{{busy}}} was running"
    return f"{timers} due{late}: {join} the end of the ready queue."


def _throw(told: Told) -> str:
    error = code(told.step.text)
    if not told.film.loop:
        error = "`GeneratorExit`" if told.step.text == "close()" else "the error"
        return f"{told.call()}: {error} is raised inside {told.task}{told.line()}."
    return (
        f"{told.task} was first in the ready queue: {error} is raised at its `await`{told.line()}."
    )


def _end(told: Told) -> str:
    error = told.film.error
    if told.film.truncated:
        return "The recording stopped here, at its limit; the program continued."
    if error is None:
        return "The program is over." if told.film.loop else "The film ends here."
    kind, message = type(error).__name__, str(error)
    return f"The program is over: it raised {code(f'{kind}: {message}' if message else kind)}."


_SENTENCES: dict[str, Callable[[Told], str]] = {
    "begin": _begin,
    "create": _create,
    "ready": _ready,
    "run": _run,
    "wait": _wait,
    "done": _done,
    "cancelled": _cancelled,
    "failed": _failed,
    "call": _call,
    "return": _return,
    "timer": _timer,
    "sleep": _sleep,
    "due": _due,
    "throw": _throw,
    "end": _end,
}
