"""What a person is told about an upload."""

from tfruns.cli.terminal import say
from tfruns.tool import View


def say_left_out(view: View) -> None:
    """Say which files were left out as likely secrets, and how to upload them all the same; and any other note."""
    withheld = view.get("likely_secrets_left_out", [])
    if withheld:
        say(f"Left out as likely secrets: {', '.join(withheld)}. (--include PATH uploads one.)")
    if view.get("note"):
        say(view["note"])
    if view.get("variable_files_uploaded"):
        say(f"Uploaded variable files, which may hold secrets: {', '.join(view['variable_files_uploaded'])}.")
