"""The environment of a run's Terraform: what it needs, what the workspace says, and nothing of the server's own."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tfruns.home import user_path
from tfruns.local.terraform.variables import VariableValue

# What Terraform, and a local-exec, cannot do without on this machine: programs, language, certificates, proxies.
_OF_THE_MACHINE = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


@dataclass(frozen=True)
class OperatorSettings:
    """What the server's operator has set for every run.

    Attributes:
        plugin_cache: where providers are kept between runs (Terraform's own plugin cache).
        cli_config: a Terraform CLI configuration file, say for a provider mirror or the credentials of a registry.
    """

    plugin_cache: Path | None = None
    cli_config: Path | None = None

    def prepared(self) -> "OperatorSettings":
        """The same for Terraform, which runs in other directories, and wants its cache to be there.

        Raises:
            OSError: the cache cannot be made.
        """
        cache, config = _absolute(self.plugin_cache), _absolute(self.cli_config)
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        return OperatorSettings(cache, config)


def _absolute(path: Path | None) -> Path | None:
    return path and user_path(lambda: path, instead="give an absolute path").absolute()


@dataclass(frozen=True)
class RunIdentity:
    """What a run is called in its own environment. Source: HCP Terraform, "Run environment"."""

    run_id: str
    workspace_name: str
    organization_name: str


def run_environment(
    run: RunIdentity,
    *,
    home: Path,
    settings: OperatorSettings = OperatorSettings(),
    variables: Iterable[VariableValue] = (),
    debugging_mode: bool = False,
    api_environment: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """All of the environment of a run's commands.

    A workspace's environment variables override the machine's and the operator's, but not what makes the run a run:
    unattended, in its own Terraform workspace, under its own name. `api_environment` lets it
    reach the API of this server; see `api_access`.
    """
    environment = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
    environment.setdefault("PATH", os.defpath)
    environment["HOME"] = str(home)
    if settings.plugin_cache is not None:
        environment["TF_PLUGIN_CACHE_DIR"] = str(settings.plugin_cache)
    if settings.cli_config is not None:
        environment["TF_CLI_CONFIG_FILE"] = str(settings.cli_config)
    environment |= api_environment
    environment |= {variable.key: variable.value for variable in variables}
    if debugging_mode:
        environment["TF_LOG"] = "TRACE"
    return environment | {
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "TF_WORKSPACE": run.workspace_name,
        "TFC_RUN_ID": run.run_id,
        "TFC_WORKSPACE_NAME": run.workspace_name,
        "TFC_WORKSPACE_SLUG": f"{run.organization_name}/{run.workspace_name}",
    }


def for_reading(environment: Mapping[str, str]) -> dict[str, str]:
    """The same for a command whose output is read by this program: without extra arguments, without Terraform's log."""
    return {
        name: value for name, value in environment.items() if not name.startswith("TF_CLI_ARGS") and name != "TF_LOG"
    }
