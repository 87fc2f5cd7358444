"""`tfruns config upload`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.config.preview import preview, print_preview
from tfruns.cli.options import DEFAULTS, CommonOptions, Include, Organization, Workspace
from tfruns.cli.output import show
from tfruns.cli.session import Session, run_and_exit, run_command
from tfruns.cli.tables import print_fields
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.home import user_path
from tfruns.views.configuration import UploadView

_FIELDS = ("configuration_version_id", "workspace_id", "status", "files", "bytes", "packed_bytes")


def upload(
    directory: Annotated[Path, Parameter(help="Directory of the configuration")] = Path(),
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    speculative: Annotated[bool, Parameter(help="Upload for plan-only runs only")] = False,
    include: Include = (),
    dry_run: Annotated[bool, Parameter(help="Only list what would be uploaded")] = False,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Upload a directory as a configuration version.

    No run is started. .terraform/, state files, and files that .terraformignore lists are excluded. Files that may
    contain secrets (.env, keys, credentials, saved plans, and variable files that Terraform does not load
    automatically) are excluded and listed; --include uploads one. --dry-run needs no access to the API: it lists each
    file with its size, and each exclusion with its reason or rule.

    For example:
        tfruns config upload . --workspace network
        tfruns config upload ./infrastructure --speculative --json
        tfruns config upload . --dry-run
    """

    async def only_list() -> None:
        found = preview(user_path(lambda: directory, instead="give an absolute path"), include)
        show(found, print_preview, is_json=options.json)

    if dry_run:
        run_and_exit(only_list, options)

    async def work(session: Session) -> None:
        view = await session.call(
            "upload_configuration",
            UploadView,
            workspace_id=await resolve_workspace(session, workspace, organization),
            directory=session.allow(user_path(lambda: directory, instead="give an absolute path")),
            speculative=speculative,
            include=list(include) or None,
        )
        session.show(view, partial(_print, session))

    run_command(work, options)


def _print(session: Session, view: UploadView) -> None:
    print_fields({**{name: getattr(view, name) for name in _FIELDS}, "excluded": _excluded(view.excluded)})
    report_excluded(view)
    say(f"Next: {session.next_text(view.follows, view.next_actions)}")


def _excluded(counts: Mapping[str, int]) -> str | None:
    return ", ".join(f"{number} {why}" for why, number in counts.items()) or None


def report_excluded(view: UploadView) -> None:
    """Print which files were excluded as likely secrets and how to include them, and the notes of an upload."""
    withheld = view.excluded_likely_secrets
    if withheld:
        say(f"Excluded as likely secrets: {', '.join(withheld)}. To upload one, use --include PATH.")
    if view.note:
        say(view.note)
    if view.variable_files_uploaded:
        say(f"Uploaded variable files, which may contain secrets: {', '.join(view.variable_files_uploaded)}.")
