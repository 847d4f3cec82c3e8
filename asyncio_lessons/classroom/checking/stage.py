"""A loop on the virtual clock for the checks: turns are counted, reports are kept."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from .expect import Refused

TURNS = 2000  # far more than any check needs: beyond that the code waits by asking again and again


def quiet_loop(aio: Any, kind: str = "BaseEventLoop") -> Any:
    """Return a loop whose reports land in ``loop.reports`` and whose turns are counted.

    Where nothing is left to wake, and a callback has failed before, its error is raised: it is why.
    """
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
        try:
            once()
        except aio.Deadlock:
            for report in loop.reports:
                if isinstance(error := report.get("exception"), Exception):
                    raise error from None
            raise

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


def sleep_on(loop: Any) -> Callable[[float], None]:
    """Return a `time.sleep` that takes the virtual time of `loop`, in threads of it too.

    In the thread of the loop it blocks the loop. In one of an executor's it blocks that thread; the
    clock of the loop stands still while such a thread works, and passes while all of them sleep.
    """
    if sys.platform == "emscripten":
        return sleep_without_threads(loop, [])
    here, jobs, asleep = threading.get_ident(), Counter(), []
    usual_run, usual_sleep = loop.run_in_executor, loop._clock.sleep

    def run_in_executor(executor: Any, func: Callable, *args: Any) -> Any:
        future = usual_run(executor, func, *args)
        pool = executor or loop._default_executor
        jobs[pool] += 1
        future.add_done_callback(lambda _: jobs.subtract([pool]))
        return future

    def are_working() -> bool:
        # The jobs for which a pool has no thread wait until others have ended.
        return sum(min(count, pool._max_workers) for pool, count in jobs.items()) > len(asleep)

    def clock_sleep(seconds: float | None, select: Callable) -> Any:
        while are_working() and seconds:
            if events := select(0.01):
                return events
        return usual_sleep(seconds, select)

    def sleep(seconds: float) -> None:
        if threading.get_ident() == here:
            return loop._clock.advance(seconds)
        rung = threading.Event()

        def fall_asleep() -> None:
            asleep.append(rung)
            loop.call_later(seconds, wake_up)

        def wake_up() -> None:
            asleep.remove(rung)
            rung.set()

        loop.call_soon_threadsafe(fall_asleep)
        rung.wait()

    loop.run_in_executor, loop._clock.sleep = run_in_executor, clock_sleep
    return sleep


def sleep_without_threads(loop: Any, blocked: list[float]) -> Callable[[float], None]:
    """Return a `time.sleep` as `sleep_on` does, for a loop that is to start no thread.

    What a thread would do is done at once, and its result comes as much later as it slept. The
    seconds of each sleep that blocks the loop are added to `blocked`.
    """
    slept: list[float] = []  # by the functions that would be in a thread now

    def run_in_executor(executor: Any, func: Callable, *args: Any) -> Any:
        future = loop.create_future()
        slept.append(0.0)
        try:
            settle, outcome = future.set_result, func(*args)
        except Exception as error:
            settle, outcome = future.set_exception, error
        loop.call_later(slept.pop(), lambda: future.done() or settle(outcome))
        return future

    def sleep(seconds: float) -> None:
        if slept:
            slept[-1] += seconds
        else:
            blocked.append(seconds)
            loop._clock.advance(seconds)

    loop.run_in_executor = run_in_executor
    return sleep


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
