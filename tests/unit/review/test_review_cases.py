"""Plans whose review was once incomplete, each with the correct result."""

import json
from pathlib import Path
from typing import Any

from tests.unit.review.plans import PLAN_ID, RUN_ID
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import PlanDocument, read_plan_document
from tfruns.review.review import review
from tfruns.review.summary import danger_lines, summarize

CASES = Path(__file__).parent / "cases"
NO_COUNTS = "Plan: 0 to add, 0 to change, 0 to destroy."
TEAMS = [f"team-{n:02}" for n in range(1, 26)]
BY_NAME = "Values are masked by the names of their attributes; any other value may still be secret."
PARTLY_MARKED = "Terraform 1.0.0 does not mark sensitive values inside nested attributes"
INCOMPLETE = "Terraform marks this plan as incomplete: another plan is needed after the apply."


def document_of(name: str) -> PlanDocument:
    source = json.loads((CASES / f"{name}.json").read_text())
    return read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=False)


def view_of(name: str, **options: Any) -> dict[str, Any]:
    document = document_of(name)
    secrets = Secrets.of_plan(document.source)
    return review(document, secrets, summarize(document, secrets), {}, **options)


NOTIFY = ["count_: 3", 'message: "maintenance begins"', "secret: (sensitive value)", 'tags: {"team": "platform"}']

