"""The option `--passkey`: destructive decisions on the pages require a passkey."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tfruns.errors import InvalidInput

if TYPE_CHECKING:
    from tfruns.web.passkeys import Passkeys

PASSKEY = "Require a passkey for destructive decisions on the pages"
_FILE = "passkeys.json"


def own_passkeys() -> "Passkeys":
    """The passkeys of this user, for the pages that `tfruns web` and `tfruns mcp` serve.

    Raises:
        InvalidInput: the extra `passkey` is not installed, or the user has no directory for application state.
    """
    from tfruns.web.running import record_directory  # noqa: PLC0415

    return passkeys_in(record_directory().parent)


def passkeys_in(directory: Path) -> "Passkeys":
    """The passkeys in a directory.

    Raises:
        InvalidInput: the extra `passkey` is not installed.
    """
    if find_spec("webauthn") is None:
        raise InvalidInput(
            "--passkey requires the extra `passkey`, which is not installed.",
            solution="In the checkout of tfruns: pip install '.[passkey]'",
        )
    from tfruns.web.passkeys import PasskeyFile, Passkeys  # noqa: PLC0415

    return Passkeys(PasskeyFile(directory / _FILE))
