"""The end of a command that waited: what is said of the run, and what the exit code says."""

from tfruns.cli.calling import Session
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.step_summary import write_step_summary
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.terminal import in_commands
from tfruns.cli.watching import Watch, watch
from tfruns.lifecycle import ending_of
from tfruns.tool import View
from tfruns.vocabulary import RunEnding

_CODES = {"attention": ExitCode.NEEDS_PERSON, "planned": ExitCode.DONE, "timeout": ExitCode.STOPPED_WAITING}


async def wait_and_end(session: Session, what: Watch) -> ExitCode:
    """Watch a run, say how it ended, and give the exit code for that.

    Raises:
        TfrunsError: the run cannot be read.
    """
    view = await watch(session, what)
    if view is None:
        return ExitCode.STOPPED_WAITING
    session.show(view, _print)
    await write_step_summary(session, view["id"])
    return exit_code_of(view)


def exit_code_of(view: View) -> ExitCode:
    """The exit code for a result of `wait_for_run`."""
    if view["outcome"] != "final":
        return _CODES[view["outcome"]]
    return ExitCode.FAILED if ending_of(view["status"]) is not RunEnding.DONE else ExitCode.DONE


def counts_line(counts: dict[str, int], *, has_changes: bool | None) -> str:
    """The counts of a plan in a few words: 2 to add, 1 to destroy.

    Args:
        counts: of a result of `wait_for_run`.
        has_changes: what the API says of the run; without its word, nothing is claimed.
    """
    found = ", ".join(_counted(name, number) for name, number in counts.items() if number)
    if has_changes is False:
        return f"nothing to apply ({found})" if found else "no changes"
    if found:
        return found
    if has_changes:
        return "changes that the API does not count"
    return "no changes that the API counts"


def _counted(name: str, number: int) -> str:
    one, many = _WORDS.get(name, (f"to {name}", f"to {name}"))
    return f"{number} {one if number == 1 else many}"


_WORDS = {
    "invoke": ("action to invoke", "actions to invoke"),
    "unknown": ("change that tfruns does not know", "changes that tfruns does not know"),
    "deferred": ("deferred to a later run", "deferred to a later run"),
    "outputs": ("output changes", "outputs change"),
    "drift": ("resource changed outside of Terraform", "resources changed outside of Terraform"),
}


def _print(view: View) -> None:
    print_fields(
        {
            "run": view["id"],
            "status": status_text(view["status"], needs_attention=view["outcome"] == "attention"),
            "workspace": view.get("workspace_name"),
            "plan": counts_line(view["plan"], has_changes=view.get("has_changes")) if view.get("plan") else None,
            "queue": view.get("queue"),
            "may": ", ".join(view.get("allowed_actions", ())) or None,
            "next": in_commands(view["next"]),
            "note": view.get("note"),
            "url": view.get("url"),
        }
    )
