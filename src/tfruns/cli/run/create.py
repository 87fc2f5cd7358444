"""`tfruns run create`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.config.upload import say_left_out
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, Include, Options, Organization, Timeout, Wait, Workspace, Yes
from tfruns.cli.run.variables import variables_of
from tfruns.cli.session import Session, command
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import in_commands, say
from tfruns.cli.watch import Watch, wait_and_end
from tfruns.errors import InvalidInput
from tfruns.tool import View
from tfruns.tools.create_run import kinds_of_new_run
from tfruns.wire.run_params import RunParams

_AUTO_APPLY = "Apply without another question; by default never, whatever the workspace's setting"
_VAR = 'KEY=VALUE with an HCL literal as the value: count=2, \'names=["a", "b"]\'. Repeatable'
_VAR_STRING = "KEY=TEXT: the same for a plain text, without quotes. Repeatable"
_DIRECTORY = "Upload this directory first, and plan that"
_VERSION = "Another Terraform than the workspace's; only with --plan-only"
_CONFIGURATION = "Plan this configuration version (cv-…), instead of the workspace's latest"
_SAVE = "Plan now, apply later; does not block the workspace's queue"
_NO_REFRESH = "Do not read the real resources before planning"


def _says(text: str) -> Parameter:
    return Parameter(help=text)


def _many(text: str) -> Parameter:
    return Parameter(help=f"{text}. Repeatable")


def create(
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    directory: Annotated[Path | None, Parameter(help=_DIRECTORY)] = None,
    include: Include = (),
    message: Annotated[str | None, Parameter(name=["--message", "-m"], help="Purpose of the run")] = None,
    plan_only: Annotated[bool, _says("Only plan: the run can never be applied")] = False,
    destroy: Annotated[bool, _says("Plan to destroy all resources")] = False,
    refresh_only: Annotated[bool, _says("Only update the state to match reality")] = False,
    no_refresh: Annotated[bool, _says(_NO_REFRESH)] = False,
    auto_apply: Annotated[bool, _says(_AUTO_APPLY)] = False,
    save_plan: Annotated[bool, _says(_SAVE)] = False,
    allow_empty_apply: Annotated[bool, _says("Apply even without changes")] = False,
    allow_config_generation: Annotated[bool, _says("Generate code for imports")] = False,
    debugging_mode: Annotated[bool, _says("Log with TF_LOG=TRACE")] = False,
    target: Annotated[tuple[str, ...], _many("Only this resource and what it depends on")] = (),
    replace: Annotated[tuple[str, ...], _many("Replace this resource")] = (),
    var: Annotated[tuple[str, ...], Parameter(help=_VAR)] = (),
    var_string: Annotated[tuple[str, ...], Parameter(help=_VAR_STRING)] = (),
    policy_path: Annotated[tuple[str, ...], _many("A path of policies to evaluate")] = (),
    invoke_action: Annotated[tuple[str, ...], _many("The address of an action to invoke")] = (),
    configuration_version: Annotated[str | None, Parameter(help=_CONFIGURATION)] = None,
    terraform_version: Annotated[str | None, Parameter(help=_VERSION)] = None,
    wait: Wait = False,
    timeout: Timeout = None,
    yes: Yes = False,
    options: Options = DEFAULTS,
) -> None:
    """Create a run: it plans, and then waits to be applied.

    A run that destroys or applies by itself is asked about. With --wait the exit code says how it went: 0 done, 10 a
    person is needed (to apply it), 20 it failed or was ended, 30 the time is over.

    For example:
        tfruns run create --workspace network --message "More subnets" --wait
        tfruns run create --workspace network --directory . --plan-only --wait
        tfruns run create --workspace network --var replicas=3 --var-string region=eu-west-1
    """

    async def work(session: Session) -> ExitCode | None:
        if directory and configuration_version:
            raise InvalidInput("--directory and --configuration-version exclude each other.", solution="Give only one.")
        if timeout is not None and not wait:
            raise InvalidInput("--timeout is for --wait.", solution="Add --wait, or leave --timeout out.")
        if include and not directory:
            raise InvalidInput("--include is for --directory.", solution="Add --directory, or leave --include out.")
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
            "variables": variables_of(var, var_string),
            "policy_paths": list(policy_path),
            "invoke_action_addrs": list(invoke_action),
            "configuration_version_id": configuration_version,
            "terraform_version": terraform_version,
        }
        place = resolve_workspace(session, workspace, organization)
        kind = RunParams(plan_only=plan_only, is_destroy=destroy, auto_apply=auto_apply)
        if kinds_of_new_run(kind):
            session.require_person()  # before anything is uploaded
        if directory:
            params["configuration_version_id"] = await _upload(
                session, place, directory, include, is_plan_only=plan_only
            )
        said = {name: value for name, value in params.items() if value not in (None, [])}
        view = await session.call("create_run", workspace_id=place, params=said)
        if not wait:
            session.show(view, _print)
            return None
        say(f"Created {view['id']}. {view.get('url', '')}")
        return await wait_and_end(session, Watch(view["id"], "attention", timeout, ("plan", "apply")))

    command(work, options, is_agreed=yes)


async def _upload(
    session: Session, workspace: str, directory: Path, include: tuple[str, ...], *, is_plan_only: bool
) -> str:
    view = await session.call(
        "upload_configuration",
        workspace_id=workspace,
        directory=session.allow(directory),
        speculative=is_plan_only,
        include=list(include) or None,
    )
    files = f"{view['files']} file{'' if view['files'] == 1 else 's'}"
    say(f"Uploaded {files} of {directory} as {view['configuration_version_id']}.")
    say_left_out(view)
    return str(view["configuration_version_id"])


def _print(view: View) -> None:
    print_fields(
        {
            "run": view["id"],
            "status": status_text(view["status"]),
            "workspace": view.get("workspace_name"),
            "next": in_commands(view["next"]),
            "url": view.get("url"),
        }
    )
