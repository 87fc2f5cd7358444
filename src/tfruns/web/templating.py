"""HTML from templates. Every value is escaped, because names, messages, plans and logs are data that others wrote."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from tfruns.lifecycle import ending_of, group_of, is_final
from tfruns.masking.text import sanitize
from tfruns.vocabulary import RunEnding, RunSource
from tfruns.wording import counted


@cache
def environment() -> Environment:
    """The templates."""
    found = Environment(
        loader=PackageLoader("tfruns.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "exact": exact_time,
        "machine": machine_time,
        "relative": _relative,
        "duration": duration,
        "symbol": status_symbol,
        "sign": action_sign,
        "source": source_label,
        "tojson_text": lambda value: json.dumps(value, ensure_ascii=False),
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "tone": status_tone,
        "counted": counted,
        "label": status_label,
        "query": query_prefix,
    }
    found.globals["new_form_id"] = lambda: secrets.token_urlsafe(12)
    return found


def _visible(value: Any) -> Any:
    """A value without invisible and control characters, which could disguise a text."""
    return sanitize(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def render(template: str, **values: Any) -> str:
    """The HTML of a template."""
    return environment().get_template(template).render(values)


def exact_time(value: datetime) -> str:
    """A time in UTC, for people."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_time(value: datetime) -> str:
    """A time in UTC, as the `datetime` attribute of a `time` element."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pass_context
def _relative(context: Context, value: datetime) -> str:
    return relative_time(value, context["now"])


def relative_time(value: datetime, now: datetime) -> str:
    """A time in relation to now, such as `3 min ago`."""
    seconds = round((now - value).total_seconds())
    if abs(seconds) < _JUST_NOW_S:
        return "just now"
    return f"{_rounded(seconds)} ago" if seconds > 0 else f"in {_rounded(-seconds)}"


_JUST_NOW_S = 5
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _rounded(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return f"{seconds // size} {unit}"


def duration(seconds: int) -> str:
    """A duration in its two largest units, such as `2 min 5 s`."""
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def status_label(status: str) -> str:
    """A status in words."""
    return status.replace("_", " ").capitalize()


def status_tone(status: str) -> str:
    """The tone in which a status is shown, as a CSS class."""
    if not is_final(status):
        return "waiting" if group_of(status) == "discardable" else "active"
    return {RunEnding.FAILED: "failed", RunEnding.ABORTED: "aborted"}.get(ending_of(status), "done")  # type: ignore[arg-type]


def status_symbol(status: str) -> str:
    """A symbol for the tone of a status, which color alone does not convey."""
    return {"waiting": "!", "active": "▸", "failed": "✕", "aborted": "∅"}.get(status_tone(status), "✓")


def action_sign(action: str) -> str:
    """The sign of an action, as Terraform writes it."""
    return _SIGNS.get(action.partition(" ")[0], "•")


_SIGNS = {
    "create": "+",
    "update": "~",
    "replace": "-/+",
    "destroy": "-",
    "forget": "∅",
    "read": "<=",
    "move": "→",
    "import": "←",
    "invoke": "▸",
}


def source_label(source: str) -> str:
    """The source of a run in words."""
    return _SOURCES.get(source, source)


_SOURCES: Mapping[str, str] = {
    RunSource.TFE_UI: "browser",
    RunSource.TFE_API: "API",
    RunSource.TFE_CONFIGURATION_VERSION: "uploaded configuration",
    RunSource.TERRAFORM: "Terraform CLI",
    RunSource.TERRAFORM_CLOUD: "Terraform CLI",
    RunSource.TFE_RUN_TRIGGER: "run trigger of another workspace",
}


def query_prefix(values: Mapping[str, str]) -> str:
    """The given values as the beginning of a query, to which another parameter can be added."""
    given = {name: value for name, value in values.items() if value}
    return f"{urlencode(given)}&" if given else ""
