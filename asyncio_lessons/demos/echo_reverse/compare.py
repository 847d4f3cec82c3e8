"""Put each engine through one script of clients and note what it did: lesson 12's figure and table.

The clients act one at a time, each after the server has settled. So time is counted in steps of
the script, and what is noted is the same from run to run: which message was taken in when, in
which call each thread of the server waits meanwhile, and whether the server uses the processor
while no client asks for anything.
"""

import ast
import inspect
import select
import socket
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import NamedTuple

from .load import connect
from .protocol import EchoReverse
from .server import ENGINES, running

SEVEN = tuple(name for name in ENGINES if name != "uvloop")  # uvloop runs asyncio's code
# One action a step. A client connects when it asks first. A beat is a client that asks once.
SCRIPT = (
    "beat asks",
    "client 1 asks",
    "beat asks",
    "client 2 asks",
    "beat asks",
    "client 1 asks",
    "beat asks",
    "client 2 asks",
    "beat asks",
    "client 1 leaves",
    "beat asks",
    "client 2 asks",
    "beat asks",
    "client 2 leaves",
    "beat asks",
)
MESSAGE = b"hello\n"
PATIENCE = 0.2  # seconds without an answer after which a client is said to wait
PAUSE = 0.02  # seconds after each step in which no client asks for anything
SPINS = 0.08  # a server that uses this share of the pauses spins, also on a busy machine


class Message(NamedTuple):
    """A message: who sent it, in which step, and in which step the server took it in."""

    who: str
    asked: int
    taken: int


@dataclass
class Observation:
    """What an engine did.

    lines: of its code; messages: in the order in which the server took them in; stays: for each
    client the steps in which it came and left; stands: after each step, in which calls the
    server's threads wait; threads: how many there were at most; spins: whether it used the
    processor in the pauses; served: how many clients had an answer and were still there, at most.
    """

    engine: str
    lines: int
    messages: list[Message]
    stays: dict[str, tuple[int, int]]
    stands: list[str]
    threads: int
    spins: bool
    served: int

    @property
    def beats(self) -> list[int]:
        """The steps in which a beat was answered, in order."""
        return [message.taken for message in self.messages if message.who == "beat"]

    @property
    def longest_gap(self) -> int:
        """The most steps from one beat to the next."""
        return max(after - before for before, after in pairwise(self.beats))


def observe(name: str, package: str = "asyncio_lessons") -> Observation:
    """Put one engine through `SCRIPT` and return what it did.

    Args:
        name: one of `ENGINES`.
        package: what the engine `lessons` runs on.

    Raises:
        ValueError: there is no such engine, or what it needs is not installed.
    """
    others = set(threading.enumerate())
    with running(name, package=package) as server, _Play(server.address, others) as play:
        for action in SCRIPT:
            play.step(action)
    spins = play.used > SPINS * PAUSE * len(SCRIPT)
    stands = ["asks everyone, again and again"] * len(SCRIPT) if spins else play.stands
    threads, served = max(play.threads), max(play.served)
    return Observation(
        name, lines_of(name), play.messages, play.stays, stands, threads, spins, served
    )


class _Visitor:
    """A connection of the script, and the step of the question it waits with."""

    def __init__(self, who: str, address: tuple[str, int]) -> None:
        self.who = who
        self.connection = connect(address)
        self.name = self.connection.getsockname()[:2]
        self.asked: int | None = None
        self.answers = 0


