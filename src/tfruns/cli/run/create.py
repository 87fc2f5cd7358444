"""`tfruns run create`."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.config.upload import report_excluded
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import (
    DEFAULTS,
    NO_JOB,
    CommonOptions,
    Include,
    JobOptions,
    Organization,
    Timeout,
    Wait,
    Workspace,
    Yes,
)
from tfruns.cli.run.variables import collect_variables
from tfruns.cli.session import Session, run_command
from tfruns.cli.step_summary import write_ci_outputs
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.cli.watch import Watch, watch_and_report
from tfruns.errors import InvalidInput
from tfruns.runs.new_run import kinds_of_new_run
from tfruns.views.configuration import UploadView
from tfruns.views.runs import RunView
from tfruns.wire.run_params import RunParams
from tfruns.wording import counted

_AUTO_APPLY = "Apply automatically after a successful plan"
_VAR = "Set a variable: size=2 or region=eu-west-1. Repeatable"
_VAR_FILE = "Set the variables in this .tfvars file. Repeatable"
_VAR_STRING = "Set a variable to a string: KEY=STRING. Repeatable"
_DIRECTORY = "Upload this directory, and plan its configuration"
_VERSION = "With --plan-only: use this Terraform version"
_CONFIGURATION = "Plan this configuration version (default: the latest)"
_SAVE = "Plan without blocking the queue, and apply later"
_NO_REFRESH = "Plan without reading the real resources first"


def _flag(text: str) -> Parameter:
    return Parameter(help=text)


def _repeatable(text: str) -> Parameter:
    return Parameter(help=f"{text}. Repeatable")


def create(
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    directory: Annotated[Path | None, Parameter(help=_DIRECTORY)] = None,
    include: Include = (),
    message: Annotated[str | None, Parameter(name=["--message", "-m"], help="Describe the purpose of the run")] = None,
    plan_only: Annotated[bool, _flag("Only plan; the run can never be applied")] = False,
    destroy: Annotated[bool, _flag("Plan to destroy all resources")] = False,
    refresh_only: Annotated[bool, _flag("Only update the state to match the real resources")] = False,
    no_refresh: Annotated[bool, _flag(_NO_REFRESH)] = False,
    auto_apply: Annotated[bool, _flag(_AUTO_APPLY)] = False,
    save_plan: Annotated[bool, _flag(_SAVE)] = False,
    allow_empty_apply: Annotated[bool, _flag("Apply even without changes")] = False,
    allow_config_generation: Annotated[bool, _flag("Generate configuration for imported resources")] = False,
    debugging_mode: Annotated[bool, _flag("Write a detailed log (TF_LOG=TRACE)")] = False,
    target: Annotated[tuple[str, ...], _repeatable("Plan only this resource and its dependencies")] = (),
    replace: Annotated[tuple[str, ...], _repeatable("Replace this resource")] = (),
    var: Annotated[tuple[str, ...], Parameter(help=_VAR)] = (),
    var_file: Annotated[tuple[Path, ...], Parameter(help=_VAR_FILE)] = (),
    var_string: Annotated[tuple[str, ...], Parameter(help=_VAR_STRING)] = (),
    policy_path: Annotated[tuple[str, ...], _repeatable("Evaluate the policies at this path")] = (),
    invoke_action: Annotated[tuple[str, ...], _repeatable("Invoke the action at this address")] = (),
    configuration_version: Annotated[str | None, Parameter(help=_CONFIGURATION)] = None,
    terraform_version: Annotated[str | None, Parameter(help=_VERSION)] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    job: JobOptions = NO_JOB,
    yes: Yes = False,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Create a run.

    The run plans, and then waits for confirmation, even if the workspace is set to auto-apply. --auto-apply and
    --destroy ask for confirmation. With --wait, the exit code is 0 if the run has finished, 10 if it needs a person (to
    apply it), 20 if it failed or was canceled or discarded, and 30 if the timeout expired.

    --var, --var-file and TF_VAR_… set variables as in Terraform: a bare word is a string, and TF_VAR_… applies to
    variables that the directory declares.

    For example:
        tfruns run create --workspace network --message "More subnets" --wait
        tfruns run create --workspace network --directory . --plan-only --wait
        tfruns run create -w network --var replicas=3 --var region=eu-west-1
    """

    async def work(session: Session) -> ExitCode | None:
        if directory and configuration_version:
            raise InvalidInput("--directory and --configuration-version cannot be used together.", solution="Omit one.")
        if timeout is not None and not wait:
            raise InvalidInput("--timeout requires --wait.", solution="Add --wait, or omit --timeout.")
        job.require_wait(is_waiting=wait)
        if include and not directory:
            raise InvalidInput("--include requires --directory.", solution="Add --directory, or omit --include.")
        params = {
            "message": message,
            "plan_only": plan_only or None,
            "is_destroy": destroy or None,
            "refresh_only": refresh_only or None,
            "refresh": False if no_refresh else None,
            "auto_apply": auto_apply or None,
            "save_plan": save_plan or None,
            "allow_empty_apply": allow_empty_apply or None,
            "allow_config_generation": allow_config_generation or None,
            "debugging_mode": debugging_mode or None,
            "target_addrs": list(target),
            "replace_addrs": list(replace),
            "variables": collect_variables(var, var_string, var_file, directory or Path.cwd()),
            "policy_paths": list(policy_path),
            "invoke_action_addrs": list(invoke_action),
            "configuration_version_id": configuration_version,
            "terraform_version": terraform_version,
        }
        workspace_ref = await resolve_workspace(session, workspace, organization)
        kind = RunParams(plan_only=plan_only, is_destroy=destroy, auto_apply=auto_apply)
        if kinds_of_new_run(kind):
            session.require_person()  # before anything is uploaded
        if directory:
            params["configuration_version_id"] = await _upload(
                session, workspace_ref, directory, include, is_plan_only=plan_only
            )
        given = {name: value for name, value in params.items() if value not in (None, [])}
        view = await session.call("create_run", RunView, workspace_id=workspace_ref, params=given)
        if not wait:
            write_ci_outputs(view)
            session.show(view, partial(print_created, session))
            return None
        say(f"Created {view.id}. {view.url}")
        return await watch_and_report(session, Watch(view.id, "attention", timeout, ("plan", "apply"), job=job))

    run_command(work, options, is_confirmed=yes)


async def _upload(
    session: Session, workspace: str, directory: Path, include: tuple[str, ...], *, is_plan_only: bool
) -> str:
    view = await session.call(
        "upload_configuration",
        UploadView,
        workspace_id=workspace,
        directory=session.allow(directory),
        speculative=is_plan_only,
        include=list(include) or None,
    )
    files = counted(view.files, "file")
    say(f"Uploaded {files} from {directory} as {view.configuration_version_id}.")
    report_excluded(view)
    return view.configuration_version_id


def print_created(session: Session, view: RunView) -> None:
    """Print a run that was just created."""
    print_fields(
        {
            "run": view.id,
            "status": status_text(view.status),
            "workspace": view.workspace_name,
            "next": session.next_text(view.follows, view.next_actions),
            "url": view.url,
        }
    )
