"""The annexes: what makes the heart true to the last corner, and fast.

The heart (`futures`, `tasks`, `event_loop`, `sockets`) is what lessons 05 to 08 build, and it runs
alone. Each annex adds one thing to it, by classes that are mixed in before the heart's:

    reports           lost errors, lost tasks and deadlocks are reported; reprs
    guards            debug mode, closed loops, arguments that cannot be right; timers compared
    clocks            the real clock, and the virtual one
    async_generators  asynchronous generators are closed with their loop
    factories         task factories, and tasks that start at once
    threads           work in other threads, and futures across them
    signals           signals as callbacks
    more_sockets      host names, datagrams, receiving into a buffer
    as_completed      futures in the order in which they finish
    runner            `Runner` and `run`: Ctrl-C, and a clean end
    whole             `Future`, `Task` and `EventLoop` with all of these
    speed             a folder: the same classes, faster, and nothing else
"""
