"""What every test runs with: repeatable random programs, and kernels free of a user's settings."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from run_notebooks import UNWANTED_ENVIRONMENT, USERS_FOLDERS, why_pictures_may_differ
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# A check of a change must not fail by chance: the same programs each time. `search` looks further.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's settings, and a reader's `my_asyncio`, out of the kernels nbval starts.

    And let Ctrl-C come, to what is tested: a shell that runs this in the background ignores it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in UNWANTED_ENVIRONMENT:
        os.environ.pop(name, None)
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    os.environ.update(dict.fromkeys(USERS_FOLDERS, folder.name))


class ByNotebook(LoadScopeScheduling):
    """Keep what shares a kernel in one process: a notebook's cells, and the checks of its runs.

    The tests of the grader share one run of it.
    """

    def _split_scope(self, nodeid: str) -> str:
        shared = r"(.*\bipynb)::|tests/test_notebooks.*(\[.*\])|tests/(test_grade)\b"
        found = re.match(shared, nodeid)
        return found[found.lastindex] if found else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByNotebook | None:
    """Share out the tests by notebook where `--dist loadscope` asks for it."""
    return ByNotebook(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_report_header() -> str:
    """Say how pictures are compared, because it depends on the machine."""
    reason = why_pictures_may_differ()
    how = f"by pixels, since {reason}" if reason else "byte for byte"
    return f"notebook pictures: compared {how}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent
