"""A person with a browser, who decides on the pages of a server that runs as a process."""

import json
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2

from tests.web.support import Form, forms_of


class PersonWithBrowser:
    """A person with a session of the server to which a link leads, and whose record is below a home directory."""

    def __init__(self, home: Path, link: str) -> None:
        records = [json.loads(path.read_text()) for path in home.rglob("pages/*.json")]
        (server,) = [record for record in records if link.startswith(f"{record['url']}/")]
        self.url = server["url"]
        self.browser = httpx2.Client(base_url=self.url, headers={"origin": self.url})
        created = self.browser.post("/app/-/links", headers={"authorization": f"Bearer {server['secret']}"})
        form = forms_of(self.browser.get(created.json()["path"]).text)["Continue"]
        assert self.browser.post(form.action, data=form.fields).status_code == 303

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.browser.close()

    def forms(self, link: str) -> dict[str, Form]:
        """The forms of the page of a link."""
        assert link.startswith(f"{self.url}/app/-/requests/")
        response = self.browser.get(urlsplit(link).path)
        assert response.status_code == 200, response.text
        return forms_of(response.text)

    def press(self, link: str, button: str) -> int:
        """Press a button on the page of a link, and return the status of the response."""
        form = self.forms(link)[button]
        return self.browser.post(form.action, data=form.fields).status_code
