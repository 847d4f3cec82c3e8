"""Lesson 13: ten jobs, three workers."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, same
from ..checking.stage import film, play

POOL = Exercise(
    name="worker-pool",
    lesson="13",
    title="Ten jobs, three workers, and an end",
    lines=17,
    builds=("worker", "main"),
    stub='''
async def worker(name, jobs, log):
    """Take one job after the other (a number of seconds), sleep that long, note it."""
    # about 5 lines: log.append(f"{name} did {job}"), and say that the job is done
    ...

async def main(seconds, log):
    """Have three workers, A, B and C, do a job for each number in `seconds`; then end them."""
    # about 10 lines: an aio.Queue of the jobs, three tasks (aio.create_task), wait until all jobs
    # are done, then cancel the workers and wait until they have ended
    ...
''',
    solution='''
async def worker(name, jobs, log):
    """Take one job after the other (a number of seconds), sleep that long, note it."""
    while True:
        job = await jobs.get()
        await aio.sleep(job)
        log.append(f"{name} did {job}")
        jobs.task_done()

async def main(seconds, log):
    """Have three workers, A, B and C, do a job for each number in `seconds`; then end them."""
    jobs = aio.Queue()
    for job in seconds:
        jobs.put_nowait(job)
    workers = [aio.create_task(worker(name, jobs, log)) for name in "ABC"]
    await jobs.join()
    for each in workers:
        each.cancel()
    await aio.gather(*workers, return_exceptions=True)
''',
    hints=(
        "A worker is an endless loop: get a job, do it, say that it is done.",
        "`await jobs.join()` waits until `task_done` was called for each job.",
        "The workers then wait for jobs that never come: `cancel()` each, and "
        "`await aio.gather(*workers, return_exceptions=True)`.",
    ),
    wrong=(
        Wrong(
            """
async def main(seconds, log):
    jobs = aio.Queue()
    for job in seconds:
        jobs.put_nowait(job)
    for name in "ABC":
        await worker(name, jobs, log)
""",
            "One coroutine waits for what never comes",
        ),
        Wrong(
            """
async def main(seconds, log):
    for job in seconds:
        await aio.sleep(job)
        log.append(f"A did {job}")
""",
            "one after the other",
        ),
        Wrong(change=("jobs.put_nowait(job)", "jobs.put(job)"), says="A bare `jobs.put(job)`"),
        Wrong(
            change=(
                """    for each in workers:
        each.cancel()
    await aio.gather(*workers, return_exceptions=True)
""",
                "",
            ),
            says="Workers are left",
        ),
        Wrong(
            change=("await jobs.join()", "await aio.gather(*workers)"),
            says="nothing is left that could wake",
        ),
        Wrong(
            change=(
                "await jobs.join()",
                "while not jobs.empty():\n        await aio.sleep(0)",
            ),
            says="asking again and again",
        ),
        Wrong(
            change=("    await aio.gather(*workers, return_exceptions=True)\n", ""),
            says="Workers are left",
        ),
        Wrong(change=("        jobs.task_done()\n", ""), says="nothing is left that could wake"),
        Wrong(
            """
async def worker(name, jobs, log):
    job = await jobs.get()
    await aio.sleep(job)
    log.append(f"{name} did {job}")
    jobs.task_done()
""",
            "nothing is left that could wake",
        ),
        Wrong(change=("return_exceptions=True", ""), says="are a request, not an error"),
    ),
    right=(
        """
async def worker(name, jobs, log):
    while (job := await jobs.get()) is not None:
        await aio.sleep(job)
        log.append(f"{name} did {job}")

async def main(seconds, log):
    jobs = aio.Queue()
    for job in [*seconds, None, None, None]:
        await jobs.put(job)
    await aio.gather(*(worker(name, jobs, log) for name in "ABC"))
""",
        """
async def main(seconds, log):
    jobs = aio.Queue()
    async with aio.TaskGroup() as group:
        workers = [group.create_task(worker(name, jobs, log)) for name in "ABC"]
        for job in seconds:
            await jobs.put(job)
        await jobs.join()
        for each in workers:
            each.cancel()
""",
        """
async def worker(name, jobs, log):
    while not jobs.empty():
        job = jobs.get_nowait()
        await aio.sleep(job)
        log.append(f"{name} did {job}")
        jobs.task_done()

async def main(seconds, log):
    jobs = aio.Queue()
    for job in seconds:
        jobs.put_nowait(job)
    await aio.wait([aio.create_task(worker(name, jobs, log)) for name in "ABC"])
""",
    ),
)

_SECONDS = [3, 1, 2, 4, 1, 2, 2, 1, 3, 1]


def _expected(seconds):
    """What three workers do, computed without a loop: (end, worker, job), in order."""
    free = dict.fromkeys("ABC", 0)
    done = []
    for job in seconds:
        name = min(free, key=lambda n: (free[n], n))
        free[name] += job
        done.append((free[name], name, job))
    return done


def _run(cell, seconds):
    aio, log, held = cell.aio, Events(), {}

    async def program(loop):
        await cell.main(seconds, log)
        held["at"] = loop.time()
        held["left"] = len(aio.all_tasks(loop)) - 1

    try:
        play(aio, program)
    except aio.CancelledError:
        sentence = (
            "CancelledError comes out of `main`: cancels of yours are a request, not an error."
        )
        raise Refused(f"{sentence} Gather with `return_exceptions=True`.") from None
    return log, held


@POOL.check(
    "ten jobs are done by three workers at the same time",
    "One coroutine waits for what never comes: are the jobs reported as done, do workers loop?",
)
def _(cell):
    log, held = _run(cell, _SECONDS)
    expected = max(end for end, _, _ in _expected(_SECONDS))
    if held["at"] == 0 and not log:
        raise Refused(
            "A bare `jobs.put(job)` puts nothing: it makes a coroutine that is never awaited."
        )
    same(sorted(int(e.split()[-1]) for e in log), sorted(_SECONDS), "Each job is done once.")
    sentence = "They work one after the other: make tasks of the workers, so that they overlap."
    same(held["at"], float(expected), sentence)


@POOL.check("a worker that is free takes the next job")
def _(cell):
    seconds = [5, 1, 2, 3, 4]
    log, _ = _run(cell, seconds)
    ends = sorted(_expected(seconds))
    expected = Events(f"{name} did {job}" for _, name, job in ends)
    same(log, expected, "The worker that is free takes the next job, in the order of the queue.")


@POOL.check("at the end no worker is left")
def _(cell):
    _, held = _run(cell, [1, 1, 1, 1])
    sentence = "Workers are left, waiting for jobs that never come: cancel them, and await them."
    holds(held["left"] == 0, sentence, f"{held['left']} left", "none")


@POOL.shown
def _(cell):
    return film(cell.aio, lambda loop: cell.main(_SECONDS, []))
