"""`tfruns server`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app
from tfruns.cli.server.serve import serve

server = new_app("server")
server.default(serve)
add_commands(server, "tfruns.cli.server", {"status": "status:status", "stop": "stop:stop"})
