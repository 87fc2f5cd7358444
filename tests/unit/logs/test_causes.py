# ruff: noqa: ISC004  # long texts in a table
"""Likely causes are recognized in real errors, and not in texts that are merely similar."""

from tests.support.growth import assert_linear
from tests.support.tables import rows
from tfruns.logs.causes import CAUSES, hints_for, interruption_first
from tfruns.logs.diagnostics import Diagnostic

# Errors as Terraform and its providers print them (summary, detail), and a phrase of the hint.
REAL_ERRORS = [
    ("execution halted", "", "interrupted"),
    (
        "The apply was interrupted: the server stopped. The state contains the completed changes.",
        "",
        "interrupted",
    ),
    ("Error acquiring the state lock", "Error message: workspace already locked\nLock Info:\n  ID: x", "state lock"),
    ("Saved plan is stale", "The given plan file can no longer be applied because the state was changed.", "new run"),
    ("No value for required variable", 'The root module input variable "a" is not set.', "no value"),
    ("Invalid value for variable", "must be a valid CIDR, not AccessDenied", "validation"),
    ("Invalid value for input variable", "The given value is not suitable for var.a.", "validation"),
    ("Unsupported Terraform Core version", "This configuration does not support 1.5.0.", "required_version"),
    ("Inconsistent dependency lock file", "The following dependency selections are", "lock file"),
    (
        "Failed to install provider",
        "Error while installing hashicorp/aws v5.1.0: the local package for registry.terraform.io/hashicorp/aws 5.1.0 "
        "doesn't match any of the checksums previously recorded in the dependency lock file",
        "checksums",
    ),
    ("Failed to query available provider packages", "Could not retrieve the list of available", "registry"),
    ("Failed to install provider", "Error while installing hashicorp/x: unexpected status", "registry"),
    ("Module not installed", "This module is not yet installed.", "module"),
    ("Failed to download module", "Could not download module: git exited with 128: Permission denied", "module"),
    ("Unreadable module directory", "Unable to evaluate directory symlink", "module"),
    (
        "Invalid for_each argument",
        'The "for_each" map includes keys derived from resource attributes that cannot be determined until apply, and '
        "so Terraform cannot determine the full set of keys",
        "keys may depend",
    ),
    (
        "Invalid count argument",
        'The "count" value depends on resource attributes that cannot\nbe determined until apply',
        "keys may depend",
    ),
    ("Instance cannot be destroyed", "Resource a.b has lifecycle.prevent_destroy set", "prevent_destroy"),
    ("Resource precondition failed", "403 AccessDenied is what you would get.", "condition in the configuration"),
    ("Check block assertion failed", "not healthy", "condition in the configuration"),
    ("local-exec provisioner error", "Error running command: exit status 1. Output: AccessDenied", "tainted"),
    ("External Program Execution Failed", "The data source received an error: AccessDenied", "program"),
    ("Cycle: aws_a.b, aws_c.d", "", "loop"),
    ("Provider produced inconsistent result after apply", "When applying changes to x, provider", "bug"),
    ("Provider produced inconsistent final plan", "When expanding the plan", "bug"),
    ("Plugin did not respond", "The plugin encountered an error, and failed to respond", "crashed"),
    ("Request cancelled", "The terraform-provider-aws_v5.31.0_x5 plugin crashed!", "crashed"),
    ("rpc error: code = Unavailable desc = transport is closing", "", "crashed"),
    ("Unsupported argument", 'An argument named "inptu" is not expected here.', "invalid"),
    ("Reference to undeclared input variable", 'An input variable "x" has not been declared.', "invalid"),
    ("Missing item separator", "Expected a comma to mark the beginning of the next item.", "invalid"),
    (
        "Error creating Network: googleapi: Error 403: Compute Engine API has not been used in project 406281436678 "
        "before or it is disabled. Enable it by visiting https://console.developers.google.com then retry.",
        "",
        "API may not be enabled",
    ),
    (
        "googleapi: Error 403: Project 1008 is not found and cannot be used for API calls., accessNotConfigured",
        "",
        "API may not be enabled",
    ),
    (
        "deleting Resource Group",
        "the scope '/subscriptions/1/resourceGroups/rg' cannot perform delete operation because following scope(s) "
        "are locked: '/subscriptions/1'. Please remove the lock and try again.",
        "management lock",
    ),
    ("deleting Subnet", 'unexpected status 409 with error: ScopeLocked: The scope "/x"', "management lock"),
    ("deleting RDS DB Instance: Cannot delete protected DB Instance, please disable", "", "Deletion protection"),
    ("cannot destroy instance without setting deletion_protection=false and running apply", "", "Deletion protection"),
    (
        "creating Lambda Function: InvalidParameterValueException: The role defined for the function cannot be "
        "assumed by Lambda.",
        "",
        "only seconds ago",
    ),
    ("creating EKS Cluster", "Role with arn: arn:aws:iam::1:role/x, could not be assumed because it does not exist",
     "only seconds ago"),
    ("creating KMS Key: MalformedPolicyDocumentException: Invalid principal in policy", "", "only seconds ago"),
    (
        "deleting EC2 Subnet (subnet-01712c924510c59af): DependencyViolation: The subnet 'subnet-01' has dependencies "
        "and cannot be deleted.",
        "",
        "depend on it",
    ),
    ("deleting IAM Role", "DeleteConflict: Cannot delete entity, must detach all policies first.", "depend on it"),
    ("deleting Subnet", "InUseSubnetCannotBeDeleted: Subnet x is in use by /subscriptions", "depend on it"),
    ("googleapi: Error 400: The network is already being used by 'y', resourceInUseByAnotherResource", "",
     "depend on it"),
    ("deleting S3 Bucket (x): BucketNotEmpty: The bucket you tried to delete is not empty", "", "depend on it"),
    ("updating Virtual Network", 'Code="AnotherOperationInProgress" Message="Another operation"', "in progress"),
    ("creating S3 Bucket: OperationAborted: A conflicting conditional operation is currently in progress", "",
     "in progress"),
    ("ThrottlingException: Rate exceeded", "", "rate of requests"),
    ("operation error IAM: GetRole, https response error StatusCode: 429, RequestID: 9-b403-1", "",
     "rate of requests"),
    ("VcpuLimitExceeded: You have requested more vCPU capacity", "", "quota"),
    ("creating IAM Role: LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000", "", "quota"),
    ("googleapi: Error 403: Quota 'CPUS' exceeded.  Limit: 24.0 in region us-central1., quotaExceeded", "", "quota"),
    ("InsufficientInstanceCapacity: We currently do not have sufficient", "", "capacity"),
    ("creating VM", 'Code="SkuNotAvailable" Message="The requested size"', "capacity"),
    ("No valid credential sources found", "Please see https://registry.terraform.io", "credentials may be missing"),
    ("operation error STS: StatusCode: 403, api error ExpiredToken: The security token included", "",
     "credentials may be missing"),
    ("building account: AADSTS7000222: The provided client secret keys are expired", "",
     "credentials may be missing"),
    ("EntityAlreadyExists: Role with name x already exists.", "", "already exist"),
    (
        'A resource with the ID "/subscriptions/1/x" already exists - to be managed via Terraform this resource needs '
        "to be imported into the State.",
        "",
        "already exist",
    ),
    ("googleapi: Error 409: Already exists: projects/p/x, alreadyExists", "", "already exist"),
    ("creating S3 Bucket: AccessDenied: Access Denied", "", "permission"),
    ("User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ec2:RunInstances", "", "permission"),
    ("googleapi: Error 403: Required 'compute.networks.create' permission for 'projects/p'", "", "permission"),
    ("api error Forbidden: operation error S3: HeadBucket, https response error StatusCode: 403, RequestID: X", "",
     "permission"),
    ('namespaces is forbidden: User "system:anonymous" cannot create resource', "", "permission"),
    ("waiting for EKS Cluster: timeout while waiting for state to become 'ACTIVE' (last state: 'CREATING')", "",
     "more time"),
    ('Get "https://10.0.0.1:14030/api": dial tcp 10.0.0.1:14030: connect: connection refused', "", "reachable"),
    ("dial tcp: lookup example.com on 10.0.0.2:53: no such host", "", "reachable"),
]  # fmt: skip

