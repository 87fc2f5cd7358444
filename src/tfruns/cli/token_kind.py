"""Whose a token is, and of which kind."""

from tfruns.wire.activity import User

_KINDS = {"users": "user", "teams": "team", "organizations": "organization"}
_SYNTHETIC = {"api-org-": "organization", "api-team_": "team"}  # names of the users that stand for such tokens


def kind_of_token(user: User) -> str:
    """`user`, `team` or `organization`: what the token belongs to.

    Source: HCP Terraform API, "Account": the authenticated resource; a team's or an organization's token has a
    synthetic user, which older versions of Terraform Enterprise show by its name alone.
    """
    if user.authenticated_resource is not None:
        return _KINDS.get(user.authenticated_resource.type, user.authenticated_resource.type)
    name = user.username or ""
    return next((kind for start, kind in _SYNTHETIC.items() if name.startswith(start)), "user")
