"""How SQLite reads lists of runs. `bench/` measures their speed with a million runs."""

from typing import Any

import pytest
from sqlalchemy import event

from tests.local.support import Api


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"filter[status]": "errored,canceled,plan_queued"},
        {"filter[operation]": "plan_only,destroy"},
        {"filter[status_group]": "non_final", "filter[operation]": "destroy,save_plan"},
        {"filter[timeframe]": "2026"},
    ],
)
@pytest.mark.parametrize("is_of_workspace", [True, False])
async def test_page_of_runs_is_read_from_an_index_without_sorting(
    api: Api, query: dict[str, str], is_of_workspace: bool
) -> None:
    # Sorting a million runs for a page of twenty would be too slow.
    for options in ({}, {"is_destroy": True}, {"save_plan": True}, {"plan_only": True}):
        await api.create_run(**options)
    path = f"/workspaces/{api.workspace_id}/runs" if is_of_workspace else "/organizations/default/runs"
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "OFFSET" in statement:
            seen.append((statement, parameters))

    event.listen(api.backend.database.engine, "before_cursor_execute", note)
    await api.get(path, **query)
    event.remove(api.backend.database.engine, "before_cursor_execute", note)
    ((statement, parameters),) = seen
    with api.backend.database.engine.connect() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    details = [step.detail for step in steps]
    assert any("USING COVERING INDEX runs_of_" in detail for detail in details)
    assert not any("TEMP B-TREE" in detail or detail.startswith("SCAN") for detail in details)
