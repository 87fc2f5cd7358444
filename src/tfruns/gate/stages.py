"""The refusals of each stage, in the order of `pipeline.Gate.call`, for readers and for docs/refusals.md.

A test compares them with the errors that the code of each stage can raise.
"""

from dataclasses import dataclass

from tfruns.errors import (
    AuditFailed,
    ConfirmationNeeded,
    Declined,
    InvalidInput,
    OutOfScope,
    PlanDiffers,
    RefusedByMode,
    TfrunsError,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """One reason to refuse a call.

    Attributes:
        error: the error that the caller gets.
        reason: why the call is refused.
        remedy: what the caller can do.
    """

    error: type[TfrunsError]
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the pipeline.

    Attributes:
        name: its name.
        module: the module of `tfruns.gate` that decides.
        refusals: its reasons to refuse a call.
    """

    name: str
    module: str
    refusals: tuple[Refused, ...]


STAGES = (
    Stage(
        "arguments",
        "arguments",
        (
            Refused(InvalidInput, "An argument is missing, unknown or of the wrong type.", "Correct the arguments."),
            Refused(
                InvalidInput,
                "The organization is omitted, and the token can access none or several.",
                "Give one of those that the error lists, or set TF_CLOUD_ORGANIZATION.",
            ),
            Refused(InvalidInput, "The arguments are too large or nested too deeply.", "Shorten them."),
        ),
    ),
    Stage(
        "scope",
        "scope",
        (
            Refused(
                OutOfScope,
                "The run, workspace, organization or configuration version is outside the scope, or does not exist.",
                "Use one inside the scope, or restart the server with another --organizations or --workspaces.",
            ),
        ),
    ),
    Stage(
        "mode",
        "pipeline",
        (
            Refused(
                RefusedByMode,
                "The mode of the server does not offer the tool.",
                "Restart the server with a higher --mode.",
            ),
            Refused(
                RefusedByMode,
                "An argument requests an effect that the mode forbids, such as auto_apply in mode plan.",
                "Omit the argument, or restart the server with --mode apply.",
            ),
        ),
    ),
    Stage(
        "consent",
        "confirmation",
        (
            Refused(
                RefusedByMode,
                "In mode plan, the call would lead to an apply or interfere with one.",
                "Let a person do it, or restart the server with --mode apply.",
            ),
            Refused(
                RefusedByMode,
                "With --confirm always or page, nobody can be asked, and this process serves no pages.",
                "Let a person do it, or restart the server with another --confirm.",
            ),
            Refused(
                PlanDiffers,
                "The fingerprint is that of another plan, or the plan cannot be read.",
                "Review the plan again, and use the new fingerprint.",
            ),
            Refused(
                ConfirmationNeeded,
                "A code or a fingerprint is missing, or the code is wrong, used or expired.",
                "Show the person what is at stake; if they agree, call again with the code or the fingerprint.",
            ),
            Refused(
                ConfirmationNeeded,
                "With --confirm review, the fingerprint of a review is missing.",
                "Review the plan; if the person agrees, call again with its fingerprint.",
            ),
            Refused(
                ConfirmationNeeded,
                "A person has to decide on a page: always with --confirm page, otherwise if the client cannot ask.",
                "Give the person the link in the refusal, and call again: the call waits for the decision.",
            ),
            Refused(
                ConfirmationNeeded,
                "The person has opened the page, but has not decided yet.",
                "Call again: the call waits for the decision.",
            ),
            Refused(
                ConfirmationNeeded,
                "Another call has used the decision of the person.",
                "Read the run. If the call is still needed, make it again.",
            ),
            Refused(
                ConfirmationNeeded,
                "The call would apply a plan that nobody has seen, and nobody can be asked or sent to a page.",
                "Use the alternative that the solution names.",
            ),
            Refused(
                ConfirmationNeeded,
                "The run or its workspace changed before the person answered.",
                "Call again: the person is asked about the current state.",
            ),
            Refused(
                ConfirmationNeeded,
                "The client closed the question without an answer. It may have no terminal.",
                "Call again with the fingerprint of a review, or, if a person agrees, with the code from the refusal.",
            ),
            Refused(
                Declined, "The person declined, in the client or on the page.", "Ask the person what they want instead."
            ),
        ),
    ),
    Stage(
        "scope, again",
        "scope",
        (
            Refused(
                OutOfScope,
                "The run or workspace has left the scope since the call began.",
                "Use one inside the scope.",
            ),
        ),
    ),
    Stage(
        "audit",
        "audit",
        (
            Refused(
                AuditFailed,
                "The change cannot be written to the audit log.",
                "Set TFRUNS_AUDIT_FILE to a writable file.",
            ),
        ),
    ),
)
"""The stages before the call of the tool itself. They change nothing."""
