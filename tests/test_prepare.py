"""The first `make` of a new checkout: plain lines, whatever happens to the network or to it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import Running
from run_notebooks import ROOT


@pytest.fixture
def silent_index() -> Iterator[str]:
    """The address of a package index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def prepare(folder: Path, goal: str, index: str) -> Running:
    checkout = folder / "checkout"
    checkout.mkdir(exist_ok=True)
    command = [sys.executable, str(ROOT / "tools/prepare.py"), str(folder / "new"), "course", goal]
    pip = {"PIP_INDEX_URL": index, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    pip |= {"PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1"}
    (checkout / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return Running(checkout, command, **pip)


def test_no_network_is_said_in_a_sentence_and_an_older_environment_still_opens(tmp_path) -> None:
    no_index = "http://127.0.0.1:9/simple"
    first = prepare(tmp_path, "lab", no_index)
    assert first.wait() == 1
    assert first.lines[0].startswith("Making an environment in ")
    assert first.lines[-1] == (
        "The packages could not be fetched: is there a network? To begin again: make lab"
    )
    (tmp_path / "new" / "half-made").unlink()  # as if everything had been installed once
    second = prepare(tmp_path, "lab", no_index)
    assert second.wait() == 0
    assert second.lines[-1] == "The course opens with what was installed before."
    assert not (tmp_path / "new" / "course").exists()  # the next start tries again


def test_ctrl_c_in_the_middle_breaks_nothing(tmp_path: Path, silent_index: str) -> None:
    first = prepare(tmp_path, "lab", silent_index)
    first.wait_for(r" +\d+ s: .+")
    assert first.stop() == 130
    assert first.lines[-1] == "Stopped. Nothing is broken; to begin again: make lab"
    again = prepare(tmp_path, "lab", "http://127.0.0.1:9/simple")
    assert again.wait() == 1
    assert again.lines[0].startswith("Making an environment in ")  # not the half of one


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a file")
    done = prepare(tmp_path, "lab", "http://127.0.0.1:9/simple")
    assert done.wait() == 1
    assert str(tmp_path / "new") in done.lines[-1]
    assert "Traceback" not in done.said
