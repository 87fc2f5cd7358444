"""The proof of a passkey: signed by the device of the person, for one decision of one session, once."""

import hashlib
import json
import stat
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cbor2
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from tests.web.support import Browser, Pages, forms_of, sign_in
from tests.web.test_sessions import FakeClock
from tfruns.errors import Forbidden, InvalidInput
from tfruns.web.beside_api import add_pages
from tfruns.web.passkeys import CHALLENGE_LIFETIME_S, Asker, PasskeyFile, Passkeys, decision_key

ADMIN = Asker("session-1", "admin", "localhost", "http://localhost:8088")
KEY = decision_key("/app/default/workspaces/network/runs/run-1", "apply_run", "seen")
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Device:
    """An authenticator. Its attributes are what a forged response would contain."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = b"credential-1"
    host: str = ADMIN.host
    origin: str = ADMIN.origin
    flags: int = _PRESENT | _VERIFIED
    count: int = 1

    def create(self, options: str) -> str:
        """The response to the options of a registration."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(public)
        data = self._data(self.flags | _ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", json.loads(options)["challenge"])
        return self._response(clientDataJSON=client, attestationObject=attestation)

    def get(self, options: str) -> str:
        """The response to the options of a decision."""
        client = self._client("webauthn.get", json.loads(options)["challenge"])
        data = self._data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._response(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _response(self, **parts: bytes) -> str:
        id_ = bytes_to_base64url(self.id)
        response: dict[str, Any] = {name: bytes_to_base64url(part) for name, part in parts.items()}
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "passkeys.json"


@pytest.fixture
def passkeys(path: Path, clock: FakeClock) -> Passkeys:
    return Passkeys(PasskeyFile(path), clock)


@pytest.fixture
def device(passkeys: Passkeys) -> Device:
    """A device with a registered passkey."""
    device = Device()
    passkeys.register(ADMIN, device.create(passkeys.registration_options(ADMIN)), "Laptop")
    device.count += 1
    return device


def test_a_passkey_confirms_a_decision_exactly_once(passkeys: Passkeys, device: Device) -> None:
    response = device.get(passkeys.decision_options(ADMIN, KEY))
    assert passkeys.confirms(ADMIN, KEY, response)
    assert not passkeys.confirms(ADMIN, KEY, response)
    passkeys.decision_options(ADMIN, KEY)
    assert not passkeys.confirms(ADMIN, KEY, response)  # it answers another challenge


def test_forged_responses_confirm_nothing(passkeys: Passkeys, device: Device) -> None:
    forged = {
        "another website": replace(device, origin="http://attacker.example"),
        "another port": replace(device, origin="http://localhost:9999"),
        "the address for the name": replace(device, origin="http://127.0.0.1:8088"),
        "a passkey of another host": replace(device, host="attacker.example"),
        "a person who was not verified": replace(device, flags=_PRESENT),
        "nobody present": replace(device, flags=_VERIFIED),
        "a copied device that counts from its copy": replace(device, count=1),
        "another key": replace(device, key=ec.generate_private_key(ec.SECP256R1())),
        "an unknown passkey": replace(device, id=b"credential-2"),
    }
    for name, other in forged.items():
        assert not passkeys.confirms(ADMIN, KEY, other.get(passkeys.decision_options(ADMIN, KEY))), name
    for text in ("", "null", "[]", "{}", "x", '{"id": 1}', "[" * 100_000):
        passkeys.decision_options(ADMIN, KEY)
        assert not passkeys.confirms(ADMIN, KEY, text), text[:10]
    assert passkeys.confirms(ADMIN, KEY, device.get(passkeys.decision_options(ADMIN, KEY)))


def test_a_response_counts_only_for_its_decision_and_session(passkeys: Passkeys, device: Device) -> None:
    path, tool, seen = "/app/default/workspaces/network/runs/run-1", "apply_run", "seen"
    others = {
        "another run": (ADMIN, decision_key(f"{path}2", tool, seen)),
        "another tool": (ADMIN, decision_key(path, "force_cancel_run", seen)),
        "another impact": (ADMIN, decision_key(path, tool, "changed")),
        "another session": (replace(ADMIN, session_id="session-2"), KEY),
        "another person": (replace(ADMIN, user="guest"), KEY),
    }
    for name, (asker, key) in others.items():
        response = device.get(passkeys.decision_options(ADMIN, KEY))
        assert not passkeys.confirms(asker, key, response), name


def test_a_challenge_expires_after_five_minutes(passkeys: Passkeys, device: Device, clock: FakeClock) -> None:
    for seconds, is_valid in ((CHALLENGE_LIFETIME_S - 1, True), (CHALLENGE_LIFETIME_S, False)):
        response = device.get(passkeys.decision_options(ADMIN, KEY))
        clock.now += seconds
        assert passkeys.confirms(ADMIN, KEY, response) is is_valid
        device.count += 1


def test_a_device_that_does_not_count_is_accepted(passkeys: Passkeys) -> None:
    device = Device(count=0)
    passkeys.register(ADMIN, device.create(passkeys.registration_options(ADMIN)), "")
    for _ in range(2):
        assert passkeys.confirms(ADMIN, KEY, device.get(passkeys.decision_options(ADMIN, KEY)))


def test_the_count_of_a_device_is_kept(passkeys: Passkeys, device: Device, path: Path) -> None:
    device.count = 7
    assert passkeys.confirms(ADMIN, KEY, device.get(passkeys.decision_options(ADMIN, KEY)))
    again = Passkeys(PasskeyFile(path))  # as after a restart
    assert [passkey.sign_count for passkey in again.of(ADMIN)] == [7]
    assert not again.confirms(ADMIN, KEY, device.get(again.decision_options(ADMIN, KEY)))


def test_only_the_public_part_is_stored_and_only_for_its_owner(passkeys: Passkeys, device: Device, path: Path) -> None:
    [stored] = json.loads(path.read_text())
    assert (stored["user"], stored["host"], stored["name"]) == ("admin", "localhost", "Laptop")
    assert base64url_to_bytes(stored["id"]) == device.id
    private = device.key.private_numbers().private_value.to_bytes(32, "big")
    assert private not in base64url_to_bytes(stored["public_key"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_forged_registrations_are_rejected(passkeys: Passkeys) -> None:
    for forged in (
        Device(origin="http://attacker.example"),
        Device(host="attacker.example"),
        Device(flags=_PRESENT),
    ):
        with pytest.raises(InvalidInput, match="not valid"):
            passkeys.register(ADMIN, forged.create(passkeys.registration_options(ADMIN)), "")
    response = Device().create(passkeys.registration_options(ADMIN))
    passkeys.register(ADMIN, response, "")
    with pytest.raises(InvalidInput, match="not valid"):
        passkeys.register(ADMIN, response, "")
    with pytest.raises(InvalidInput, match="not valid"):  # the id of a registered passkey
        passkeys.register(ADMIN, Device().create(passkeys.registration_options(ADMIN)), "")


def test_passkeys_belong_to_one_person_and_host(passkeys: Passkeys, device: Device) -> None:
    for asker in (replace(ADMIN, user="guest"), replace(ADMIN, host="runs.example.com")):
        with pytest.raises(Forbidden, match="you have not registered one for this host"):
            passkeys.decision_options(asker, KEY)


@pytest.mark.parametrize("content", ["", "{", "{}x", '[{"id": "x"}]', "[1]"])
def test_a_damaged_file_is_an_error_and_not_an_empty_one(passkeys: Passkeys, path: Path, content: str) -> None:
    """Otherwise anyone with a session could register a passkey without an earlier one."""
    path.parent.mkdir(mode=0o700)
    path.write_text(content)
    with pytest.raises(Forbidden, match=r"passkeys in .* cannot be read"):
        passkeys.of(ADMIN)
    with pytest.raises(Forbidden, match=r"passkeys in .* cannot be read"):
        passkeys.register(ADMIN, Device().create('{"challenge": ""}'), "")
    assert path.read_text() == content


@pytest.fixture
async def browser(pages: Pages, path: Path) -> AsyncIterator[Browser]:
    """A browser with a session on pages that need passkeys."""
    app = add_pages(pages.api.app, "http://localhost:8088", passkeys=Passkeys(PasskeyFile(path)))
    transport = httpx2.ASGITransport(app)
    origin = "http://localhost:8088"
    async with httpx2.AsyncClient(transport=transport, base_url=origin, headers={"origin": origin}) as browser:
        await sign_in(browser, pages.token)
        yield browser


async def test_pages_move_from_an_address_to_localhost(browser: Browser) -> None:
    """Browsers bind no passkey to an address."""
    for host in ("127.0.0.1", "[::1]"):
        response = await browser.get(f"http://{host}:8088/app/default/workspaces?search=a%2Fb")
        assert response.status_code == 307
        assert response.headers["location"] == "http://localhost:8088/app/default/workspaces?search=a%2Fb"
        assert response.headers["content-security-policy"]


async def test_a_decision_that_destroys_needs_a_passkey(browser: Browser, pages: Pages, path: Path) -> None:
    run = await pages.api.planned()  # a plan that cannot be read counts as one that destroys
    address = f"/app/default/workspaces/network/runs/{run['id']}"
    form = forms_of((await browser.get(address)).text)["Apply"]
    fields = {**form.fields, "workspace_name": "network"}
    asked = {"csrf_token": fields["csrf_token"], "tool": fields["tool"], "seen": fields["seen"], "path": address}
    assert (await browser.post("/app/-/passkeys/options", data=asked)).status_code == 403  # none is registered

    device = Device()
    create = await browser.post("/app/-/passkeys/options", data={"csrf_token": asked["csrf_token"], "kind": "create"})
    first = {"csrf_token": asked["csrf_token"], "created": device.create(create.text), "name": "Laptop"}
    assert (await browser.post("/app/-/passkeys", data=first)).status_code == 303

    device.count += 1
    options = (await browser.post("/app/-/passkeys/options", data={**asked, "seen": "0" * 64})).text
    response = await browser.post(address, data={**fields, "passkey": device.get(options)})  # for another impact
    assert response.status_code == 409
    assert "none of yours confirmed it" in response.text
    assert await pages.api.status(run) == "planned"

    device.count += 1
    options = (await browser.post("/app/-/passkeys/options", data=asked)).text
    assert (await browser.post(address, data={**fields, "passkey": device.get(options)})).status_code == 303
    assert await pages.api.status(run) in {"confirmed", "apply_queued"}


async def test_another_passkey_needs_the_confirmation_with_the_first(browser: Browser, path: Path) -> None:
    page = (await browser.get("/app/-/passkeys")).text
    token = forms_of(page)["Register a passkey"].fields["csrf_token"]

    async def created(device: Device) -> str:
        options = await browser.post("/app/-/passkeys/options", data={"csrf_token": token, "kind": "create"})
        return device.create(options.text)

    owner, thief = Device(), Device(id=b"thief")
    assert (
        await browser.post("/app/-/passkeys", data={"csrf_token": token, "created": await created(owner)})
    ).status_code == 303
    response = await browser.post("/app/-/passkeys", data={"csrf_token": token, "created": await created(thief)})
    assert response.status_code == 403
    assert len(PasskeyFile(path).read()) == 1

    owner.count += 1
    asked = {"csrf_token": token, "tool": "add_passkey", "seen": "", "path": "/app/-/passkeys"}
    proof = owner.get((await browser.post("/app/-/passkeys/options", data=asked)).text)
    second = {"csrf_token": token, "created": await created(thief), "passkey": proof, "name": "Key"}
    assert (await browser.post("/app/-/passkeys", data=second)).status_code == 303
    assert [passkey.name for passkey in PasskeyFile(path).read()] == ["Passkey 1", "Key"]


async def test_a_server_without_passkeys_has_no_such_page(pages: Pages) -> None:
    async with pages.browser() as browser:
        await sign_in(browser, pages.token)
        response = await browser.get("/app/-/passkeys")
        assert response.status_code == 404
        assert "--passkey" in response.text
