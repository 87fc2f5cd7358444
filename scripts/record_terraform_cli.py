"""Run `terraform apply` with a local backend and record its output in docs/terraform-cli.md."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = Path(__file__).parent.parent / "docs" / "terraform-cli.md"
_TIMEOUT_S = 120
_REGION = re.compile(
    r"(<!-- begin transcript: scripts/record_terraform_cli.py -->\n).*?(<!-- end transcript -->)", re.DOTALL
)
_PROMPT = "  Enter a value: "
_TFRUNS = [sys.executable, "-m", "tfruns"]
_MAIN = """\
terraform {
  cloud {
    hostname     = "tfruns.local"
    organization = "default"
    workspaces {
      name = "greeting"
    }
  }
}

resource "terraform_data" "greeting" {
  input = "Hello from this machine"

  provisioner "local-exec" {
    command = "echo greeting"
  }
}

output "greeting" {
  value = terraform_data.greeting.output
}
"""


@contextmanager
def server(data: Path) -> Iterator[str]:
    """Run a server on a new data directory, and return its address."""
    command = [*_TFRUNS, "server", "--port", "0", "--data-dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("listening on "):
                sys.exit("The server did not start.")
            yield line.removeprefix("listening on ").strip()
        finally:
            process.terminate()


def record(directory: Path) -> str:
    """The commands `terraform init` and `terraform apply`, with their output."""
    data, home, project = (directory / name for name in ("data", "home", "project"))
    for path in (home, project):
        path.mkdir()
    (project / "main.tf").write_text(_MAIN, encoding="utf-8")
    with server(data):
        block = subprocess.check_output([*_TFRUNS, "server", "--print-cli-config", "--data-dir", str(data)], text=True)
        (home / "cli.tfrc").write_text(block, encoding="utf-8")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": str(home / "cli.tfrc"),
            "TF_TOKEN_tfruns_local": (data / "token").read_text(encoding="utf-8").strip(),
            "CHECKPOINT_DISABLE": "1",
        }
        return "\n\n".join(_run_terraform(command, project, env) for command in ("init", "apply"))


def _run_terraform(command: str, project: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        ["terraform", command, "-no-color"],
        cwd=project,
        env=env,
        input="yes\n",
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}")
    output = done.stdout.replace(_PROMPT, f"{_PROMPT}yes\n").strip()
    return f"$ terraform {command}\n" + re.sub(r"\n{3,}", "\n\n", output)


def main() -> None:
    """Write the recording to the page."""
    with TemporaryDirectory() as directory:
        recorded = record(Path(directory))
    page = PAGE.read_text(encoding="utf-8")
    text = f"\n```console\n{recorded}\n```\n\n"
    PAGE.write_text(_REGION.sub(lambda found: found[1] + text + found[2], page), encoding="utf-8")


if __name__ == "__main__":
    main()
