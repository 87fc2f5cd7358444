"""Manage Terraform runs in HCP Terraform and Terraform Enterprise.

    import tfruns

    async with tfruns.Client() as client:
        run = await client.runs.create("my-organization/my-workspace", tfruns.RunParams(plan_only=True))
        print(run.id, run.status)

Enumerations and errors are imported immediately. Names that require an HTTP client or pydantic are loaded on first use,
so that `tfruns --help` needs neither.
"""

import importlib
from typing import TYPE_CHECKING, Any

from tfruns._version import __version__
from tfruns.errors import (
    ApiError,
    AuditFailed,
    BadRequest,
    ConfirmationNeeded,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    Declined,
    Forbidden,
    HostNotFound,
    InvalidInput,
    NoCredentials,
    NotFound,
    OutcomeUnknown,
    OutOfScope,
    PlanDiffers,
    RateLimited,
    RefusedByMode,
    RequestTimedOut,
    ServerError,
    TfrunsError,
    TlsFailed,
    TooLarge,
    TransitionNotAllowed,
    Unauthorized,
    UnexpectedResponse,
    UnprocessableEntity,
    WaitTimedOut,
    WorkspaceBusy,
    WorkspaceLocked,
)
from tfruns.vocabulary import (
    CheckStatus,
    ConfigurationStatus,
    PhaseStatus,
    RunAction,
    RunEnding,
    RunOperation,
    RunPhase,
    RunSource,
    RunStatus,
    StatusGroup,
)

if TYPE_CHECKING:
    from tfruns.client.client import Client
    from tfruns.client.listing import Listing, Page
    from tfruns.client.run_filters import RunFilters
    from tfruns.configuration.packing import packed_directory
    from tfruns.wire.activity import Comment, RunEvent, User
    from tfruns.wire.checks import CostEstimate, PolicyCheck, TaskStage
    from tfruns.wire.configuration_versions import ConfigurationVersion
    from tfruns.wire.plans import Apply, Plan
    from tfruns.wire.run_params import RunParams, RunVariableParam
    from tfruns.wire.runs import Run
    from tfruns.wire.workspaces import Workspace

_LOADED_LATER = {
    "Apply": "tfruns.wire.plans",
    "Client": "tfruns.client.client",
    "Comment": "tfruns.wire.activity",
    "ConfigurationVersion": "tfruns.wire.configuration_versions",
    "CostEstimate": "tfruns.wire.checks",
    "Listing": "tfruns.client.listing",
    "Page": "tfruns.client.listing",
    "Plan": "tfruns.wire.plans",
    "PolicyCheck": "tfruns.wire.checks",
    "Run": "tfruns.wire.runs",
    "RunEvent": "tfruns.wire.activity",
    "RunFilters": "tfruns.client.run_filters",
    "RunParams": "tfruns.wire.run_params",
    "RunVariableParam": "tfruns.wire.run_params",
    "TaskStage": "tfruns.wire.checks",
    "User": "tfruns.wire.activity",
    "Workspace": "tfruns.wire.workspaces",
    "packed_directory": "tfruns.configuration.packing",
}

__all__ = [
    "ApiError",
    "Apply",
    "AuditFailed",
    "BadRequest",
    "CheckStatus",
    "Client",
    "Comment",
    "ConfigurationStatus",
    "ConfigurationVersion",
    "ConfirmationNeeded",
    "Conflict",
    "ConnectionFailed",
    "ConnectionLost",
    "CostEstimate",
    "Declined",
    "Forbidden",
    "HostNotFound",
    "InvalidInput",
    "Listing",
    "NoCredentials",
    "NotFound",
    "OutOfScope",
    "OutcomeUnknown",
    "Page",
    "PhaseStatus",
    "Plan",
    "PlanDiffers",
    "PolicyCheck",
    "RateLimited",
    "RefusedByMode",
    "RequestTimedOut",
    "Run",
    "RunAction",
    "RunEnding",
    "RunEvent",
    "RunFilters",
    "RunOperation",
    "RunParams",
    "RunPhase",
    "RunSource",
    "RunStatus",
    "RunVariableParam",
    "ServerError",
    "StatusGroup",
    "TaskStage",
    "TfrunsError",
    "TlsFailed",
    "TooLarge",
    "TransitionNotAllowed",
    "Unauthorized",
    "UnexpectedResponse",
    "UnprocessableEntity",
    "User",
    "WaitTimedOut",
    "Workspace",
    "WorkspaceBusy",
    "WorkspaceLocked",
    "__version__",
    "packed_directory",
]


def __getattr__(name: str) -> Any:
    home = _LOADED_LATER.get(name)
    if home is None:
        raise AttributeError(f"module 'tfruns' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
