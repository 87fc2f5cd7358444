"""Passkeys: with a device of theirs, a person proves that they decided, and not a program that controls their browser.

A browser signs a challenge of this server (Web Authentication). Each challenge is used once, and is valid for one
session and one decision: for the path of its form, its tool, and the impact that the page showed.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request

from tfruns.client.credentials_store import write_privately
from tfruns.elapsed import elapsed_s
from tfruns.errors import Forbidden, InvalidInput
from tfruns.web.protection import host_name
from tfruns.web.sessions import Session

CHALLENGE_LIFETIME_S = 300.0
REGISTRATION = "register"
_MAX_CHALLENGES = 1_000  # the oldest are dropped first
_MAX_NAME = 60
_SERVICE = "tfruns"


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public part of a passkey.

    Attributes:
        id: its identifier, as base64url.
        public_key: its public key, as base64url.
        sign_count: the number of its uses, as the device counts them; 0 if it does not.
        user: the name of the person.
        host: the host name of the pages that it belongs to.
        name: a name that the person chose.
        created_at: when it was registered, in UTC.
    """

    id: str
    public_key: str
    sign_count: int
    user: str
    host: str
    name: str
    created_at: str


class PasskeyFile:
    """The registered passkeys, in a file that only its owner can read.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Passkey]:
        """All passkeys.

        Raises:
            Forbidden: the file cannot be read. It then counts as no proof, and permits no registration.
        """
        try:
            return [Passkey(**entry) for entry in json.loads(self._path.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError):
            raise Forbidden(
                f"The passkeys in {self._path} cannot be read.",
                cause="The file is damaged or belongs to another user.",
                solution="Restore the file, or delete it and register the passkeys again.",
                status=403,
            ) from None

    def write(self, passkeys: list[Passkey]) -> None:
        """Replace all passkeys."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_privately(self._path, json.dumps([asdict(passkey) for passkey in passkeys], indent=2))


@dataclass(frozen=True, slots=True)
class Asker:
    """A session of a person on a host.

    Attributes:
        session_id: the id of the session.
        user: the name of the person.
        host: the host name of the page, without the port.
        origin: the origin of the page.
    """

    session_id: str
    user: str
    host: str
    origin: str


def asker_of(request: Request, session: Session) -> Asker:
    """The session of a request, and the host of its page."""
    host = request.headers.get("host", "")
    return Asker(session.id, session.visitor.name, host_name(host), f"{request.url.scheme}://{host}")


def decision_key(path: str, tool: str, seen: str) -> str:
    """Identifies a decision.

    Args:
        path: the path to which its form is sent, which names the run or workspace.
        tool: the tool that it calls.
        seen: identifies the impact.
    """
    return hashlib.sha256(json.dumps([path, tool, seen]).encode()).hexdigest()


