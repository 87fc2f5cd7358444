"""`tfruns config`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

config = new_app("config")

add_commands(config, "tfruns.cli.config", {"upload": "upload:upload", "list": "list:list_configurations"})
