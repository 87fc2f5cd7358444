"""`tfruns web`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app
from tfruns.cli.web.serve import serve

web = new_app("web")
web.default(serve)
add_commands(web, "tfruns.cli.web", {"link": "link:link"})
