"""The declaration of a tool: a typed async function with the metadata that callers and the gate need.

    @tool(title="Read a run", toolset=Toolset.RUNS, is_read_only=True, command="run show")
    async def get_run_details(context: Context, run_id: RunId) -> Result[RunView]:
        \"\"\"Read a run: status, phase, timestamps, options.\"\"\"

The tool has the name of the function. Its docstring is the description, and its parameters after the context are the
input schema. The annotation of a parameter can contain the `Role` of the argument.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from tfruns.client.client import Client
from tfruns.impact import Impact
from tfruns.jsonapi import JSON
from tfruns.policy import Mode, Policy, Toolset
from tfruns.progress import NoProgress, Progress
from tfruns.scope import Scope
from tfruns.views.base import View

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Context:
    """The environment of a tool.

    Attributes:
        client: the API.
        scope: limits the lists that a tool reads.
        progress: receives the progress of a slow tool.
        allowed_directories: the directories that may be uploaded; absolute, without symbolic links.
    """

    client: Client
    scope: Scope = Scope()  # noqa: RUF009  # immutable
    progress: Progress = NoProgress()  # noqa: RUF009  # stateless
    allowed_directories: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Result(Generic[V]):
    """A result in two forms, of which only the requested one is made.

    Attributes:
        view: makes the view.
        document: the API's own document, or reads it.
    """

    view: Callable[[], Awaitable[V]]
    document: JSON | Callable[[], Awaitable[JSON]]


class Role(Enum):
    """The meaning of an argument for the gate: the kind of object that it names, or the kind of text."""

    RUN = "run"
    WORKSPACE = "workspace"
    ORGANIZATION = "organization"
    WORKSPACE_NAMES = "workspace names"  # the list of runs restricts them to the scope
    RUN_OPTIONS = "run options"  # `configuration_version_id` among them has to belong to the workspace
    COMMENT = "comment"  # recorded with a run or a lock
    SAVED_WORKSPACE = "saved workspace"  # one that exists or, with `create`, one that does not
    NEW_NAME = "new name"  # of the workspace; it must stay in the scope


class Proof(StrEnum):
    """An argument that proves the consent of a person."""

    CODE = "confirmation"
    FINGERPRINT = "fingerprint"


_PROOF_TYPES: Mapping[Proof, Any] = {
    Proof.CODE: Annotated[str | None, Field(description="Code from a refusal, once the person agrees")],
    Proof.FINGERPRINT: Annotated[str | None, Field(description="From review_run; another plan is not applied")],
}

Function = Callable[..., Awaitable[View | Result[Any]]]
ReadImpact = Callable[[Client, Mapping[str, Any]], Awaitable[Impact]]
"""Reads what a call with these arguments would do.

Raises:
    TransitionNotAllowed: the run's status does not allow it.
    TfrunsError: the impact cannot be read.
