"""The status of a server, for the commands `tfruns server status` and `tfruns server stop`.

It has its own path besides the API. Reading it does not count as a use of the server.
"""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tfruns.errors import Unauthorized
from tfruns.local.api.authentication import user_id_of_token
from tfruns.local.backend import Backend
from tfruns.local.control import STATUS_PATH
from tfruns.local.engine.resume import active_runs
from tfruns.local.idle import IdleExit, Uses


@dataclass
class StatusEndpoint:
    """Adds the server's status to an application, and counts the requests to the application.

    Attributes:
        app: the application.
        backend: its backend.
        uses: its requests.
        idle_exit: the idle exit of the server; None if the server runs until it is stopped.
    """

    app: ASGIApp
    backend: Backend
    uses: Uses = field(default_factory=Uses)
    idle_exit: IdleExit | None = None
    _since: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == STATUS_PATH:
            response = await to_thread.run_sync(self._response, scope)
            await response(scope, receive, send)
            return
        with self.uses:
            await self.app(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        try:
            user_id_of_token(self.backend, Headers(scope=scope).get("authorization", ""))
        except Unauthorized:
            return JSONResponse({"errors": [{"status": "401", "title": "unauthorized"}]}, 401)
        return JSONResponse(self._document())

    def _document(self) -> dict[str, Any]:
        exit_in_s = self.idle_exit.in_s if self.idle_exit else None
        runs = active_runs(self.backend)
        return {
            "pid": os.getpid(),
            "since": f"{self._since:%Y-%m-%dT%H:%M:%SZ}",
            "idle_exit_s": self.idle_exit.after_s if self.idle_exit else None,
            "idle_exit_in_s": None if exit_in_s is None or runs else round(exit_in_s),
            "active_runs": runs,
        }
