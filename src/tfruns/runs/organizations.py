"""The organizations that a caller can see, and the default organization of a call."""

from tfruns.client.client import Client
from tfruns.errors import Forbidden, InvalidInput, NotFound
from tfruns.next_actions import Argument
from tfruns.runs.scoped_lists import has_workspace_inside
from tfruns.scope import Scope
from tfruns.wording import listed

_MAX_ORGANIZATIONS = 20  # that are checked for a workspace in the scope


async def find_organization(scope: Scope, client: Client) -> str:
    """The default organization of a call: the configured one, else the only visible one.

    Raises:
        InvalidInput: none is visible, or several are. The error lists them.
    """
    configured = client.settings.organization
    if configured is not None and scope.has_organization(configured):
        return configured
    visible = await visible_organizations(scope, client)
    if len(visible) == 1:
        return visible[0]
    raise InvalidInput(
        "The organization is missing, and this token cannot access any."
        if not visible
        else f"The organization is missing, and there are several: {listed(visible)}.",
        cause="Without one, tfruns uses TF_CLOUD_ORGANIZATION or TFE_ORGANIZATION, that of the `cloud` "
        "block, or the only one that is visible.",
        solution=("Specify ", Argument("organization"), ", or set TF_CLOUD_ORGANIZATION."),
    )


async def visible_organizations(scope: Scope, client: Client) -> list[str]:
    """The names of the organizations in the scope that the token can read.

    A scope without wildcards names them itself. Without a request, nothing can depend on what is outside it.
    """
    named = scope.named_organizations
    if named is not None:
        return named
    names = [name for name in await _listed(client) if scope.has_organization(name)]
    if not scope.workspaces:
        return names
    return [name for name in names[:_MAX_ORGANIZATIONS] if await has_workspace_inside(scope, client, name)]


async def _listed(client: Client) -> list[str]:
    try:
        page = await client.organizations.list().page(size=100)
    except (NotFound, Forbidden):  # a team token may not list them
        return []
    return [organization.id for organization in page.items]
