"""Requesting a link from a server of pages in another process. Uses only the standard library."""

import http.client
import json
import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from tfruns.errors import ConnectionFailed, Unauthorized
from tfruns.web.paths import LINKS, link_path, page_path

_TIMEOUT_S = 10.0
_MAX_BYTES = 10_000
_LINK = re.compile(rf"{LINKS}/([A-Za-z0-9_-]{{20,100}})")


def request_link(url: str, token: str, path: str, ca_file: Path | None = None) -> str:
    """The address of a page of a server, with a code that begins one session within ten minutes.

    Args:
        url: the address of the server.
        token: an API token, or the secret of the server's record.
        path: the path of the page.
        ca_file: the certificate to trust, if the server has a self-signed one.

    Raises:
        InvalidInput: this is not the path of a page.
        ConnectionFailed: the server does not respond, or has no pages.
        Unauthorized: the server does not accept the token.
    """
    path = page_path(path)
    status, text = _post(url, token, ca_file)
    if status == http.HTTPStatus.UNAUTHORIZED:
        raise Unauthorized(f"The server at {url} does not accept the token.", status=status)
    found = _LINK.fullmatch(_path_in(text)) if status == http.HTTPStatus.CREATED else None
    if found is None:
        raise ConnectionFailed(
            f"The server at {url} created no link: it responded with {status}.",
            cause="It has no pages. It may be another program, or an older version of tfruns.",
            solution="Stop it, and start it again with this version.",
        )
    return url + link_path(found[1], path)


def _post(url: str, token: str, ca_file: Path | None) -> tuple[int, bytes]:
    connection = _connection(url, ca_file)
    try:
        connection.request("POST", LINKS, headers={"authorization": f"Bearer {token}", "content-length": "0"})
        response = connection.getresponse()
        return response.status, response.read(_MAX_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionFailed(
            f"The server at {url} does not respond.",
            cause=str(error) or type(error).__name__,
            solution="Start it again, and repeat the command.",
        ) from None
    finally:
        connection.close()


def _connection(url: str, ca_file: Path | None) -> http.client.HTTPConnection:
    address = urlsplit(url)
    host = address.hostname or ""
    if address.scheme == "https":
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        return http.client.HTTPSConnection(host, address.port, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, address.port, timeout=_TIMEOUT_S)


def _path_in(text: bytes) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    return str(document.get("path", "")) if isinstance(document, dict) else ""
