"""Lets an interrupt reach a cell that awaits on the kernel's own loop at once.

ipykernel answers an interrupt with a callback on its loop, but does not wake the loop, which may
sleep in its selector for as long as the cell's timer says (ipykernel's issue 881). The byte that
Python writes for each signal wakes it.
"""

import signal
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Let every cell begin with signals that wake the kernel's loop."""
    shell.events.register("pre_run_cell", _wake_by_signals)


def unload_ipython_extension(shell: Any) -> None:
    """Leave signals as they are."""
    shell.events.unregister("pre_run_cell", _wake_by_signals)


def _wake_by_signals(*_: Any) -> None:
    """Have each signal wake the running loop; a loop run in an earlier cell may have undone it."""
    try:
        import asyncio  # the classroom is imported without it

        wakes = asyncio.get_running_loop()._csock
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    except (RuntimeError, AttributeError, ValueError, OSError):
        pass  # no such loop, or no such signals: as before
