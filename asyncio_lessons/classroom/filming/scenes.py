"""Steps and scenes: what a person sees who steps through a film made with ``details=True``.

A `Step` is one thing that happened; the scene of a step is the loop *after* it, always. Step 0 is
before anything ran. A step is one event of the film, except:

- creating a task and its becoming ready are one step;
- "sleep" is added: nothing was ready, and the loop slept until a timer or something from outside;
- "due" is added: timers became due and entered the ready queue;
- "ready" with ``task=None`` is a plain callback that entered the ready queue;
- what is printed belongs to the step in which it was printed, a cancelled timer to the next step.

Scenes are kept as changes from the one before; `developing` says how they come from what was
noted. A `Delta` is ``[path, value]`` (set), ``[path, value, "+"]`` (insert at the index that ends
the path) or ``[path, None, "-"]`` (delete there); `change` applies one to a scene as a dict.
"""

from typing import Any, NamedTuple

Delta = list

KEY_FRAMES = 200  # steps from one whole scene that is kept to the next


class Step(NamedTuple):
    """One thing that happened.

    kind: "begin", "create", "ready", "run", "throw" (a step that begins with an error), "wait",
    "done", "cancelled", "failed", "call", "return", "timer" (set), "sleep", "due" or "end"; turn:
    the number of the loop's turn, 0 before the first; task: its index, None for a callback; cause:
    who did it; text: the awaited expression, the error, the reason, the callback's name; value:
    what came out of the await ("Future 4"), the result or error at the end; site: where in the
    program's own code it was done (code, line, function), frames: all of that stack (code, line),
    or for an error those it travelled through; reported: what the selector told before this step.
    """

    number: int
    kind: str
    time: float
    turn: int = 0
    task: int | None = None
    cause: tuple[str, int | None] | None = None
    text: str = ""
    value: str | None = None
    site: dict[str, Any] | None = None
    frames: list[dict[str, int]] = []
    reported: list[str] = []


class Scene(NamedTuple):
    """The loop after a step, in plain data; `tasks` has None for a task that is not created yet."""

    time: float
    turn: int
    running: dict[str, Any] | None
    ready: list[dict[str, Any]]
    timers: list[dict[str, Any]]
    selector: list[dict[str, Any]] | None
    printed: list[dict[str, Any]]
    tasks: list[dict[str, Any] | None]

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dict that can be written as JSON."""
        return self._asdict()


def change(scene: dict[str, Any], delta: Delta) -> None:
    """Apply one change to a scene."""
    *way, last = delta[0]
    for key in way:
        scene = scene[key]
    value = _copied(delta[1])
    operation = delta[2] if len(delta) > 2 else "="
    if operation == "+":
        scene.insert(last, value)
    elif operation == "-":
        del scene[last]
    else:
        scene[last] = value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


class Details:
    """What a film made with ``details=True`` has more than another."""

    def __init__(self, sees_selector: bool) -> None:
        self.steps: list[Step] = []
        self.deltas: list[list[Delta]] = []
        self.sources: list[dict[str, Any]] = []
        self.sees_selector = sees_selector
        self._kept: list[dict[str, Any]] = []  # every so many steps a whole scene

    def scene(self, number: int) -> Scene:
        """Return the scene after a step; raises IndexError if there is no such step."""
        if not 0 <= number < len(self.steps):
            raise IndexError(f"steps are numbered 0 to {len(self.steps) - 1}; got {number}")
        while len(self._kept) <= number // KEY_FRAMES:
            self._kept.append(self._played(len(self._kept) * KEY_FRAMES))
        plain = self._played(number)
        for timer in plain["timers"]:
            timer["late"] = max(0.0, round(plain["time"] - timer["when"], 9))
        return Scene(**plain)

    def _played(self, number: int) -> dict[str, Any]:
        nearest = min(number // KEY_FRAMES, len(self._kept) - 1)
        scene = _copied(self._kept[nearest]) if nearest >= 0 else {}
        begin = nearest * KEY_FRAMES + 1 if nearest >= 0 else 0
        for deltas in self.deltas[begin : number + 1]:
            for delta in deltas:
                change(scene, delta)
        return scene
