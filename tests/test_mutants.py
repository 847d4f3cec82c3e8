"""The checks notice small mistakes in a solution, or a list says why they need not."""

from __future__ import annotations

from zlib import crc32

import pytest

from asyncio_lessons.classroom.checking import mutants
from asyncio_lessons.classroom.checking.catalog import FILES, find
from asyncio_lessons.classroom.checking.mutate import Mutant
from asyncio_lessons.classroom.checking.mutate import mutants as change
from asyncio_lessons.classroom.notebook import face

MEASURED = [name for file, held in FILES.items() for name in held]

PROGRAM = '''
async def work(jobs, n=1):
    """Say nothing."""
    try:
        while jobs and n < 3:
            job = await jobs.get(n)
            if not job:
                break
            n += 1
    except ValueError as error:
        raise TypeError("text") from error
    finally:
        jobs.close()
    while n > 1:
        n -= 1
    return job

def other():
    return 1
'''


@pytest.mark.parametrize(
    "what",
    [
        "left out: jobs.close()",
        "left out: try: / except ValueError as error: / raise TypeError('text') from error / "
        "finally:",
        "left out: finally:",
        "left out: break",
        "while n > 1: -> if n > 1:",
        "while jobs and n < 3: -> while not (jobs and n < 3):",
        "while jobs and n < 3: -> while jobs or n < 3:",
        "while jobs and n < 3: -> while jobs:",
        "while jobs and n < 3: -> while jobs and n <= 3:",
        "while jobs and n < 3: -> while jobs and n < 4:",
        "job = await jobs.get(n) -> job = jobs.get(n)",
        "job = await jobs.get(n) -> job = await jobs.get()",
        "if not job: -> if job:",
        "break -> continue",
        "break -> return",
        "n += 1 -> n -= 1",
        "except ValueError as error: -> except BaseException as error:",
        "raise TypeError('text') from error -> raise TypeError('text')",
        "return job -> job",
        "return job -> return None",
    ],
)
def test_a_program_is_changed_in_every_way_that_a_slip_is_made(what):
    assert what in [mutant.what for mutant in change(PROGRAM, ("work",))]


def test_each_mutant_is_another_program_with_a_name_of_its_own():
    found = change(PROGRAM, ("work",))
    assert len({m.what for m in found}) == len({m.code for m in found}) == len(found) > 30
    assert not [m for m in found if "text'" not in m.code and "text" in m.what.partition("->")[2]]
    assert all("return 1\n" in m.code for m in found), "another function was changed"


def test_the_copies_that_check_mutants_accept_the_solutions_and_refuse_the_rest():
    """Else every mutant would seem to be refused."""
    names = [name for name in MEASURED if find(name).builds][::3]
    right = [(name, Mutant("nothing", face.answer(name))) for name in names]
    wrong = ("drive", Mutant("all", "def drive(coro):\n    while True: pass\n"))
    tallies = mutants.tallies([*right, wrong])
    assert {name for name, tally in tallies.items() if tally.new} == set(names)
    assert tallies["drive"].refused == 1


# -- what survives -----------------------------------------------------------------------------

SURVIVORS = {name: held for name in MEASURED if (held := mutants.accepted(name))}


def test_what_may_survive_is_still_a_mutant_still_survives_and_has_a_reason():
    jobs = []
    for name, held in SURVIVORS.items():
        made = {mutant.what: mutant for mutant in mutants.mutants_of(name)}
        assert held.keys() <= made.keys(), f"{name}: {held.keys() - made.keys()}"
        assert all(survivor.reason.endswith(".") for survivor in held.values())
        jobs += [(name, made[what]) for what in held]
    for name, tally in mutants.tallies(jobs).items():
        assert tally.refused == 0, f"{name}: take what is refused from survivors.toml"


def test_a_sample_of_the_mutants_is_refused():
    """The same one in eight each time; `make mutants` runs them all."""
    jobs = [
        (name, mutant)
        for name in MEASURED
        if find(name).right  # the others are still to be measured
        for mutant in mutants.mutants_of(name)
        if crc32(f"{name} {mutant.what}".encode()) % 8 == 0
    ]
    assert len(jobs) > 100
    total = mutants.Tally()
    for name, tally in mutants.tallies(jobs).items():
        assert not tally.new, f"{name}: {tally.new}"
        total.add(tally)
    assert total.share >= mutants.OWED


def test_few_mutants_that_do_something_else_may_survive():
    for name, held in SURVIVORS.items():
        known = [survivor for survivor in held.values() if not survivor.same]
        assert len(known) <= (1 - mutants.OWED) * len(mutants.mutants_of(name)), name
