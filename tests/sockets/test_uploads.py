"""Uploads over a real connection: the whole file with its length, without the token, retried if interrupted."""

import tempfile
from collections.abc import Callable

import pytest

from tests.sockets.servers import Answer, Received, document, web_server
from tests.support import samples
from tests.support.api import TOKEN
from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.wire.configuration_versions import ConfigurationVersion

pytestmark = pytest.mark.anyio

CONTENT = bytes(range(256)) * 20_000  # 5 MB: larger than what the kernel takes at once


async def upload(client: Client, address: str) -> None:
    version = ConfigurationVersion(id="cv-n4XQPBa2QnecZJ4G", status="pending", upload_url=address)
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        await client.configuration_versions.upload(version, file)


async def test_file_is_uploaded_unchanged_without_the_token(connect: Callable[[str], Client]) -> None:
    with web_server(lambda _: Answer()) as store, web_server(lambda _: Answer(500)) as api:
        async with connect(api.address) as client:
            await upload(client, f"{store.address}/v1/object/secret")
        (received,) = store.received
        assert (received.method, received.path) == ("PUT", "/v1/object/secret")
        assert received.body == CONTENT
        assert received.headers["content-length"] == str(len(CONTENT))
        assert "transfer-encoding" not in received.headers
        assert TOKEN not in str(received.headers)
        assert "authorization" not in received.headers
        assert api.received == []


async def test_interrupted_upload_is_resent_from_the_start(connect: Callable[[str], Client]) -> None:
    answers = iter([Answer(is_reset=True), Answer()])
    with web_server(lambda _: next(answers)) as store:
        async with connect(store.address) as client:
            await upload(client, f"{store.address}/v1/object/secret")
        assert [len(received.body) for received in store.received] == [len(CONTENT)] * 2


async def test_refusal_hides_the_signed_url(connect: Callable[[str], Client]) -> None:
    def respond(request: Received) -> Answer:
        version = samples.configuration_version("cv-n4XQPBa2QnecZJ4G")
        return Answer(403, b"expired") if request.method == "PUT" else document({"data": version})

    with web_server(respond) as store:
        async with connect(store.address) as client:
            with pytest.raises(TfrunsError) as refused:
                await upload(client, f"{store.address}/v1/object/secret")
    assert refused.value.status == 403
    assert "secret" not in str(refused.value.as_dict())
