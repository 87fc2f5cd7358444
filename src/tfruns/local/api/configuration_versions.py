"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from sqlalchemy import func, select

from tfruns.errors import NotFound
from tfruns.local.api.request import ApiRequest, RequestAttributes, RequestContext
from tfruns.local.api.response import ApiResponse, list_response, resource_response
from tfruns.local.service import configurations
from tfruns.local.service.find import find, find_run, find_workspace
from tfruns.local.store.schema import ConfigurationVersionRow
from tfruns.vocabulary import ConfigurationStatus, RunSource
from tfruns.wire.configuration_versions import ConfigurationVersion


class _ConfigurationVersionAttributes(RequestAttributes):
    wire_type = "configuration-versions"

    auto_queue_runs: bool | None = None
    speculative: bool | None = None
    provisional: bool | None = None


def create_configuration_version(request: ApiRequest) -> ApiResponse:
    """POST /workspaces/:workspace_id/configuration-versions -> 201, with the upload URL."""
    has_body = bool(request.body.strip())
    attributes = request.attributes(_ConfigurationVersionAttributes) if has_body else _ConfigurationVersionAttributes()
    is_cli = request.headers.get("x-terraform-integration", "").lower() == "cloud"
    with request.backend.database.write() as write:
        workspace = find_workspace(write.session, request.path["workspace_id"])
        row = configurations.create_configuration_version(
            request.backend,
            write,
            workspace.id,
            speculative=bool(attributes.speculative),
            provisional=bool(attributes.provisional),
            auto_queue_runs=attributes.auto_queue_runs is not False,
            source=(RunSource.TERRAFORM_CLOUD if is_cli else RunSource.TFE_API).value,
        )
        return resource_response(configuration_version_resource(request.context, row, is_new=True), 201)


def list_configuration_versions(request: ApiRequest) -> ApiResponse:
    """GET /workspaces/:workspace_id/configuration-versions -> 200, newest first."""
    page = request.page()
    with request.backend.database.read() as session:
        workspace = find_workspace(session, request.path["workspace_id"])
        condition = ConfigurationVersionRow.workspace_id == workspace.id
        total = session.scalar(select(func.count()).select_from(ConfigurationVersionRow).where(condition))
        rows = session.scalars(
            select(ConfigurationVersionRow)
            .where(condition)
            .order_by(ConfigurationVersionRow.sequence.desc())
            .offset(page.offset)
            .limit(page.size)
        ).all()
        included = request.included(session, rows)
        found = [configuration_version_resource(request.context, row) for row in rows]
        return list_response(found, page, total=total, included=included)


def read_configuration_version(request: ApiRequest) -> ApiResponse:
    """GET /configuration-versions/:id, GET /runs/:run_id/configuration-version -> 200."""
    with request.backend.database.read() as session:
        row = find(session, ConfigurationVersionRow, id=_id(request))
        included = request.included(session, [row])
        return resource_response(configuration_version_resource(request.context, row), included=included)


def download_configuration_version(request: ApiRequest) -> ApiResponse:
    """GET /configuration-versions/:id/download, GET /runs/:run_id/configuration-version/download -> 302.

    Raises:
        NotFound: 404, the configuration version does not exist, was not uploaded, or was archived.
    """
    with request.backend.database.read() as session:
        row = find(session, ConfigurationVersionRow, id=_id(request))
    if row.status != ConfigurationStatus.UPLOADED:
        raise NotFound("not found")
    return ApiResponse(302, headers={"location": request.context.signed_url("read", "configuration", row.id)})


def archive_configuration_version(request: ApiRequest) -> ApiResponse:
    """POST /configuration-versions/:id/actions/archive -> 202."""
    with request.backend.database.write() as write:
        configurations.archive(
            request.backend,
            write,
            find(write.session, ConfigurationVersionRow, id=_id(request)),
        )
    return ApiResponse(202)


def _id(request: ApiRequest) -> str:
    if "run_id" not in request.path:
        return request.path["id"]
    with request.backend.database.read() as session:
        return find_run(session, request.path["run_id"]).configuration_version_id


def configuration_version_resource(
    context: RequestContext, row: ConfigurationVersionRow, *, is_new: bool = False
) -> ConfigurationVersion:
    """A configuration version. Only the response that creates it contains the upload URL."""
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
        fields["upload_url"] = context.signed_url("write", "configuration", row.id)
    return ConfigurationVersion.model_validate(fields)