# Texts that are similar to a cause.
NEAR_MISSES = [
    ("creating thing", "RequestID: 7f3a-b403-4411, InternalFailure"),
    ("connecting to port 14030 failed", ""),
    ("unexpected answer from 10.0.0.1:403", "port 403"),
    ('"name" exceeds the 63 character limit', "bucket names are short"),
    ("creating rule", "validation rule set alarm-validation-rule is empty"),
    ("updating WAF rule set", "The managed rule set AWSManagedRules403 was not found"),
    ("The topic api-AccessDenied-alarms was not found", "arn:aws:sns:eu:1:AccessDenied"),
    ("reading metric LimitExceeded-alarm", "The alarm my-LimitExceeded: none"),
    ("creating throttling settings", "throttling_burst_limit must be positive"),
    ("Invalid for_each argument", "Sensitive values cannot be used as for_each arguments."),
    ("Invalid for_each argument", 'The given "for_each" argument value is unsuitable: a tuple'),
    ("Output refers to sensitive values", "To mark it, already exists in the registry"),
    ("Unsupported arguments of the flow", ""),
    ("This object does not have a module not installed", ""),
    ("creating Dashboard", "Widget 'permission denied count' is malformed"),
    ("creating Topic", "the display name 'Quota exceeded' is too long"),
    ("creating Policy", "the statement 'not authorized' has no effect"),
    ("creating Resource", "rpc error: code = InvalidArgument desc = name is empty"),
    ("creating Lock", "state lock table name must be between 3 and 255 characters"),
    ("The job execution halted the queue", ""),
    ("Plan failed", "The saved plan of the customer is stale-looking"),
    ("creating Job", "job dependency-violation-report exists"),
    ("creating Alert", "scope-locked is not an allowed severity"),
    ("It is Tuesday", ""),
]


