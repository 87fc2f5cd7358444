"""Likely causes of common failures: the meaning of an error, and what helps.

A wrong hint costs more than a missing one. Errors of Terraform are recognized by their whole title; errors of providers
by an error code or phrase of the service, never by a number or word that may be part of a name, an id, an address or a
message of the configuration's author.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tfruns.logs.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause and how it is recognized.

    Attributes:
        hint: the likely cause, and what helps.
        title: a pattern of the whole summary.
        text: a pattern in the summary or the detail; with a title, in the detail.
    """

    hint: str
    title: str = ""
    text: str = ""


def _codes(*codes: str) -> str:
    """A pattern of error codes that does not match parts of names such as `alarm-AccessDenied`."""
    return rf"(?<![\w.\-/:])(?:{'|'.join(codes)})(?![\w\-/])"


_UNKNOWN_UNTIL_APPLY = r"cannot be determined until apply|will be known only after apply"
_STATUS = r"(?:googleapi: Error|[Ss]tatus ?[Cc]ode:?|Status=|HTTP(?:/\d\.\d)?|HTTP status(?: code)?:?|api error)"

# The first one that an error matches leads: it explains the other errors of the same log.
_INTERRUPTIONS = (r"The (?:plan|apply) was interrupted\b.{0,200}", r"execution halted")

