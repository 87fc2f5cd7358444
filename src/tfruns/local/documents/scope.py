"""What a document depends on beside its rows: the backend, and the address under which the client reached it."""

from dataclasses import dataclass

from tfruns.local.backend import Backend
from tfruns.local.documents.signing import Grant, Signer


@dataclass(frozen=True, slots=True)
class Scope:
    """One request's view of the backend: who asks, and under which address.

    Attributes:
        backend: the backend.
        signer: signs addresses.
        base_url: the address under which the client reached the backend.
        user_id: the user who asks.
        run_id: the run whose Terraform asks, with the run's own token.
    """

    backend: Backend
    signer: Signer
    base_url: str
    user_id: str
    run_id: str | None = None

    def signed(self, verb: str, kind: str, id_: str) -> str:
        """An absolute address that grants this for a while: clients do not take a relative one."""
        grant = Grant(verb, kind, id_, self.user_id)
        return self.base_url + self.signer.path(grant, self.backend.now())
