"""Causes of failures that many have met: what an error means, and what helps."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tfruns.logs.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Cause:
    """A pattern in the text of an error, and what it tells."""

    pattern: str
    hint: str


# The first that fits an error is told; what is particular stands before what is general.
CAUSES = (
    Cause(
        r"error acquiring the state lock|state (?:is )?already locked",
        "Another process holds the state's lock. Wait for it; unlock only when it is certainly gone.",
    ),
    Cause(
        r"saved plan is stale|plan file .{0,80}(?:stale|no longer)",
        "The state changed after the plan was made. Create a new run.",
    ),
    Cause(
        r"no value for required variable|variable .{0,80} is not set|no value for variable",
        "A variable has no value. Set it in the workspace, a variable set, or the run's variables.",
    ),
    Cause(
        r"invalid value for (?:input )?variable|validation rule",
        "A variable's value breaks a rule of the configuration. Correct the value.",
    ),
    Cause(
        r"unsupported terraform core version|unsupported terraform version|required_version",
        "The workspace's Terraform version does not fit the configuration's required_version. Change one of them.",
    ),
    Cause(
        r"inconsistent dependency lock file|checksum.{0,200}lock file|lock file.{0,200}checksum",
        "The lock file does not fit the providers. Run terraform init -upgrade (or providers lock) and commit it.",
    ),
    Cause(
        r"failed to query available provider packages|failed to install provider|could not retrieve the list of",
        "A provider could not be installed: its name or version does not exist, or the registry was not reached.",
    ),
    Cause(
        r"module not (?:installed|found)|failed to download module|unreadable module|could not download module",
        "A module could not be fetched: its source or version is wrong, or access to it (an SSH key, a token) lacks.",
    ),
    Cause(
        r"requestlimitexceeded|throttl|rate ?exceeded|too many requests|rate limit",
        "The provider's API limits requests. Run again later, with less parallelism.",
    ),
    Cause(
        r"limitexceeded|quota|exceeds? .{0,40}limit|insufficient ?(?:capacity|.{0,20}quota)|not enough .{0,30}capacity",
        "A quota or the capacity of the provider is used up. Raise it, or ask for less or elsewhere.",
    ),
    Cause(
        r"no valid credential|could not load credentials|expiredtoken|invalidclienttokenid"
        r"|expired.{0,20}(?:token|credential)"
        r"|could not find default credentials|unable to (?:authenticate|build authorizer)|failed to authenticate",
        "The provider has no valid credentials. Check the workspace's credential variables or dynamic credentials.",
    ),
    Cause(
        r"accessdenied|access denied|unauthorized|not authorized|forbidden|permission denied|403",
        "The provider's credentials lack a permission. Grant it, or use other credentials.",
    ),
    Cause(
        r"alreadyexists|already exists|entityalreadyexists|bucketalreadyownedbyyou",
        "It exists already outside of this state. Import it, or choose another name.",
    ),
    Cause(
        r"prevent_destroy|instance cannot be destroyed",
        "prevent_destroy forbids to destroy it. Change the plan, or remove the guard on purpose.",
    ),
    Cause(
        r"precondition failed|postcondition failed|check block assertion failed",
        "A condition of the configuration itself is not met. The detail is its author's message.",
    ),
    Cause(
        r"provisioner error",
        "A command of the configuration failed; the resource is tainted and will be replaced by the next apply.",
    ),
    Cause(
        r"cycle:",
        "Resources depend on each other in a circle. Break it in the configuration.",
    ),
    Cause(
        r"unsupported argument|unsupported attribute|missing required argument|invalid reference"
        r"|reference to undeclared|argument or block definition required|invalid expression"
        r"|unsupported block type|duplicate resource",
        "The configuration is not valid. Correct it where the error stands, upload it, and create a new run.",
    ),
    Cause(
        r"context deadline exceeded|i/o timeout|connection (?:refused|reset)|no such host"
        r"|tls handshake timeout|timeout while",
        "Something was not reached in time from where Terraform runs. Try again; check network, names and proxies.",
    ),
    Cause(
        r"out of memory|signal: killed|cannot allocate memory|plugin did not respond|rpc error",
        "A provider crashed or ran out of memory. Try again with less parallelism, or another provider version.",
    ),
)

_COMPILED = [(re.compile(cause.pattern, re.IGNORECASE | re.DOTALL), cause.hint) for cause in CAUSES]
_MAX_READ = 4_000


def hints_for(errors: Iterable[Diagnostic]) -> list[str]:
    """What is known about these errors, each hint once."""
    return list(dict.fromkeys(hint for error in errors for hint in _hint(error)))


def _hint(error: Diagnostic) -> Iterator[str]:
    text = f"{error.summary}\n{error.detail}"[:_MAX_READ]
    for pattern, hint in _COMPILED:
        if pattern.search(text):
            yield hint
            return
