"""Films drawn by hand, to scale, of what no loop runs: the waits and threads of lesson 01."""

from collections.abc import Iterator

from ..filming.film import Film

PAGE, BUSY = 0.2, 0.006  # seconds from a request to its answer; to send it, or to read the answer
Span = tuple[str, str, float, float, str]


def _fetched(who: str, start: float, busy: float = BUSY, waits: str = "recv(1024)") -> list[Span]:
    sent, come = start + busy, start + PAGE - BUSY
    return [
        (who, "running", start, sent, ""),
        (who, "waiting", sent, come, waits),
        (who, "running", come, come + busy, ""),
    ]


def pages_in_a_row() -> Film:
    """Five pages, fetched one after another by one thread."""
    return Film.by_hand(span for n in range(5) for span in _fetched("the program", n * PAGE))


def pages_in_threads() -> Film:
    """Five pages, each fetched by a thread of its own."""
    return Film.by_hand(s for n in range(5) for s in _fetched(f"thread {n + 1}", n * BUSY))


def pages_by_select() -> Film:
    """Five pages, fetched by one thread that waits for all five answers together."""
    return Film.by_hand(_fetched("one thread", 0, 5 * BUSY, "select(all five)"))


def lost_deposit() -> Film:
    """Two threads read the same total and write it plus 1: A, B, B, A."""
    return Film.by_hand(_lost())


def _lost() -> Iterator[Span]:
    yield "A", "running", 0, 1, ""
    yield "A", "waiting", 1, 3, "stopped, and holds 0"
    yield "B", "running", 1, 3, ""
    yield "A", "running", 3, 4, ""
