"""Runs. Source: HCP Terraform API, "Runs"."""

from pydantic import field_validator
from sqlalchemy.orm import Session

from tfruns.errors import UnprocessableEntity
from tfruns.local.documents.runs import run_resources
from tfruns.local.routes.call import Attributes, Call, Reply, list_reply, resource_reply
from tfruns.local.routes.included import RUN_INCLUDES, included_with_runs
from tfruns.local.service.find import find_organization, find_run, find_workspace
from tfruns.local.service.run_actions import perform
from tfruns.local.service.run_creation import NewRun, create_run
from tfruns.local.service.run_lists import RunQuery, list_runs
from tfruns.vocabulary import RunAction, RunSource
from tfruns.wire.run_options import RunOptions


class _Variable(Attributes):
    key: str
    value: str


class _RunAttributes(Attributes, RunOptions):
    wire_type = "runs"

    message: str | None = None
    auto_apply: bool | None = None
    variables: list[_Variable] | None = None

    @field_validator("terraform_version", "message")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        return value or None  # some clients send every default


def create(call: Call) -> Reply:
    """POST /runs -> 201."""
    attributes = call.attributes(_RunAttributes)
    workspace_id = call.related_id("workspace")
    if workspace_id is None:
        raise UnprocessableEntity("The run needs a relationship to its workspace.")
    new = NewRun(
        workspace_id=workspace_id,
        configuration_version_id=call.related_id("configuration-version"),
        message=attributes.message,
        auto_apply=attributes.auto_apply,
        variables=[variable.model_dump() for variable in attributes.variables or ()],
        options=attributes,
        source=_source(call),
    )
    with call.backend.database.write() as write:
        run = create_run(call.backend, write, new, user_id=call.user_id)
        resource = run_resources(call.scope, write.session, [run])[0]
    return resource_reply(resource, 201)


def _source(call: Call) -> str:
    """The Terraform CLI says who it is, with a `cloud` block or without; everything else is the API."""
    if call.headers.get("x-terraform-integration", "").lower() == "cloud":
        return RunSource.TERRAFORM_CLOUD.value
    return (RunSource.TERRAFORM if "terraform-version" in call.headers else RunSource.TFE_API).value


def read(call: Call) -> Reply:
    """GET /runs/:run_id -> 200."""
    include = call.include(RUN_INCLUDES)
    with call.backend.database.read() as session:
        run = find_run(session, call.path["run_id"])
        resource = run_resources(call.scope, session, [run])[0]
        return resource_reply(resource, included=included_with_runs(call.scope, session, [run], include))


def list_for_workspace(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/runs -> 200, with totals."""
    with call.backend.database.read() as session:
        workspace = find_workspace(session, call.path["workspace_id"])
        return _list(call, session, RunQuery.from_call(call, workspace_id=workspace.id))


def list_for_organization(call: Call) -> Reply:
    """GET /organizations/:organization/runs -> 200, without totals."""
    with call.backend.database.read() as session:
        organization = find_organization(session, call.path["organization"])
        return _list(call, session, RunQuery.from_call(call, organization=organization.name))


def _list(call: Call, session: Session, query: RunQuery) -> Reply:
    include, page = call.include(RUN_INCLUDES), call.page()
    found = list_runs(call.backend, session, query, page.offset, page.size)
    return list_reply(
        run_resources(call.scope, session, found.runs),
        page,
        total=found.total,
        has_more=found.has_more,
        included=included_with_runs(call.scope, session, found.runs, include),
    )


def act(call: Call) -> Reply:
    """POST /runs/:run_id/actions/:action -> 202. The body is `null`, since some clients parse it."""
    action = RunAction(call.path["action"].replace("-", "_"))
    comment = call.comment()
    with call.backend.database.write() as write:
        perform(call.backend, write, call.path["run_id"], action, user_id=call.user_id, comment=comment)
    return Reply(202)
