"""`tfruns state`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

state = new_app("state")

add_commands(state, "tfruns.cli.state", {"list": "list:list_states", "rollback": "rollback:rollback"})