# The first match wins. Titles come first: with a matching title, the detail may be any text.
CAUSES = (
    Cause(
        "Terraform was interrupted. Other errors may only follow from that, and resources in progress may be tainted.",
        title="|".join(_INTERRUPTIONS),
    ),
    Cause(
        "Another run or process may hold the state lock. Wait for it; force-unlock only if it has certainly finished.",
        title=r"(?:Error locking state: )?Error acquiring the state lock.{0,200}",
    ),
    Cause(
        "The state may have changed after the plan was made. Create a new run.",
        title="Saved plan is stale",
    ),
    Cause(
        "A variable may have no value: set it in the workspace, a variable set, or the run's variables.",
        title=r"No value for (?:required )?variable",
    ),
    Cause(
        "A variable's value may not fit its type or its validation. Correct the value.",
        title=r"Invalid value for (?:input )?variable",
    ),
    Cause(
        "The workspace's Terraform version may not fit required_version. Change one of them.",
        title=r"Unsupported Terraform Core version",
    ),
    Cause(
        "The lock file may not match the providers: run terraform init -upgrade or providers lock, and commit it.",
        title=r"Inconsistent dependency lock file",
    ),
    Cause(
        "The lock file may lack checksums for this platform: run terraform providers lock for it, and commit it.",
        title=r"Failed to install provider(?: from shared cache)?",
        text=r"match any of the checksums (?:previously )?recorded in the dependency lock file",
    ),
    Cause(
        "The provider's name or version may not exist, or its registry may not be reachable.",
        title=r"Failed to query available provider packages|Failed to install provider(?: from shared cache)?"
        r"|Could not retrieve the list of available versions.{0,200}",
    ),
    Cause(
        "The module's source or version may be wrong, or access to it (an SSH key, a token) may be missing.",
        title=r"Module not (?:installed|found)|(?:Failed to|Could not) download module|Unreadable module.{0,30}"
        r"|(?:Module version|Versions) not found.{0,200}|Error accessing remote module registry",
    ),
    Cause(
        "The keys may depend on values that are known only after apply. Use keys that the configuration defines, or "
        "apply what they depend on first (target_addrs).",
        title=r"Invalid (?:for_each|count) argument",
        text=_UNKNOWN_UNTIL_APPLY,
    ),
    Cause(
        "prevent_destroy may protect it. Change the configuration, or remove the protection deliberately.",
        title=r"Instance cannot be destroyed",
    ),
    Cause(
        "A condition in the configuration is not met; the detail may tell what to correct.",
        title=r"(?:Resource|Module output value|Check block|Test)? ?(?:precondition|postcondition|assertion) failed",
    ),
    Cause(
        "A command in the configuration failed. Its resource may be tainted, and replaced by the next run.",
        title=r"(?:local-exec|remote-exec|file) provisioner error",
    ),
    Cause(
        "A program that the configuration starts failed, or may not be installed where Terraform runs.",
        title=r"External Program (?:Execution Failed|Lookup Failed)",
    ),
    Cause(
        "Resources may depend on each other in a loop. Break the loop in the configuration.",
        title=r"Cycle: .+",
    ),
    Cause(
        "This may be a bug in the provider: its result differs from its plan. Plan again to see the actual state. If "
        "it recurs, upgrade the provider or report it.",
        title=r"Provider produced (?:inconsistent result after apply|inconsistent final plan|invalid plan"
        r"|invalid object|invalid new value.{0,200})",
    ),
    Cause(
        "The provider may have crashed or run out of memory. Run again with less parallelism, or another version.",
        title=r"Plugin did not respond|The plugin encountered an error.{0,200}",
    ),
    Cause(
        "The configuration may be invalid at this location. Correct it, upload it, and create a new run.",
        title=r"Unsupported (?:argument|attribute|block type)|Missing required argument|Invalid reference"
        r"|Reference to undeclared .{1,60}|Argument or block definition required|Invalid (?:expression|character)"
        r"|Invalid (?:block definition|argument name|attribute name|multi-line string|single-argument block definition)"
        r"|Duplicate .{1,60} (?:configuration|declaration)|Attribute redefined|Missing newline after argument"
        r"|Missing (?:item separator|attribute separator|attribute value|key/value separator)"
        r"|Unclosed configuration block|Unterminated template string|(?:Insufficient|Too many) .{1,60} blocks",
    ),
    # -- services behind providers ------------------------------------------------------------------------------------
    Cause(
        "The provider may have crashed or run out of memory. Run again with less parallelism, or another version.",
        text=r"The terraform-provider-\S{1,80} plugin crashed!|runtime: out of memory|cannot allocate memory"
        r"|rpc error: code = Unavailable desc = (?:transport is closing|error reading from server: EOF)",
    ),
    Cause(
        "The API may not be enabled in this project, or was enabled only minutes ago. Enable it, wait, and run again.",
        text=r"has not been used in project \S{1,80} before or it is disabled|" + _codes("accessNotConfigured")
        + "|" + _codes("SERVICE_DISABLED"),
    ),
    Cause(
        "A management lock may protect it or its parent. Remove the lock deliberately, then run again.",
        text=_codes("ScopeLocked") + r"|because (?:the )?following scope\(s\) are locked",
    ),
    Cause(
        "Deletion protection may be on. Turn it off deliberately and apply that change first.",
        text=r"[Cc]annot (?:delete|destroy) protected |without setting deletion_protection ?= ?false"
        r"|since (?:it has )?deletion_protection (?:is )?set to true",
    ),
    Cause(
        "The role may have been created only seconds ago, or may not trust the service. Run again; check its trust "
        "policy.",
        text=r"cannot be assumed by Lambda|could not be assumed because it does not exist|unable to assume the role"
        r"|CodeBuild is not authorized to perform: sts:AssumeRole|Invalid IAM Instance Profile"
        r"|Invalid principal in policy|The provided principal was invalid|[Rr]ole \S{1,200} cannot be assumed",
    ),
    Cause(
        "Other resources may still depend on it, some of them outside this state. Delete or detach them first.",
        text=_codes("DependencyViolation", "BucketNotEmpty", "RepositoryNotEmptyException")
        + "|" + _codes("resourceInUseByAnotherResource", r"InUse\w{1,60}CannotBeDeleted", "NicInUse")
        + r"|DeleteConflict: Cannot delete entity|the Resource Group still contains Resources",
    ),
    Cause(
        "Another operation on it may be in progress. Wait for it to finish, then run again.",
        text=_codes("AnotherOperationInProgress", "ConcurrentModificationException", "operationInProgress")
        + r"|OperationAborted: A conflicting conditional operation",
    ),
    Cause(
        "The service may limit the rate of requests. Run again later, with less parallelism.",
        text=_codes("ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "TooManyRequests")
        + "|" + _codes("rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RequestThrottled")
        + rf"|Throttling: Rate exceeded|{_STATUS} ?429\b",
    ),
    Cause(
        "A quota may be used up. Raise it, or ask for less.",
        text=_codes(r"[A-Z]\w{0,60}LimitExceeded(?:Exception|Fault)?", "LimitExceeded(?:Exception|Fault)?")
        + r"(?=:)|Quota '[^'\n]{1,80}' exceeded|" + _codes("quotaExceeded", "QuotaExceeded", "QUOTA_EXCEEDED")
        + r"|exceeding approved .{1,60} [Qq]uota",
    ),
    Cause(
        "The service may lack capacity for this type there. Try another zone, region or size, or try later.",
        text=_codes("InsufficientInstanceCapacity", "SkuNotAvailable", "ZONE_RESOURCE_POOL_EXHAUSTED\\w{0,20}")
        + "|" + _codes("AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"),
    ),
    Cause(
        "The provider's credentials may be missing, wrong or expired. Check the workspace's variables or dynamic "
        "credentials.",
        text=r"[Nn]o valid credential sources|could not find default credentials|could not load credentials"
        r"|unable to build authorizer|could not acquire access token|oauth2: cannot fetch token|\bAADSTS\d{5,7}\b"
        r"|failed to refresh cached credentials|since neither `credentials` nor `access_token` was set|"
        + _codes("ExpiredToken(?:Exception)?", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure")
        + "|" + _codes("SignatureDoesNotMatch"),
    ),
    Cause(
        "It may already exist outside this state. Import it, or choose another name.",
        text=_codes("EntityAlreadyExists", "BucketAlreadyOwnedByYou", "BucketAlreadyExists", "QueueNameExists")
        + "|" + _codes(r"(?:[A-Z]\w{0,60})?AlreadyExists(?:Exception|Fault)?", "ResourceExistsException")
        + "|" + _codes("alreadyExists", r"Invalid(?:Group|KeyPair|Permission)\.Duplicate")
        + r"|already exists - to be managed via Terraform this resource needs to be imported"
        + r"|googleapi: Error 409: .{0,300}already exists",
    ),
    Cause(
        "The provider's credentials may lack a permission. Grant it, or use other credentials.",
        text=_codes("AccessDenied(?:Exception)?", "UnauthorizedOperation", "AuthorizationFailed", "PERMISSION_DENIED")
        + "|" + _codes("IAM_PERMISSION_DENIED", "AuthorizationError(?:Exception)?", "Client\\.UnauthorizedOperation")
        + r"|is not authorized to perform: \S|does not have authorization to perform action"
        + r"|Permission '[^'\n]{1,100}' denied|The caller does not have permission"
        + rf"|is forbidden: User \"|Resource not accessible by (?:integration|personal access token)|{_STATUS} ?403\b",
    ),
    Cause(
        "The resource may need more time than the provider waits. Plan again to see whether it became ready.",
        text=r"timeout while waiting for (?:state to become|resource to be gone|plugin to start)",
    ),
    Cause(
        "A network address may not be reachable from where Terraform runs. Run again; check names, proxies, firewalls.",
        text=r"dial (?:tcp|udp)\d? ?\S{0,300}: (?:lookup|i/o timeout|connect: )|dial (?:tcp|udp)\d?: lookup "
        r"|net/http: TLS handshake timeout|read: connection reset by peer|connect: connection refused"
        r"|: no such host\b|context deadline exceeded",
    ),
)  # fmt: skip

_COMPILED = [
    (
        re.compile(cause.title, re.IGNORECASE | re.DOTALL) if cause.title else None,
        re.compile(cause.text) if cause.text else None,
        cause.hint,
    )
    for cause in CAUSES
]
_MAX_READ = 4_000


def hints_for(errors: Iterable[Diagnostic]) -> list[str]:
    """The likely causes of these errors, without duplicates. An interruption is the only cause."""
    found = interruption_first(errors)
    explained = found[:1] if found and _interruption(found[0]) < len(_INTERRUPTIONS) else found
    return list(dict.fromkeys(hint for error in explained for hint in _hint(error)))


def interruption_first(errors: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors, with one that says that Terraform was interrupted before those that may follow from it."""
    return sorted(errors, key=_interruption)


def _interruption(error: Diagnostic) -> int:
    """The index of the pattern of an interruption that an error matches; their number if it matches none."""
    title = error.summary[:_MAX_READ].strip()
    matches = (re.fullmatch(pattern, title, re.DOTALL) for pattern in _INTERRUPTIONS)
    return next((index for index, match in enumerate(matches) if match), len(_INTERRUPTIONS))


def _hint(error: Diagnostic) -> Iterator[str]:
    summary, detail = error.summary[:_MAX_READ].strip(), error.detail[:_MAX_READ]
    for title, text, hint in _COMPILED:
        if title is not None and title.fullmatch(summary.rstrip(".")) is None:
            continue
        searched = detail if title is not None else f"{summary}\n{detail}"
        # A provider wraps its text at the width of a terminal, also within a phrase.
        if text is None or text.search(" ".join(searched.split())):
            yield hint
            return
