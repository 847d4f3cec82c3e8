"""A loop on the virtual clock for the checks: turns are counted, reports are kept."""

from collections.abc import Callable, Coroutine
from typing import Any

from .expect import Refused

TURNS = 2000  # far more than any check needs: beyond that the code waits by asking again and again


def quiet_loop(aio: Any, kind: str = "BaseEventLoop") -> Any:
    """Return a loop whose reports land in ``loop.reports`` and whose turns are counted."""
    loop = getattr(aio, kind)(clock=aio.VirtualClock())
    loop.reports = []
    loop.turns = 0
    loop.set_exception_handler(lambda _, context: loop.reports.append(context))
    once = loop._run_once

    def counted() -> None:
        loop.turns += 1
        if loop.turns > TURNS:
            raise Refused(
                f"The loop turned {TURNS:,} times and nothing came of it: your code waits by "
                "asking again and again."
            )
        once()

    loop._run_once = counted
    return loop


def turn(loop: Any, count: int = 1) -> None:
    """Run what is ready now; what that makes ready waits for the next turn."""
    for _ in range(count):
        for _ in range(len(loop._ready)):
            loop._ready.popleft()._run()


def play(aio: Any, main: Callable[[Any], Coroutine], kind: str = "BaseEventLoop") -> Any:
    """Run ``main(loop)`` to its end on a quiet loop and return the loop, with its ``result``.

    A program that nothing can wake ends with the loop's Deadlock, which says who waits where.
    """
    loop = quiet_loop(aio, kind)
    try:
        loop.result = loop.run_until_complete(main(loop))
    finally:
        _clear(loop)
        loop.close()
    return loop


def film(aio: Any, main: Callable[[Any], Coroutine]) -> Any:
    """Run ``main(loop)`` as `play` does, and return the film of it, also when it fails."""
    from asyncio_lessons.classroom.filming.recorder import Recorder

    loop = quiet_loop(aio, "EventLoop")
    recorder = Recorder(loop, limit=400).start()
    try:
        loop.run_until_complete(loop.create_task(main(loop), name="main"))
    except Exception as error:
        made = recorder.stop(error)
    else:
        made = recorder.stop()
    _clear(loop)
    loop.close()
    return made


def _clear(loop: Any) -> None:
    """Leave no task behind that would complain when it goes."""
    loop._ready.clear()
    for task in list(loop._tasks):
        if not task.done():
            task._log_destroy_pending = False