EXPECTED: dict[str, dict[str, Any]] = {
    # These two plans were created by Terraform 1.15.5 with a provider action: `plan -invoke`, and `action_trigger`.
    "invoked_action": {
        "plan": f"{NO_COUNTS} Actions: 1 to invoke.",
        "counts": {"invoke": 1},
        "rows": [
            {
                "address": "action.example_notify.ops",
                "action": "invoke",
                "why": "the run requested its invocation",
                "changes": NOTIFY,
            }
        ],
    },
    "action_after_create": {
        "plan": "Plan: 1 to add, 0 to change, 0 to destroy. Actions: 1 to invoke.",
        "counts": {"add": 1, "invoke": 1},
        "rows": [
            {
                "address": "action.example_notify.ops",
                "action": "invoke",
                "why": "after terraform_data.web is created",
                "changes": NOTIFY,
            },
            {
                "address": "terraform_data.web",
                "action": "create",
                "changes": ['input: "v1"', "known after apply: id, output"],
            },
        ],
    },
    "actions_only": {
        "plan": f"{NO_COUNTS} Actions: 1 to invoke.",
        "counts": {"invoke": 1},
        "rows": [
            {
                "address": "action.aws_lambda_invoke.purge",
                "action": "invoke",
                "why": "the run requested its invocation",
                "changes": ['function_name: "purge"', 'payload: "{\\"all\\":true}"'],
            }
        ],
    },
    "create_admin_policy": {
        "plan": "Plan: 1 to add, 0 to change, 0 to destroy.",
        "counts": {"add": 1},
        "rows": [
            {
                "address": "aws_iam_policy.p",
                "action": "create",
                "changes": [
                    'name: "logs-read-only"',
                    'policy.Version: "2012-10-17"',
                    'policy.Statement[0].Sid: "ReadOnlyAccessToTheLogsBucket"',
                    'policy.Statement[0].Effect: "Allow"',
                    'policy.Statement[0].Action: ["s3:GetObject"]',
                    'policy.Statement[0].Resource: "arn:aws:s3:::logs/*"',
                    'policy.Statement[1]: {"Sid": "Admin", "Effect": "Allow", "Action": "*", "Resource": "*"}',
                    "known after apply: arn, id",
                ],
            }
        ],
    },
    "deferred_excluded": {
        "plan": "Plan: 1 to add, 0 to change, 0 to destroy. Deferred to a later run: 2.",
        "counts": {"add": 1, "deferred": 2},
        "notes": [INCOMPLETE],
        "rows": [
            {
                "address": "aws_s3_bucket.logs",
                "action": "create",
                "changes": ['bucket: "logs-prod"', 'tags: {"a": "b"}'],
            },
            {
                "address": "aws_s3_bucket.other",
                "action": "create",
                "deferred": True,
                "why": "deferred to a later run: it was excluded (excluded)",
                "changes": ['bucket: "logs-prod"', 'tags: {"a": "b"}'],
            },
            {
                "address": "aws_s3_bucket.third",
                "action": "destroy",
                "deferred": True,
                "why": "deferred to a later run: it was not included (not_included)",
            },
        ],
    },
    "destroy_25_named": {
        "plan": "Plan: 0 to add, 0 to change, 25 to destroy.",
        "counts": {"destroy": 25},
        "rows": [
            {
                "address": "aws_s3_bucket.team[*]",
                "action": "destroy",
                "count": 25,
                "keys": TEAMS,
                "danger": "stores data",
                "why": "its key is no longer in for_each",
            }
        ],
    },
    "drift_undone_by_the_plan": {
        "plan": "Plan: 0 to add, 1 to change, 0 to destroy.",
        "counts": {"change": 1},
        "rows": [
            {
                "address": "aws_s3_bucket.logs",
                "action": "update",
                "danger": "stores data",
                "why": "it was changed outside of Terraform",
                "changes": [
                    'acl: "public-read" -> "private"',
                    'outside of Terraform: acl: "private" -> "public-read"',
                ],
            }
        ],
    },
    "drift_without_address": {"plan": "No changes.", "notes": [f"{PARTLY_MARKED}. {BY_NAME}"], "rows": []},
    "forget_then_create": {
        "plan": "Plan: 1 to add, 0 to change, 0 to destroy, 1 to forget.",
        "counts": {"add": 1, "forget": 1},
        "rows": [
            {
                "address": "aws_db_instance.db",
                "action": "replace",
                "danger": "stores data",
                "why": "it cannot be updated in place; the old object is forgotten, not destroyed",
                "changes": ['engine: "postgres" -> "mysql" (forces replacement)', "known after apply: id"],
            }
        ],
    },
    "import_generated_config": {
        "plan": "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.",
        "counts": {"import": 1},
        "rows": [
            {
                "address": "aws_s3_bucket.logs",
                "action": "import",
                "import_id": "logs-prod",
                "changes": [
                    'generated config: resource "aws_s3_bucket" "logs" {',
                    'generated config: bucket = "logs-prod"',
                    "generated config: force_destroy = null",
                    "generated config: }",
                ],
            }
        ],
    },
    "incomplete_targeted": {
        "plan": "Plan: 1 to add, 0 to change, 0 to destroy.",
        "counts": {"add": 1},
        "notes": [INCOMPLETE],
        "rows": [
            {
                "address": "aws_s3_bucket.logs",
                "action": "create",
                "changes": ['bucket: "logs-prod"', 'tags: {"a": "b"}'],
            }
        ],
    },
    "old_terraform_password": {
        "plan": "Plan: 0 to add, 1 to change, 0 to destroy.",
        "counts": {"change": 1},
        "notes": [f"Terraform 0.13.5 does not mark sensitive values in plans. {BY_NAME}"],
        "rows": [
            {
                "address": "aws_db_instance.db",
                "action": "update",
                "danger": "stores data",
                "changes": ["password: (sensitive value) -> (sensitive value)", "size: 1 -> 2"],
            }
        ],
    },
    "policy_becomes_unknown": {
        "plan": "Plan: 0 to add, 1 to change, 0 to destroy.",
        "counts": {"change": 1},
        "rows": [
            {
                "address": "aws_iam_policy.p",
                "action": "update",
                "changes": [
                    'policy.Version: "2012-10-17" -> (known after apply)',
                    'policy.Statement[0].Sid: "ReadOnlyAccessToTheLogsBucket" -> (known after apply)',
                    'policy.Statement[0].Effect: "Allow" -> (known after apply)',
                    'policy.Statement[0].Action: ["s3:GetObject"] -> (known after apply)',
                    'policy.Statement[0].Resource: "arn:aws:s3:::logs/*" -> (known after apply)',
                    (
                        'policy.Statement[1]: {"Sid": "Admin", "Effect": "Allow", "Action": "*", "Resource": "*"} '
                        "-> (known after apply)"
                    ),
                ],
            }
        ],
    },
    "two_containers_change": {
        "plan": "Plan: 0 to add, 1 to change, 0 to destroy.",
        "counts": {"change": 1},
        "rows": [
            {
                "address": "kubernetes_deployment.api",
                "action": "update",
                "changes": [
                    (
                        'spec[0].template[0].spec[0].container[0].image: "registry.example.com/team/api:1.0.0" -> '
                        '"registry.example.com/team/api:1.1.0" (where name: "api")'
                    ),
                    (
                        'spec[0].template[0].spec[0].container[1].image: "registry.example.com/team/sidecar:1.0.0" -> '
                        '"registry.example.com/team/sidecar:2.0.0" (where name: "sidecar")'
                    ),
                ],
            }
        ],
    },
}
_PAGING = ("fingerprint", "page", "next_page", "total_pages", "total_rows")


def test_review_of_each_case_is_complete() -> None:
    names = {path.stem for path in CASES.glob("*.json")}
    found = {name: {key: value for key, value in view_of(name).items() if key not in _PAGING} for name in names}
    assert found == EXPECTED


def test_only_plans_that_destroy_or_invoke_are_destructive() -> None:
    destructive = {name for name in EXPECTED if summarize(document_of(name)).is_destructive}
    assert destructive == {
        "actions_only",
        "invoked_action",
        "action_after_create",
        "destroy_25_named",
        "forget_then_create",
    }


def test_confirmation_prompt_names_every_destroyed_bucket() -> None:
    assert danger_lines(summarize(document_of("destroy_25_named")).dangers) == [
        f"- aws_s3_bucket.team[*]: will be destroyed; it stores data (25: {', '.join(TEAMS)})"
    ]


def test_actions_match_by_keyword_type_and_address() -> None:
    for text in ("invoke", "action", "aws_lambda_invoke", "action.aws_lambda_invoke.purge"):
        assert view_of("actions_only", filter_text=text)["total_rows"] == 1


def test_attached_drift_matches_the_drift_filter() -> None:
    (row,) = view_of("drift_undone_by_the_plan", filter_text="drift")["rows"]
    assert row["changes"] == ['acl: "private" -> "public-read"']
