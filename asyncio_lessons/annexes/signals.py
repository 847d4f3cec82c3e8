"""Signals: Python writes their numbers to the self-pipe, and the loop calls their handlers."""

import signal
from collections.abc import Callable
from typing import Any

from ..futures import Handle


class SignalLoop:
    """A loop that calls back when a signal comes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._signal_handlers: dict[int, Handle] = {}
        super().__init__(*args, **options)

    def close(self) -> None:
        """Close the loop, and restore the usual handling of its signals."""
        for sig in [] if self.is_running() else list(self._signal_handlers):
            self.remove_signal_handler(sig)
        super().close()

    def add_signal_handler(self, sig: int, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` in the loop when signal `sig` comes; main thread only.

        Raises TypeError for what is no number, ValueError for what is no signal, RuntimeError for
        one that cannot be caught.
        """
        self._check_closed()
        self._check_callback(callback, "add_signal_handler")
        self._check_signal(sig)
        try:
            signal.signal(sig, leave_it_to_the_pipe)
            signal.set_wakeup_fd(self._csock.fileno())
        except OSError as error:
            raise RuntimeError(f"sig {sig} cannot be caught") from error
        if hasattr(signal, "siginterrupt"):
            signal.siginterrupt(sig, False)
        self._signal_handlers[sig] = Handle(callback, args, self)

    def remove_signal_handler(self, sig: int) -> bool:
        """Restore the usual handling of signal `sig`; return False if it had no handler here."""
        self._check_signal(sig)
        if self._signal_handlers.pop(sig, None) is None:
            return False
        signal.signal(sig, signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL)
        if not self._signal_handlers:
            signal.set_wakeup_fd(-1)
        return True

    def _check_signal(self, sig: Any) -> None:
        if not isinstance(sig, int):
            raise TypeError(f"sig must be an int, not {sig!r}")
        if sig not in signal.valid_signals():
            raise ValueError(f"invalid signal number {sig}")

    def _process_self_data(self, data: bytes) -> None:
        for number in filter(self._signal_handlers.get, data):
            self._ready.append(self._signal_handlers[number])

    def _can_be_woken(self) -> bool:
        return bool(self._signal_handlers) or super()._can_be_woken()


def leave_it_to_the_pipe(number: int, frame: Any) -> None:
    """Do nothing here: Python writes the number of the signal to the loop's pipe."""
