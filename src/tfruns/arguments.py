"""The types of the arguments that several tools take: description for the caller, role for the gate."""

from typing import Annotated

from pydantic import Field

from tfruns.tool import Role

RunId = Annotated[str, Field(description='"run-…" or its browser URL'), Role.RUN]
WorkspaceRef = Annotated[str, Field(description='"ws-…", "organization/name", name, or browser URL'), Role.WORKSPACE]
Organization = Annotated[str | None, Field(description="By default the configured or only one"), Role.ORGANIZATION]
Comment = Annotated[str, Field(description="Recorded with the run"), Role.COMMENT]
PageNumber = Annotated[int, Field(description="From 1")]
PageSize = Annotated[int, Field(description="At most 100")]

# -- filters of lists of runs -----------------------------------------------------------------------------------------

Operations = Annotated[
    str | None,
    Field(description="plan_only (or plan), plan_and_apply (or apply), save_plan, refresh_only, destroy, empty_apply"),
]
Statuses = Annotated[str | None, Field(description='E.g. "pending,planning,planned,applying,errored"')]
Sources = Annotated[str | None, Field(description="tfe-ui, tfe-api, tfe-configuration-version, terraform+cloud, …")]
Group = Annotated[str | None, Field(description="non_final (or running), final, or discardable")]
Timeframe = Annotated[str | None, Field(description='A year, or "year": the last 12 months')]
AgentPools = Annotated[str | None, Field(description="Agent pool names")]
WorkspaceNames = Annotated[str | None, Field(description="Workspace names; may contain * and ?"), Role.WORKSPACE_NAMES]
Since = Annotated[str | None, Field(description='Created since: "24h", "7d", "2026-11-27"')]
SearchUser = Annotated[str | None, Field(description="VCS user name")]
SearchCommit = Annotated[str | None, Field(description="Commit SHA")]
SearchBasic = Annotated[str | None, Field(description="VCS user, commit, run id or message")]
