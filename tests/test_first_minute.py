"""The first minute in full: a new checkout, Ctrl-C in the middle, again, and once more offline.

Slow, and it needs the network: `make slow`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkout import Running, git, make_repository, without_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("make"), reason="make is not here"),
]
MINUTES = 300  # seconds for a slow network


def test_the_first_minute(tmp_path: Path) -> None:
    folder = tmp_path / "köln course"
    folder.mkdir()
    command = ["make", "lab", f"PYTHONS={sys.executable}"]
    checkout = make_repository(folder)

    stopped = Running(checkout, command)
    stopped.wait_for(r" +\d+ s: \d+ packages found.*")
    assert stopped.stop() != 0
    assert "Stopped. Nothing is broken; to begin again: make lab" in stopped.lines
    assert "Traceback" not in stopped.said

    started = time.monotonic()
    first = Running(checkout, command)
    first.wait_for_address(MINUTES)
    took = time.monotonic() - started
    first.stop()
    assert "The environment is ready." in first.lines
    assert [line for line in first.lines if line.endswith("packages are being installed")]
    assert git(checkout, "status", "--porcelain") == ""

    offline = Running(checkout, without_network(command))
    started = time.monotonic()
    address = offline.wait_for_address()[0]
    load = f"import urllib.request as u; print(u.urlopen({address!r}).read().decode())"
    inside = ["nsenter", "--net", "--target", str(offline.process.pid), sys.executable, "-c", load]
    assert "JupyterLab" in subprocess.check_output(inside, text=True)
    assert "The environment is ready." not in offline.lines
    offline.stop()
    print(f"first start {took:.0f} s, second, offline, {time.monotonic() - started:.0f} s")
    print(first.said.replace(str(checkout), "CHECKOUT"))
