"""Locks: one at a time, all at once, so many at a time; each a list of futures that wait.

One thread does not mean no races: wherever a task awaits, another may run in between.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from .futures import CancelledError, Future
from .queues import LoopBound, wake_all


class Waiting(LoopBound):
    """A list of futures, in the order in which they came."""

    def __init__(self) -> None:
        self._waiters: deque[Future] = deque()

    async def _wait_in_line(self, waiter: Future | None = None) -> None:
        waiter = waiter or self._create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def _has_waiters(self) -> bool:
        return any(not waiter.cancelled() for waiter in self._waiters)

    def __repr__(self) -> str:
        waiting = f", waiters:{len(self._waiters)}" if self._waiters else ""
        return f"<{type(self).__name__} [{self._extra()}{waiting}]>"

    def _extra(self) -> str:
        return "locked" if self.locked() else "unlocked"


class Held:
    """What ``async with`` acquires and releases. Mirrors asyncio.locks._ContextManagerMixin."""

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: Any) -> None:
        self.release()


class Lock(Waiting, Held):
    """Held by one task at a time; the others have it in the order in which they asked.

    Mirrors asyncio.locks.Lock.
    """

    _locked = False

    def locked(self) -> bool:
        """Say whether a task holds it."""
        return self._locked

    async def acquire(self) -> bool:
        """Wait until it is free, and hold it; returns True."""
        if self._locked or self._has_waiters():
            try:
                await self._wait_in_line()
            except CancelledError:
                if not self._locked:
                    self._wake_up_first()  # it was our turn, and we do not take it
                raise
        self._locked = True
        return True

    def release(self) -> None:
        """Let it go, and wake the first who waits. Raises RuntimeError if no task holds it."""
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._locked = False
        self._wake_up_first()

    def _wake_up_first(self) -> None:
        wake_all(list(self._waiters)[:1])


class Event(Waiting):
    """Something that happens once for all who wait. Mirrors asyncio.locks.Event."""

    _value = False

    def _extra(self) -> str:
        return "set" if self._value else "unset"

    def is_set(self) -> bool:
        """Say whether it has happened."""
        return self._value

    def set(self) -> None:
        """Let it happen: all who wait are woken, and no task waits from now on."""
        if not self._value:
            self._value = True
            wake_all(self._waiters)

    def clear(self) -> None:
        """Let it be yet to happen again."""
        self._value = False

    async def wait(self) -> bool:
        """Wait until it happens; returns True."""
        if not self._value:
            await self._wait_in_line()
        return True


class Condition(Waiting, Held):
    """A lock, and a place to wait in until a task that holds it says that things have changed.

    lock: the Lock to use, a new one unless given. Mirrors asyncio.locks.Condition.
    """

    def __init__(self, lock: Lock | None = None) -> None:
        super().__init__()
        self._lock = lock = Lock() if lock is None else lock
        self.locked, self.acquire, self.release = lock.locked, lock.acquire, lock.release

    async def wait(self) -> bool:
        """Let the lock go, wait for `notify`, and hold the lock again; returns True.

        Raises RuntimeError if the lock is not held.
        """
        if not self.locked():
            raise RuntimeError("cannot wait on un-acquired lock")
        self.release()
        try:
            try:
                await self._wait_in_line()
            finally:
                await self._acquire_in_any_case()
        except BaseException:
            self._notify(1)  # perhaps we had been told, and cannot use it: tell another
            raise
        return True

    async def _acquire_in_any_case(self) -> None:
        try:
            await self.acquire()
        except CancelledError:  # not now: raise it when the lock is held
            await self._acquire_in_any_case()
            raise

    async def wait_for(self, predicate: Callable[[], Any]) -> Any:
        """Wait until ``predicate()`` is true, asking after each `notify`; return what it says."""
        while not (result := predicate()):
            await self.wait()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake `n` of those who wait. Raises RuntimeError if the lock is not held."""
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._notify(n)

    def _notify(self, n: int) -> None:
        wake_all([waiter for waiter in self._waiters if not waiter.done()][:n])

    def notify_all(self) -> None:
        """Wake all who wait. Raises RuntimeError if the lock is not held."""
        self.notify(len(self._waiters))


