"""Speed: the same classes, faster, and nothing else: without this folder all works as before.

Four ideas carry it. What is made most often (handles, timers, futures, tasks) is made without a
call of ``__init__``. A task that waits for a future puts itself into its callbacks, and so goes
into the ready queue itself. A sleep needs no callback: its future stands among the timers. A
socket that was waited for stays registered with the selector, because the next wait is near.
"""
