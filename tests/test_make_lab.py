"""`make lab`, the README's first command, as a reader runs it: the page opens, in plain words."""

from __future__ import annotations

import json
import re
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from checkout import PATIENCE, Running, git, lend_environment, make_repository

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not here")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader") / "the course"  # a space, as a reader may have one
    folder.mkdir()
    return make_repository(folder)


@pytest.fixture(scope="module")
def lab(checkout: Path) -> Iterator[Running]:
    """`make lab`, while another program has port 8888."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # another JupyterLab has it: as good
            other.bind(("127.0.0.1", 8888))
            other.listen()
        lab = Running(checkout, ["make", "lab", *lend_environment(checkout)])
        try:
            yield lab
        finally:
            lab.stop()


def load(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return answer.read().decode()


def test_the_address_comes_last_and_the_course_is_there(lab: Running) -> None:
    """As root, too: run as root, this is the README's command in a container."""
    address = lab.wait_for_address()[0]
    assert "JupyterLab" in load(address)
    assert '"type": "notebook"' in load(address.replace("/lab/tree/", "/api/contents/"))


def test_it_listens_on_this_machine_only(lab: Running) -> None:
    port = int(lab.wait_for_address()[1])
    found = psutil.net_connections("tcp")
    assert {c.laddr.ip for c in found if c.laddr.port == port and c.status == "LISTEN"} == {
        "127.0.0.1"
    }


def test_a_port_that_is_taken_is_named(lab: Running) -> None:
    port = lab.wait_for_address()[1]
    assert port != "8888"
    assert f"Port 8888 is taken: port {port} is used." in lab.lines


def test_what_it_says_is_plain_and_short(lab: Running, checkout: Path) -> None:
    lab.wait_for_address()
    said = lab.said.replace(str(checkout), "CHECKOUT")
    assert len(lab.lines) <= 8, said
    assert not re.search(r"\[\w [\d-]+ |Traceback|warning|root", said, re.IGNORECASE), said


def test_no_news_are_asked_for(lab: Running) -> None:
    address, port = lab.wait_for_address().group(0, 1)
    settings = (
        f"http://127.0.0.1:{port}/lab/api/settings/@jupyterlab/apputils-extension:notification"
    )
    found = json.loads(load(f"{settings}?{address.partition('?')[2]}"))
    defaults = found["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false"
    assert defaults["checkForUpdates"]["default"] is False


def test_git_has_nothing_to_say(lab: Running, checkout: Path) -> None:
    lab.wait_for_address()
    assert (checkout / "my_course" / "00_start_here.ipynb").exists()
    assert git(checkout, "status", "--porcelain") == ""


def test_ctrl_c_ends_it_and_says_where_the_work_is(lab: Running, checkout: Path) -> None:
    address = lab.wait_for_address()[0]
    lab.stop()
    assert any(f"What you wrote is in {checkout / 'my_course'}" in line for line in lab.lines)
    with pytest.raises(OSError):
        load(address)


def test_what_jupyterlab_refuses_is_said(checkout: Path) -> None:
    options = [*lend_environment(checkout), "LAB_OPTIONS=--port=none"]
    lab = Running(checkout, ["make", "lab", *options])
    assert lab.wait() != 0
    assert "JupyterLab did not start. The last it said:" in lab.lines
    assert any("none" in line for line in lab.lines), lab.lines
