"""`tfruns variable`, with one file per command."""

from tfruns.cli.commands import add_commands, new_app

variable = new_app("variable")

add_commands(
    variable,
    "tfruns.cli.variable",
    {"list": "list:list_variables", "set": "set:set_variable", "delete": "delete:delete"},
)
