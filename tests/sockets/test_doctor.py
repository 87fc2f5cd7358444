"""`tfruns doctor` and certificates."""

from pathlib import Path

from tests.sockets.conftest import Certificate
from tests.sockets.servers import document, unused_port, web_server
from tests.support.api import TOKEN
from tests.support.samples import user
from tfruns.cli.doctor.findings import Finding, Health
from tfruns.cli.doctor.remote import Remote
from tfruns.client.client import Client


async def tls(address: str, ca_file: Path | None = None) -> Finding:
    async with Client(address, TOKEN, ca_file=ca_file) as client:
        return await Remote(client, None).tls()


async def test_accepted_certificate_is_shown_with_its_expiry(certificate: Certificate) -> None:
    with web_server(document({"data": user()}), context=certificate.context) as server:
        found = await tls(server.address, certificate.ca_file)
    assert found.health in {Health.OK, Health.WARNING}  # it may be a short-lived one
    assert "TLSv1." in found.text
    assert f"verified with {certificate.ca_file}" in found.text


async def test_rejected_certificate_is_broken_with_a_remedy(certificate: Certificate) -> None:
    with web_server(document({"data": user()}), context=certificate.context) as server:
        found = await tls(server.address)
    assert found.health is Health.BROKEN
    assert "self-signed certificate" in found.text
    assert "TFE_CA_FILE" in found.remedy


async def test_closed_port_is_left_to_the_check_of_the_api() -> None:
    found = await tls(f"https://127.0.0.1:{unused_port()}")
    assert (found.health, found.text) == (Health.SKIPPED, "The API did not respond.")
