"""The pages of a server that also serves the API: `tfruns server`."""

from collections import OrderedDict
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from tfruns.client.in_process import in_process_client
from tfruns.errors import Unauthorized
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.web.app import build_web_app
from tfruns.web.passkeys import Passkeys
from tfruns.web.paths import PREFIX
from tfruns.web.protection import LOOPBACK_HOSTS, host_name
from tfruns.web.sessions import Visitor
from tfruns.web.site import Site

_API_PAGES = f"{PREFIX}/settings/"  # where Terraform sends people who have to create a token
_MAX_VISITORS = 100


class TokenAccounts:
    """The users of an API, which serves the pages of each user with the user's own token.

    Args:
        api: the application that serves the API.
        url: its address.
    """

    def __init__(self, api: ASGIApp, url: str) -> None:
        self._api = api
        self._url = url
        self._visitors: OrderedDict[str, Visitor] = OrderedDict()

    async def visitor_with(self, token: str) -> Visitor:
        """The user of an API token.

        Raises:
            Unauthorized: the token is not valid.
            TfrunsError: the API is not available.
        """
        if not token:  # a client without one would use a token of this process
            raise Unauthorized("unauthorized", status=401)
        client = in_process_client(self._api, self._url, token)
        user = await client.account.read()  # again for each session: the token may have been deleted
        if token not in self._visitors:
            gate = Gate(client, Policy(confirm=Confirm.ALWAYS))
            self._visitors[token] = Visitor(user.username or user.id, gate)
            while len(self._visitors) > _MAX_VISITORS:
                self._visitors.popitem(last=False)
        return self._visitors[token]


def _is_page(path: str) -> bool:
    return path in {"/", PREFIX} or (path.startswith(f"{PREFIX}/") and not path.startswith(_API_PAGES))


def add_pages(
    api: ASGIApp, url: str, *, link_command: str = "tfruns web link --local", passkeys: Passkeys | None = None
) -> ASGIApp:
    """An application that serves the API at a URL, and the pages beside it.

    Args:
        api: the application that serves the API.
        url: the address of the server.
        link_command: the command that prints a link to the pages.
        passkeys: the passkeys that decisions which can destroy something need; None if they need none.
    """
    hosts = LOOPBACK_HOSTS | {host_name(urlsplit(url).netloc)}
    site = Site(link_command, TokenAccounts(api, url), accepts_tokens=True, passkeys=passkeys)
    pages = build_web_app(site, hosts)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and _is_page(scope["path"])
        await (pages if is_page else api)(scope, receive, send)

    return serve
