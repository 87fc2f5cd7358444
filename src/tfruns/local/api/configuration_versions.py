"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from sqlalchemy import func, select

from tfruns.errors import NotFound
from tfruns.local.api.request import Attributes, Call, Scope
from tfruns.local.api.response import Reply, list_reply, resource_reply
from tfruns.local.service.configurations import archive, create_configuration_version
from tfruns.local.service.find import find, find_run, find_workspace
from tfruns.local.store.schema import (
    ConfigurationVersionRow,
)
from tfruns.vocabulary import RunSource
from tfruns.wire.configuration_versions import ConfigurationVersion


class _ConfigurationVersion(Attributes):
    wire_type = "configuration-versions"

    auto_queue_runs: bool | None = None
    speculative: bool | None = None
    provisional: bool | None = None


def create(call: Call) -> Reply:
    """POST /workspaces/:workspace_id/configuration-versions -> 201, with the address for the upload."""
    attributes = call.attributes(_ConfigurationVersion) if call.body.strip() else _ConfigurationVersion()
    is_cli = call.headers.get("x-terraform-integration", "").lower() == "cloud"
    with call.backend.database.write() as write:
        workspace = find_workspace(write.session, call.path["workspace_id"])
        row = create_configuration_version(
            call.backend,
            write,
            workspace.id,
            speculative=bool(attributes.speculative),
            provisional=bool(attributes.provisional),
            auto_queue_runs=attributes.auto_queue_runs is not False,
            source=(RunSource.TERRAFORM_CLOUD if is_cli else RunSource.TFE_API).value,
        )
        return resource_reply(configuration_version_resource(call.scope, row, is_new=True), 201)


def list_for_workspace(call: Call) -> Reply:
    """GET /workspaces/:workspace_id/configuration-versions -> 200, the newest first."""
    page = call.page()
    with call.backend.database.read() as session:
        workspace = find_workspace(session, call.path["workspace_id"])
        condition = ConfigurationVersionRow.workspace_id == workspace.id
        total = session.scalar(select(func.count()).select_from(ConfigurationVersionRow).where(condition))
        rows = session.scalars(
            select(ConfigurationVersionRow)
            .where(condition)
            .order_by(ConfigurationVersionRow.sequence.desc())
            .offset(page.offset)
            .limit(page.size)
        ).all()
        included = call.included(session, rows)
        found = [configuration_version_resource(call.scope, row) for row in rows]
        return list_reply(found, page, total=total, included=included)


def read(call: Call) -> Reply:
    """GET /configuration-versions/:id, GET /runs/:run_id/configuration-version -> 200."""
    with call.backend.database.read() as session:
        row = find(session, ConfigurationVersionRow, ConfigurationVersionRow.id == _id(call))
        included = call.included(session, [row])
        return resource_reply(configuration_version_resource(call.scope, row), included=included)


def download(call: Call) -> Reply:
    """GET /configuration-versions/:id/download, GET /runs/:run_id/configuration-version/download -> 302.

    Raises:
        NotFound: 404, absent, or without files (any more).
    """
    with call.backend.database.read() as session:
        row = find(session, ConfigurationVersionRow, ConfigurationVersionRow.id == _id(call))
    if row.status != "uploaded":
        raise NotFound("not found")
    return Reply(302, headers={"location": call.scope.signed("read", "configuration", row.id)})


def archive_action(call: Call) -> Reply:
    """POST /configuration-versions/:id/actions/archive -> 202."""
    with call.backend.database.write() as write:
        archive(
            call.backend, write, find(write.session, ConfigurationVersionRow, ConfigurationVersionRow.id == _id(call))
        )
    return Reply(202)


def _id(call: Call) -> str:
    if "run_id" not in call.path:
        return call.path["id"]
    with call.backend.database.read() as session:
        return find_run(session, call.path["run_id"]).configuration_version_id


def configuration_version_resource(
    scope: Scope, row: ConfigurationVersionRow, *, is_new: bool = False
) -> ConfigurationVersion:
    """A configuration version. The address for its upload is shown once, when it is created."""
    fields = {
        "id": row.id,
        "status": row.status,
        "status_timestamps": row.status_timestamps,
        "source": row.source,
        "speculative": row.speculative,
        "provisional": row.provisional,
        "auto_queue_runs": row.auto_queue_runs,
        "error": None,
        "error_message": row.error_message,
        "ingress_attributes": None,
    }
    if is_new:
        fields["upload_url"] = scope.signed("write", "configuration", row.id)
    return ConfigurationVersion.model_validate(fields)
