"""The environment variables of a run's Terraform, which inherits none of the server's own."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tfruns.home import user_path
from tfruns.local.terraform.variables import VariableValue

# Terraform and local-exec provisioners need these from the machine: programs, language, certificates, proxies.
_INHERITED = (
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
    """The operator's settings, which apply to every run.

    Attributes:
        plugin_cache: the directory of Terraform's plugin cache, which keeps providers between runs.
        cli_config: a Terraform CLI configuration file, for example for a provider mirror or registry credentials.
    """

    plugin_cache: Path | None = None
    cli_config: Path | None = None

    def prepared(self) -> "OperatorSettings":
        """The settings with absolute paths, after the plugin cache has been created.

        Terraform runs in other directories and requires that the cache exists.

        Raises:
            OSError: the cache cannot be created.
        """
        cache, config = _absolute(self.plugin_cache), _absolute(self.cli_config)
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        return OperatorSettings(cache, config)


def _absolute(path: Path | None) -> Path | None:
    return path and user_path(lambda: path, instead="give an absolute path").absolute()


@dataclass(frozen=True)
class RunIdentity:
    """The identity of a run in its own environment. Source: HCP Terraform, "Run environment"."""

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
    """The complete environment of a run's commands.

    A workspace's environment variables override the machine's and the operator's. They do not override the variables
    that make the run non-interactive, select its Terraform workspace and identify it.

    Args:
        run: the identity of the run.
        home: the HOME directory of the commands.
        settings: the operator's settings.
        variables: the workspace's environment variables.
        debugging_mode: whether Terraform logs at the level TRACE.
        api_environment: the variables that give access to the API of this server; see `api_access`.
    """
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
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


def without_output_options(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command whose output is parsed: without TF_CLI_ARGS and TF_LOG."""
    return {
        name: value for name, value in environment.items() if not name.startswith("TF_CLI_ARGS") and name != "TF_LOG"
    }