class Semaphore(Waiting, Held):
    """Held by up to `value` tasks at a time. Raises ValueError below zero.

    Mirrors asyncio.locks.Semaphore.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        super().__init__()
        self._value = value

    def _extra(self) -> str:
        return "locked" if self.locked() else f"unlocked, value:{self._value}"

    def locked(self) -> bool:
        """Say whether one would have to wait."""
        return self._value == 0 or self._has_waiters()

    async def acquire(self) -> bool:
        """Wait until there is room, and take it; returns True."""
        if not self.locked():
            self._value -= 1
            return True
        waiter = self._create_future()
        try:
            await self._wait_in_line(waiter)
        except CancelledError:
            if not waiter.cancelled():
                self._value += 1  # a place was taken for us, and we do not use it
            raise
        finally:
            self._wake_up()
        return True

    def release(self) -> None:
        """Make room for one more, and wake the first who waits."""
        self._value += 1
        self._wake_up()

    def _wake_up(self) -> None:
        next_ones = [waiter for waiter in self._waiters if not waiter.done()][: self._value]
        self._value -= len(next_ones)  # taken for them: no other task can come in between
        wake_all(next_ones)


class BoundedSemaphore(Semaphore):
    """A semaphore that refuses to be released more often than it was acquired.

    Mirrors asyncio.locks.BoundedSemaphore.
    """

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._bound_value = value

    def release(self) -> None:
        """Make room for one more. Raises ValueError if all is free already."""
        if self._value >= self._bound_value:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class BrokenBarrierError(RuntimeError):
    """The barrier was reset or aborted. Mirrors asyncio.exceptions.BrokenBarrierError."""


class Barrier(LoopBound):
    """A gate that opens when `parties` tasks stand before it. Raises ValueError below one.

    Mirrors asyncio.locks.Barrier.
    """

    def __init__(self, parties: int) -> None:
        if parties < 1:
            raise ValueError("parties must be >= 1")
        self._cond = Condition()
        self._parties, self._count = parties, 0  # who opens it, and who is inside wait()
        self._state = "filling"  # draining, resetting, broken

    def __repr__(self) -> str:
        where = "" if self.broken else f", waiters:{self.n_waiting}/{self.parties}"
        return f"<{type(self).__name__} [{self._state}{where}]>"

    @property
    def parties(self) -> int:
        """How many tasks open it."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many tasks stand before it."""
        return self._count if self._state == "filling" else 0

    @property
    def broken(self) -> bool:
        """Whether `abort` was called."""
        return self._state == "broken"

    async def __aenter__(self) -> int:
        return await self.wait()

    async def __aexit__(self, *_: Any) -> None:
        return None

    async def wait(self) -> int:
        """Wait until all are there; return our place among them, from zero.

        Raises BrokenBarrierError if the barrier is reset or aborted meanwhile.
        """
        async with self._cond:
            await self._cond.wait_for(lambda: self._state not in ("draining", "resetting"))
            if self.broken:
                raise BrokenBarrierError("Barrier aborted")
            place = self._count
            self._count += 1
            try:
                if self._count == self._parties:
                    self._change("draining")
                await self._cond.wait_for(lambda: self._state != "filling")
                if self._state != "draining":
                    raise BrokenBarrierError("Abort or reset of barrier")
                return place
            finally:
                self._count -= 1
                if self._count == 0 and not self.broken:
                    self._change("filling")

    def _change(self, state: str) -> None:
        self._state = state
        self._cond.notify_all()

    async def reset(self) -> None:
        """Empty the barrier: those who wait get BrokenBarrierError."""
        async with self._cond:
            self._change("resetting" if self._count else "filling")

    async def abort(self) -> None:
        """Break the barrier: all get BrokenBarrierError, now and later."""
        async with self._cond:
            self._change("broken")
