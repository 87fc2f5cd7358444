"""`tfruns config`: one file for each command, imported when it is called."""

from tfruns.cli.commands import add_commands, new_app

config = new_app("config")

add_commands(config, "tfruns.cli.config", {"upload": "upload:upload"})