def test_real_errors_get_their_hint() -> None:
    for summary, detail, word in REAL_ERRORS:
        hints = hints_for([Diagnostic("error", summary, detail)])
        assert [word in hint for hint in hints] == [True], (summary, hints)


def test_similar_texts_get_no_hint() -> None:
    for summary, detail in NEAR_MISSES:
        assert hints_for([Diagnostic("error", summary, detail)]) == [], summary
        assert hints_for([Diagnostic("error", f"It failed: {summary}", detail)]) == [], summary


def test_every_cause_has_a_real_error() -> None:
    met = {hint for summary, detail, _ in REAL_ERRORS for hint in hints_for([Diagnostic("error", summary, detail)])}
    assert met == {cause.hint for cause in CAUSES}


def test_hints_are_hedged_and_short() -> None:
    for cause in CAUSES:
        assert " may " in cause.hint, cause.hint
        assert cause.hint.endswith(".")
        assert len(cause.hint) <= 170, cause.hint


def test_interruption_leads_and_is_the_only_cause() -> None:
    killed = Diagnostic("error", "local-exec provisioner error", "Error running command 'sleep 20': signal: killed.")
    halted = Diagnostic("error", "execution halted")
    stopped = Diagnostic("error", "The apply was interrupted: the server stopped. The state is kept.")
    assert interruption_first([killed, halted, stopped]) == [stopped, halted, killed]
    assert hints_for([killed, halted, stopped]) == hints_for([halted])
    named = Diagnostic("error", "Invalid name", "The apply was interrupted: execution halted")
    assert interruption_first([killed, named]) == [killed, named]
    assert "tainted" in hints_for([killed, named])[0]


def test_hint_is_given_once() -> None:
    assert len(hints_for([Diagnostic("error", "Unsupported argument")] * 2)) == 1


@rows("text", ["dial tcp ", "because following scope(s) ", "A" * 50, "AccessDenied-", "Quota '", " "])
def test_hints_for_long_texts_take_linear_time(text: str) -> None:
    assert_linear(lambda count: hints_for([Diagnostic("error", text * (count // 100), text * count)]), 100_000)
