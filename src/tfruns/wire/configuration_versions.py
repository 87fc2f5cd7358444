"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from typing import ClassVar

from tfruns.wire.base import Resource, Secret, Timestamps, ToOne


class ConfigurationVersion(Resource):
    """A set of configuration files that runs use.

    Attributes:
        source: where it comes from: `tfe-api`, `github`, ...
        speculative: whether it is only for plan-only runs.
        provisional: whether it becomes the workspace's current one only after a run of it is applied.
        auto_queue_runs: whether the upload queues a run.
        error: the kind of a failure.
        upload_url: the signed URL for the upload, returned only on creation.
        ingress_attributes: the commit that it comes from.
    """

    wire_type: ClassVar[str] = "configuration-versions"

    status: str
    status_timestamps: Timestamps | None = None
    source: str | None = None
    speculative: bool | None = None
    provisional: bool | None = None
    auto_queue_runs: bool | None = None
    error: str | None = None
    error_message: str | None = None
    upload_url: Secret = None

    ingress_attributes: ToOne = None
