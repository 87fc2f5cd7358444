"""Take pictures of the web pages for the README: docs/images/run-light.png and run-dark.png.

They show a run of the demo that would replace its database, on the local backend with real Terraform, in Chromium.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from record_terraform_cli import server

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
_SHOP = ROOT / "demo" / "shop"
_TFRUNS = [sys.executable, "-m", "tfruns"]
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SIZE: ViewportSize = {"width": 1200, "height": 640}
_CREATE = ("run", "create", "--workspace", "shop")
_COMMANDS = (
    ("workspace", "create", "shop"),
    (*_CREATE, "--directory", str(_SHOP), "--message", "Open the shop", "--auto-apply", "--yes", "--wait"),
    (*_CREATE, "--message", "Move the database to version 17", "--var", "engine_version=17", "--wait"),
)
_WAITS = 10  # the exit code of a command whose run waits for a person


def record(directory: Path) -> None:
    """Do the demo's job, and take the pictures."""
    data = directory / "data"
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TFRUNS_DATA_DIR": str(data)}
    with server(data):
        for arguments in _COMMANDS:
            _run(environment, *arguments, "--local")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            for theme in _THEMES:
                link = _run(environment, "web", "link", "--data-dir", str(data), "/app/default/workspaces/shop")
                _take(browser, link, theme)
            browser.close()


def _run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([*_TFRUNS, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, _WAITS}:
        sys.exit(f"{arguments}: {done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def _take(browser: Browser, link: str, theme: Literal["light", "dark"]) -> None:
    page = browser.new_page(color_scheme=theme, viewport=_SIZE)
    page.goto(link)
    page.get_by_role("link", name="Move the database to version 17").click()
    page.get_by_role("button", name="Apply", exact=True).wait_for()
    page.screenshot(path=IMAGES / f"run-{theme}.png", animations="disabled")
    page.close()


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        record(Path(scratch))
