"""What the commands that act on one run have in common."""

from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.terminal import in_commands
from tfruns.tools.registry import View


def print_accepted(view: View) -> None:
    """Print the answer to an action: where the run stands now. Accepted is all that is known of the action itself."""
    displaced = view.get("displaced")
    print_fields(
        {
            "run": view["id"],
            "accepted": "yes",
            "status": status_text(view["status"]),
            "displaced": ", ".join(f"{run['id']} ({run['status']})" for run in displaced) if displaced else None,
            "may": ", ".join(view.get("allowed_actions", ())) or None,
            "next": in_commands(view["next"]),
            "note": view.get("note"),
        }
    )
