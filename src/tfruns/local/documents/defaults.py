"""The attributes whose value is the same for everything that the local backend has, since it has no such feature.

Their names and types are those of the OpenAPI document. A setting that a request can change is in `settings` of the
row, and replaces its default here.
"""

from collections.abc import Mapping

from tfruns.jsonapi import JSON

WORKSPACE_SETTINGS: Mapping[str, JSON] = {
    "allow-destroy-plan": True,
    "assessments-enabled": False,
    "auto-apply-run-trigger": False,
    "description": None,
    "file-triggers-enabled": True,
    "global-remote-state": False,
    "hyok-enabled": False,
    "inherits-project-auto-destroy": True,
    "migration-environment": None,
    "project-remote-state": False,
    "queue-all-runs": False,
    "source": "tfe-api",
    "source-name": None,
    "source-url": None,
    "speculative-enabled": True,
    "structured-run-output-enabled": True,
    "trigger-patterns": [],
    "trigger-prefixes": [],
    "working-directory": "",
}
"""The settings of a workspace that a request can change, and their defaults."""

WORKSPACE: Mapping[str, JSON] = {
    "auto-destroy-activity-duration": None,
    "auto-destroy-at": None,
    "auto-destroy-status": None,
    "can-queue-destroy-plan": True,
    "effective-run-data-retention-desc": None,
    "effective-state-version-retention-desc": None,
    "environment": "default",
    "last-assessment-result-at": None,
    "no-code-upgrade-available": False,
    "policy-check-failures": 0,
    "source-module-id": None,
    "unarchived-workspace-change-requests-count": 0,
    "vcs-repo": None,
    "vcs-repo-identifier": None,
}

ORGANIZATION_SETTINGS: Mapping[str, JSON] = {
    "aggregated-commit-status-enabled": True,
    "allow-force-delete-workspaces": True,
    "assessments-enforced": False,
    "collaborator-auth-policy": "password",
    "cost-estimation-enabled": False,
    "default-execution-mode": "remote",
    "owners-team-saml-role-id": None,
    "send-passing-statuses-for-untriggered-speculative-plans": False,
    "session-remember": None,
    "session-timeout": None,
    "speculative-plan-management-enabled": True,
    "stacks-enabled": False,
}
"""The settings of an organization that a request can change, and their defaults."""

ORGANIZATION: Mapping[str, JSON] = {
    "fair-run-queuing-enabled": False,
    "global-module-sharing": False,
    "global-provider-sharing": False,
    "hcp-id": "",
    "is-in-degraded-mode": False,
    "is-unified": False,
    "module-consuming-organizations-count": 0,
    "over-stacks-resource-limit": False,
    "parent-data-retention-policy-info": "",
    "plan-expired": False,
    "plan-expires-at": None,
    "plan-identifier": "free",
    "plan-is-enterprise": False,
    "plan-is-trial": False,
    "provider-consuming-organizations-count": 0,
    "recoverable-items-enabled": False,
    "remaining-testable-count": 0,
    "saml-enabled": False,
    "stacks-default-execution-mode": "remote",
    "test-generation-enabled": False,
    "two-factor-conformant": False,
}

USER: Mapping[str, JSON] = {
    "auth-method": "tfc",
    "avatar-url": "https://www.gravatar.com/avatar/00000000000000000000000000000000?s=100&d=mm",  # of nobody
    "enterprise-support": False,
    "has-git-hub-app-token": False,
    "has-linked-hcp": False,
    "is-admin": True,
    "is-confirmed": True,
    "is-service-account": False,
    "is-site-admin": True,
    "is-sso-login": False,
    "is-sudo": False,
    "is-unified": False,
    "password": None,
    "permissions": {
        "can-change-email": False,
        "can-change-username": False,
        "can-create-organizations": True,
        "can-manage-user-tokens": False,
        "can-view2fa-settings": False,
        "can-manage-hcp-account": False,
    },
    "two-factor": {"enabled": False, "verified": False},
    "v2-only": False,
}