class _Play:
    """Acts the script, and watches the server from outside and, in `EchoReverse`, from inside."""

    def __init__(self, address: tuple[str, int], others: set[threading.Thread]) -> None:
        self.address, self.others = address, others
        self.visitors: list[_Visitor] = []
        self.messages: list[Message] = []
        self.stays: dict[str, tuple[int, int]] = {}
        self.stands: list[str] = []
        self.threads: list[int] = []
        self.served: list[int] = []
        self.used, self.now = 0.0, 0

    def __enter__(self) -> "_Play":
        self._receive = receive = EchoReverse.receive

        def noting(protocol: EchoReverse, data: bytes) -> bytes:
            if data:
                self.note(protocol.client)
            return receive(protocol, data)

        EchoReverse.receive = noting
        return self

    def __exit__(self, *_: object) -> None:
        EchoReverse.receive = self._receive
        for visitor in self.visitors:
            visitor.connection.close()

    def note(self, client: tuple) -> None:
        """Note, in the server's own thread, that it has taken in a message."""
        visitor = next(v for v in self.visitors if v.name == client[:2])
        self.messages.append(Message(visitor.who, visitor.asked, self.now))

    def step(self, action: str) -> None:
        who, _, what = action.rpartition(" ")
        self.ask(who) if what == "asks" else self.leave(who)
        self.read_answers()
        self.look()
        self.now += 1

    def ask(self, who: str) -> None:
        visitor = next((v for v in self.visitors if v.who == who != "beat"), None)
        if visitor is None:
            self.visitors.append(visitor := _Visitor(who, self.address))
            if who != "beat":
                self.stays[who] = (self.now, len(SCRIPT))
        if visitor.asked is None:  # else it still waits, and has nothing new to say
            visitor.asked = self.now
            visitor.connection.sendall(MESSAGE)

    def leave(self, who: str) -> None:
        visitor = next(v for v in self.visitors if v.who == who)
        self.stays[who] = (self.stays[who][0], self.now)
        self.say_goodbye(visitor)

    def say_goodbye(self, visitor: _Visitor) -> None:
        """End a visit and wait until the server has noticed: it closes its side."""
        visitor.connection.shutdown(socket.SHUT_WR)
        while visitor.connection.recv(99):
            pass
        visitor.connection.close()
        self.visitors.remove(visitor)

    def read_answers(self) -> None:
        """Read what the server answers until all are answered, or nothing comes for a while."""
        while waiting := {v.connection: v for v in self.visitors if v.asked is not None}:
            ready, _, _ = select.select(list(waiting), [], [], PATIENCE)
            if not ready:
                return
            for visitor in map(waiting.get, ready):
                visitor.answers += visitor.connection.recv(99) == MESSAGE[::-1]
                visitor.asked = None
                if visitor.who == "beat":
                    self.say_goodbye(visitor)

    def look(self) -> None:
        """No client asks for anything now: see in which calls the server's threads wait."""
        began = time.process_time()
        time.sleep(PAUSE)
        self.used += time.process_time() - began
        threads = [thread for thread in threading.enumerate() if thread not in self.others]
        self.threads.append(len(threads))
        self.stands.append(" · ".join(sorted(map(self.stand, threads))))
        self.served.append(sum(visitor.answers > 0 for visitor in self.visitors))

    def stand(self, thread: threading.Thread) -> str:
        """Return the call a thread waits in: the innermost of those that wait."""
        frame = sys._current_frames().get(thread.ident)
        while frame is not None:
            if frame.f_code.co_name in ("accept", "select"):
                return f"{frame.f_code.co_name}()"
            if frame.f_code.co_name == "converse":
                return f"recv() from {self.who(frame.f_locals['address'])}"
            frame = frame.f_back
        return "runs"

    def who(self, address: tuple) -> str:
        """Return the number of the client at an address."""
        return next(
            (v.who.split()[-1] for v in self.visitors if v.name == address[:2]), "no client"
        )


def lines_of(name: str) -> int:
    """Return how many lines of code an engine has: no empty line, no comment, no docstring."""
    from . import blocking

    module = import_module(f".{ENGINES[name]}", __package__)
    borrowed = [blocking.converse] if name == "threads" else []
    return sum(_code_lines(inspect.getsource(thing)) for thing in [module, *borrowed])


def _code_lines(source: str) -> int:
    lines = {n for n, line in enumerate(source.splitlines(), 1) if line.split("#")[0].strip()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def table(observations: Iterable[Observation]) -> str:
    """Return the table of lesson 12, a line for each engine."""
    rows = [("engine", "lines", "threads", "CPU in a pause", "longest gap", "served at once")]
    for seen in observations:
        gap = f"{seen.longest_gap} steps"
        pause = "spins" if seen.spins else "sleeps"
        rows.append((seen.engine, seen.lines, seen.threads, pause, gap, seen.served))
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
