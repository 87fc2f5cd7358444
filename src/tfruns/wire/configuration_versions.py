"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from typing import ClassVar

from tfruns.wire.base import Resource, Secret, Timestamps, ToOne


class ConfigurationVersion(Resource):
    """A set of configuration files that runs use. The upload URL is signed and returned only on creation."""

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
