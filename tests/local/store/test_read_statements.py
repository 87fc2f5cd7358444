"""The number of statements per read: a statement takes more processor time than the rows that it returns."""

from tests.local.support import Api, statements

_STATEMENTS = {
    "/runs/{run}": 2,
    "/runs/{run}/plan": 2,
    "/workspaces/{workspace}": 3,
    "/organizations/default/workspaces": 5,
    "/workspaces/{workspace}/runs": 5,
    "/organizations/default/runs": 4,
}
"""Without the BEGIN of the only transaction; the token is in the cache."""


async def test_reads_have_one_transaction_and_few_statements(api: Api) -> None:
    for name in ("first", "second", "third"):
        workspace = await api.create_workspace(name)
        await api.create_configuration(workspace)
    run, *_ = [await api.create_run(message=f"Change {number}") for number in range(3)]
    for template, expected in _STATEMENTS.items():
        path = template.format(run=run["id"], workspace=api.workspace_id)
        await api.get(path)
        with statements(api) as seen:
            await api.get(path)
        assert seen[0] == "BEGIN", path
        assert len(seen[1:]) == expected, (path, seen)
        assert all(statement.startswith("SELECT") for statement in seen[1:]), path