"""
ApplyPolicy = Callable[[Policy, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        function: its implementation.
        title: the name for people.
        toolset: the group of the tool.
        order: the position in the list of tools.
        mode: the lowest mode that offers the tool.
        is_read_only: the tool changes nothing.
        is_destructive: the effect cannot be undone.
        is_idempotent: repeating the call has no further effect.
        impact: reads the impact of a call, on which the required confirmation depends; None if none is ever required.
        proofs: the arguments that can confirm a call in place of a person.
        apply_policy: adapts the arguments to the policy or refuses them, before a person is asked.
        command: the corresponding command, without `tfruns`. `{name}` stands for the value of an argument.
        instruction: the line in the instructions of the MCP server; may be empty.
    """

    function: Function
    title: str
    toolset: Toolset
    order: int
    mode: Mode
    is_read_only: bool
    is_destructive: bool
    is_idempotent: bool
    impact: ReadImpact | None
    proofs: tuple[Proof, ...]
    apply_policy: ApplyPolicy | None
    command: str
    instruction: str

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def requires_confirmation(self) -> bool:
        """Whether a call may have to be confirmed."""
        return self.impact is not None

    @cached_property
    def description(self) -> str:
        """The docstring, one paragraph per line."""
        paragraphs = (inspect.getdoc(self.function) or "").split("\n\n")
        return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)

    @cached_property
    def input_schema(self) -> Mapping[str, JSON]:
        """The JSON Schema of the arguments, without parts that only cost tokens."""
        return _compact_schema(self.arguments.model_json_schema())

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The arguments as a strict model: those of the function, then the proofs."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {
            parameter.name: (
                hints[parameter.name],
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for parameter in list(inspect.signature(self.function).parameters.values())[1:]
        }
        fields |= {proof.value: (_PROOF_TYPES[proof], None) for proof in self.proofs}
        config = ConfigDict(extra="forbid", hide_input_in_errors=True)
        return create_model(self.name, __config__=config, **fields)

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """The roles of the arguments that have one."""
        return {
            name: marker
            for name, field in self.arguments.model_fields.items()
            for marker in field.metadata
            if isinstance(marker, Role)
        }

    def argument(self, role: Role, values: Mapping[str, Any]) -> Any:
        """The value of the argument with a role; None if the tool has no such argument."""
        return next((values[name] for name, found in self.roles.items() if found is role), None)


def tool(
    *,
    title: str,
    toolset: Toolset,
    order: int,
    mode: Mode = Mode.APPLY,
    is_read_only: bool = False,
    is_destructive: bool = False,
    is_idempotent: bool = False,
    impact: ReadImpact | None = None,
    proofs: tuple[Proof, ...] = (),
    apply_policy: ApplyPolicy | None = None,
    command: str = "",
    instruction: str = "",
) -> Callable[[Function], Tool]:
    """Declare a function as a tool. See `Tool` for the parameters."""

    def declare(function: Function) -> Tool:
        return Tool(
            function=function,
            title=title,
            toolset=toolset,
            order=order,
            mode=Mode.READ if is_read_only else mode,
            is_read_only=is_read_only,
            is_destructive=is_destructive,
            is_idempotent=is_idempotent or is_read_only,
            impact=impact,
            proofs=proofs,
            apply_policy=apply_policy,
            command=command,
            instruction=instruction,
        )

    return declare


# -- compact schemas --------------------------------------------------------------------------------------------------

# Pydantic repeats every name as a title, uses references to definitions, and describes an optional value as a choice
# with null. Here, references are inlined, and the rest is omitted: an optional argument is one that is not required.

_NULL = {"type": "null"}


def _compact_schema(schema: Mapping[str, JSON]) -> dict[str, JSON]:
    definitions = schema.get("$defs", {})
    return _compact({key: value for key, value in schema.items() if key != "$defs"}, definitions)


def _compact(node: Mapping[str, JSON], definitions: Mapping[str, JSON]) -> dict[str, JSON]:
    node = _inlined(_without_null(_inlined(node, definitions)), definitions)
    result: dict[str, JSON] = {}
    for key, value in node.items():
        if key == "title" or (key == "default" and value is None):
            continue
        if key == "properties":
            result[key] = {name: _compact(child, definitions) for name, child in value.items()}
        elif key == "items":
            result[key] = _compact(value, definitions)
        elif key == "description" and "properties" in node:
            continue  # the docstring of a class, which is not for callers
        else:
            result[key] = value
    return result


def _inlined(node: Mapping[str, JSON], definitions: Mapping[str, JSON]) -> dict[str, Any]:
    """The node with its reference replaced by the target; keys beside the reference take precedence."""
    if "$ref" not in node:
        return dict(node)
    target = definitions[node["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`string or null` as `string`. Null is accepted for every omitted argument, without a mention in the schema."""
    choices = [choice for choice in node.get("anyOf", ()) if choice != _NULL]
    if len(choices) != 1:
        return node
    return {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}
