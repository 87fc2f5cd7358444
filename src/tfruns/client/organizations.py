"""Organizations. Source: HCP Terraform API, "Organizations"."""

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_organization
from tfruns.client.transport import Transport
from tfruns.wire.organizations import EntitlementSet, Organization

_READ = Purpose("read organizations")


class Organizations:
    """Organizations."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Listing[Organization]:
        """The organizations that this token can read.

        Source: HCP Terraform API, "List Organizations".
        Wire: GET /organizations -> 200, a page, with totals.
        """
        return listing(self._transport, Organization, api_path("organizations"), {}, purpose=_READ)

    async def read_entitlements(self, organization: str) -> EntitlementSet:
        """Read which features an organization may use.

        Source: HCP Terraform API, "Show the Entitlement Set".
        Wire: GET /organizations/{organization}/entitlement-set -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        path = api_path("organizations", check_organization(organization), "entitlement-set")
        answer = await self._transport.get(path, purpose=_READ)
        return parse_one(EntitlementSet, answer.document)
