"""A whole server on a PostgreSQL database that is restarted in the middle of an apply."""

from pathlib import Path

import pytest

from tests.e2e.local.conftest import NewServer
from tests.support.gates import ApplyGate
from tests.support.local_lab import lab as lab_on
from tests.support.local_lab import wait_until
from tests.support.local_server import LocalServer, until
from tests.support.postgresql import Server

_DOWN = "No plan or apply is started until the database is available again"
_UP = "The database is available again"


@pytest.mark.anyio
async def test_restart_of_postgresql_keeps_the_apply_the_token_and_the_claim(
    own_postgresql: Server, new_server: NewServer, apply_gate: ApplyGate, tmp_path: Path
) -> None:
    with own_postgresql.database(is_migrated=False) as url:
        first = new_server("--database", url).start()
        second = new_server("--database", url, data_dir=tmp_path / "second")
        token = first.token
        async with lab_on(first) as lab:
            workspace = await lab.workspace(
                'resource "terraform_data" "first" {}' + apply_gate.configuration(depends_on="terraform_data.first")
            )
            run = await lab.run(workspace, auto_apply=True)
            await wait_until(apply_gate.has_begun, "the apply waits in the gate")

            def meanwhile() -> None:
                until(lambda: _DOWN in first.stderr, "the server sees that the database is away")
                assert "The database cannot be used" in _refusal(second)

            own_postgresql.restart(meanwhile)
            assert f"The database is in use: the server of {first.data_dir}" in _refusal(second)
            until(lambda: _UP in first.stderr, "the server sees that the database is back")
            apply_gate.open()
            await lab.until(run, "applied")
            assert await lab.resources(workspace) == {"first", apply_gate.name}
            assert "Apply complete!" in await lab.log(run, "apply")
            following = await lab.run(workspace, auto_apply=True, is_destroy=True)
            await lab.until(following, "applied")
        async with lab_on(first) as lab:  # new connections, with the same token
            assert first.token == token
            assert (await lab.client.account.read()).username
        assert first.stop() == 0
        assert second.start().stop() == 0, "a database that was given up can be taken"


def _refusal(server: LocalServer) -> str:
    before = server.stderr
    server.launch()
    assert server.wait(60) == 1, server.stderr
    printed = server.stderr.removeprefix(before)
    assert "Traceback" not in printed
    return printed