class Passkeys:
    """The passkeys of the people who use the pages of one server.

    Args:
        file: the registered passkeys.
        monotonic: the clock, in seconds.
    """

    def __init__(self, file: PasskeyFile, monotonic: Callable[[], float] = elapsed_s) -> None:
        self._file = file
        self._monotonic = monotonic
        self._challenges: dict[tuple[str, str], tuple[float, bytes]] = {}

    def of(self, asker: Asker) -> list[Passkey]:
        """The passkeys of a person for a host."""
        return [found for found in self._file.read() if (found.user, found.host) == (asker.user, asker.host)]

    # -- decisions ----------------------------------------------------------------------------------------------------

    def decision_options(self, asker: Asker, key: str) -> str:
        """The options of `navigator.credentials.get` for a decision, as JSON.

        Raises:
            Forbidden: the person has no passkey for this host.
        """
        import webauthn  # noqa: PLC0415
        from webauthn.helpers import structs  # noqa: PLC0415

        known = self.of(asker)
        if not known:
            raise Forbidden(
                "This decision requires a passkey, and you have not registered one for this host.",
                cause="The pages are served with --passkey, and passkeys belong to one user and one host name.",
                solution="Follow the Passkeys link at the top of the page to register one.",
                status=403,
            )
        options = webauthn.generate_authentication_options(
            rp_id=asker.host,
            challenge=self._challenge(asker, key),
            allow_credentials=[_descriptor(passkey) for passkey in known],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return webauthn.options_to_json(options)

    def confirms(self, asker: Asker, key: str, response: str) -> bool:
        """Whether a response of a browser proves this decision. It uses up the challenge."""
        challenge = self._take(asker, key)
        document = _document(response)
        known = {passkey.id: passkey for passkey in self.of(asker)}
        passkey = known.get(str(document.get("id")))
        if challenge is None or passkey is None:
            return False
        count = _verified_count(asker, challenge, document, passkey)
        if count is None:
            return False
        used = replace(passkey, sign_count=count)
        self._file.write([used if found.id == used.id else found for found in self._file.read()])
        return True

    # -- registration -------------------------------------------------------------------------------------------------

    def registration_options(self, asker: Asker) -> str:
        """The options of `navigator.credentials.create`, as JSON."""
        import webauthn  # noqa: PLC0415
        from webauthn.helpers import structs  # noqa: PLC0415

        options = webauthn.generate_registration_options(
            rp_id=asker.host,
            rp_name=_SERVICE,
            user_name=asker.user,
            user_id=hashlib.sha256(asker.user.encode()).digest(),
            challenge=self._challenge(asker, REGISTRATION),
            exclude_credentials=[_descriptor(passkey) for passkey in self.of(asker)],
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                user_verification=structs.UserVerificationRequirement.REQUIRED
            ),
        )
        return webauthn.options_to_json(options)

    def register(self, asker: Asker, response: str, name: str) -> Passkey:
        """Register the passkey that a browser created.

        Raises:
            InvalidInput: the response is not valid, or the passkey is registered already.
        """
        challenge = self._take(asker, REGISTRATION)
        created = _registered(asker, challenge, _document(response)) if challenge is not None else None
        known = self._file.read()
        if created is None or any(passkey.id == created.id for passkey in known):
            raise InvalidInput("The passkey was not registered: the browser's response is not valid. Try again.")
        made = replace(created, name=name.strip()[:_MAX_NAME] or f"Passkey {len(self.of(asker)) + 1}")
        self._file.write([*known, made])
        return made

    # -- challenges ---------------------------------------------------------------------------------------------------

    def _challenge(self, asker: Asker, key: str) -> bytes:
        self._challenges.pop((asker.session_id, key), None)
        while len(self._challenges) >= _MAX_CHALLENGES:
            del self._challenges[next(iter(self._challenges))]
        challenge = secrets.token_bytes(32)
        self._challenges[asker.session_id, key] = (self._monotonic() + CHALLENGE_LIFETIME_S, challenge)
        return challenge

    def _take(self, asker: Asker, key: str) -> bytes | None:
        """The challenge of a session for a key, which is used up; None if it is unknown or has expired."""
        expires_at, challenge = self._challenges.pop((asker.session_id, key), (0.0, b""))
        return challenge if self._monotonic() < expires_at else None


def _descriptor(passkey: Passkey) -> Any:
    from webauthn.helpers import base64url_to_bytes, structs  # noqa: PLC0415

    return structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.id))


def _document(response: str) -> dict[str, Any]:
    """The response of a browser; empty if it is not a JSON object."""
    try:
        found = json.loads(response)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _verified_count(asker: Asker, challenge: bytes, response: dict[str, Any], passkey: Passkey) -> int | None:
    """The new sign count of a passkey; None if the response is no proof."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415

    try:
        verified = webauthn.verify_authentication_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=asker.host,
            expected_origin=asker.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  # the response is foreign input, and the library has many exceptions
        return None
    return verified.new_sign_count


def _registered(asker: Asker, challenge: bytes, response: dict[str, Any]) -> Passkey | None:
    """The passkey in a response to a registration; None if the response is not valid."""
    import webauthn  # noqa: PLC0415
    from webauthn.helpers import bytes_to_base64url  # noqa: PLC0415

    try:
        verified = webauthn.verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=asker.host,
            expected_origin=asker.origin,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  # see above
        return None
    return Passkey(
        bytes_to_base64url(verified.credential_id),
        bytes_to_base64url(verified.credential_public_key),
        verified.sign_count,
        asker.user,
        asker.host,
        name="",
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
