"""The demo with open pages: its link leads to the plan that waits for a person."""

import signal
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT
from tests.support.browser import follow
from tests.support.command import PATIENCE_S

_LINK = "/app/-/links/"


@pytest.mark.processes
def test_demo_stays_open_until_it_is_interrupted() -> None:
    demo = subprocess.Popen([sys.executable, "-m", "demo", "--web"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        links = []
        for line in iter(demo.stdout.readline, ""):
            links += [line.strip()] if _LINK in line else []
            if line.startswith("Press Ctrl-C"):
                break
        assert [link.partition("?to=")[2] for link in links] == ["/app/-/workspaces/default/shop", "/app/default"]
        page = follow(links[-1])
        assert (page.status_code, page.url.path) == (200, "/app/default")
        assert "A newer database" in page.text
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=PATIENCE_S)
        assert (demo.returncode, "The demo has deleted all its files." in out) == (0, True)
    finally:
        demo.kill()
        demo.communicate(timeout=PATIENCE_S)
