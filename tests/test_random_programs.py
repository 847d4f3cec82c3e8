"""The same events in the same order as asyncio, for programs nobody thought of.

``RANDOM_PROGRAMS=20000 pytest tests/test_random_programs.py -s`` tries more of them.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from random_programs import PROGRAMS, as_cell, difference
from same import aio

MANY = int(os.environ.get("RANDOM_PROGRAMS", 0))
CAREFREE = list(HealthCheck)


def check(program: bytes) -> None:
    found = difference(aio, program)
    if found:
        pytest.fail(f"the two differ in this program:\n{as_cell(program)}\n{found}", pytrace=False)


@settings(max_examples=MANY or 300, suppress_health_check=CAREFREE, derandomize=not MANY)
@given(PROGRAMS)
def test_random_programs(program: bytes) -> None:
    check(program)
