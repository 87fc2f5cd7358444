"""`tfruns run`: one file for each command, imported when it is called."""

from cyclopts import App

run = App(name="run", help="Create, watch, review and apply runs.", help_format="plaintext")

for _name, _command in {
    "list": "listing:list_runs",
    "show": "showing:show",
}.items():
    run.command(f"tfruns.cli.run.{_command}", name=_name)
