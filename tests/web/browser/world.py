"""An organization with runs in every situation, and the table of all pages.

A new page is one line in `PAGES`: its name, its path, and a text that its main part contains. The tests of
`test_every_page` open it in both themes and three widths, with and without scripts, and keep its pictures.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tfruns.wire.runs import Run


@dataclass(frozen=True, slots=True)
class PageCase:
    """A page.

    Attributes:
        path: its path; `{name}` stands for a run of the organization.
        text: a text in its main part.
        has_session: whether the visitor has a session.
        status: its HTTP status.
    """

    path: str
    text: str
    has_session: bool = True
    status: int = 200


_RUN = "/app/default/workspaces"

PAGES: Mapping[str, PageCase] = {
    "overview": PageCase("/app/default", "Move the database to version 17"),
    "workspaces": PageCase("/app/default/workspaces", "shop-prod"),
    "workspaces-none-found": PageCase("/app/default/workspaces?search=nosuch", "Workspaces"),
    "workspace": PageCase(f"{_RUN}/shop-prod", "Open the shop"),
    "workspace-locked": PageCase(f"{_RUN}/shop-locked", "shop-locked"),
    "workspace-without-runs": PageCase(f"{_RUN}/shop-empty", "shop-empty"),
    "workspace-state": PageCase(f"{_RUN}/shop-prod/state", "terraform_data.database"),
    "workspace-settings": PageCase(f"{_RUN}/shop-prod/settings", "Variables"),
    "workspace-start": PageCase(f"{_RUN}/shop-prod/start", "Refresh only"),
    "search": PageCase("/app/default?workspace=shop-p*&status=applied", "Open the shop"),
    "organizations": PageCase("/app/-/organizations", "default"),
    "run-planned": PageCase(f"{_RUN}/shop-prod/runs/{{planned}}", "Workspace name"),
    "run-planned-filtered": PageCase(f"{_RUN}/shop-prod/runs/{{planned}}?action=update", "Show all changes"),
    "run-planned-harmless": PageCase(f"{_RUN}/shop-new/runs/{{harmless}}", "Apply"),
    "run-planned-large": PageCase(f"{_RUN}/shop-large/runs/{{large}}?page=2", "page 2 of 3"),
    "run-applying": PageCase(f"{_RUN}/shop-staging/runs/{{applying}}", "Applying"),
    "run-pending": PageCase(f"{_RUN}/shop-staging/runs/{{pending}}", "Pending"),
    "run-applied": PageCase(f"{_RUN}/shop-prod/runs/{{applied}}", "Applied"),
    "run-discarded": PageCase(f"{_RUN}/shop-prod/runs/{{discarded}}", "Not on a Friday."),
    "run-plan-failed": PageCase(f"{_RUN}/shop-broken/runs/{{plan_failed}}", "Why it failed"),
    "run-apply-failed": PageCase(f"{_RUN}/shop-half/runs/{{apply_failed}}", "Why it failed"),
    "log": PageCase(f"{_RUN}/shop-half/runs/{{apply_failed}}/logs/apply", "Apply log"),
    "log-search": PageCase(f"{_RUN}/shop-prod/runs/{{applied}}/logs/plan?search=terraform", "Show the full log"),
    "values": PageCase(
        f"{_RUN}/shop-prod/runs/{{planned}}/values?address=terraform_data.database", "terraform_data.database"
    ),
    "sign-in": PageCase("/app/default", "tfruns web link", has_session=False, status=401),
    "not-found": PageCase(f"{_RUN}/nosuch", "Error", status=404),
}
"""The pages, by the names of their pictures."""


@dataclass
class World:
    """The runs, by their names in `PAGES`."""

    runs: dict[str, Run] = field(default_factory=dict)

    def path(self, page: PageCase) -> str:
        """The path of a page."""
        return page.path.format(**{name: run.id for name, run in self.runs.items()})


_POLICY = {"statement": [{"effect": "allow", "actions": ["read", "list"], "resources": ["*"]}], "version": 1}
_SHOP = """
variable "engine" { default = "16" }
variable "password" {
  default   = "correct-horse-battery-staple"
  sensitive = true
}
locals { policy = jsondecode(%(policy)s) }
resource "terraform_data" "database" {
  input            = { engine = "postgres", version = var.engine, password = var.password }
  triggers_replace = var.engine
  provisioner "local-exec" { command = "echo Creating the database; echo The database is ready" }
}
resource "terraform_data" "server" {
  count = var.engine == "16" ? 3 : 2
  input = { name = "web-${count.index}", database = terraform_data.database.id }
}
resource "terraform_data" "policy" {
  input = jsonencode(merge(local.policy, { version = tonumber(var.engine) }))
}
resource "terraform_data" "motd" {
  input = "Welcome to the shop\\nEngine ${var.engine}\\nOpen from 9 to 5\\n"
}
module "cache" {
  source = "./cache"
  size   = var.engine == "16" ? 1 : 2
}
check "servers" {
  assert {
    condition     = var.engine == "16"
    error_message = "Fewer than three servers are left."
  }
}
output "servers" { value = [for server in terraform_data.server : server.output.name] }
output "engine" { value = var.engine }
"""
_CACHE = """
variable "size" {}
resource "terraform_data" "node" {
  for_each = toset([for n in range(var.size) : "node-${n}"])
  input    = each.key
}
"""
_BROKEN = """
resource "terraform_data" "one" {
  input = "1"
  lifecycle {
    precondition {
      condition     = var.size < 10
      error_message = "The size must be smaller than 10."
    }
  }
}
variable "size" { default = 12 }
"""
_LARGE = """
variable "servers" { default = 120 }
resource "terraform_data" "server" {
  for_each = toset([for n in range(var.servers) : format("server-%03d", n)])
  input    = { name = each.key, zone = "zone-${substr(each.key, -1, 1)}" }
}
"""


async def seeded(lab: Lab, gate: ApplyGate) -> World:
    """The organization. The apply of `applying` runs until the gate opens."""
    world = World()
    await _shop(lab, world)
    world.runs["harmless"] = await lab.planned(
        await lab.workspace(local_exec("queue", "echo The queue is ready"), name="shop-new"), message="Add a queue"
    )
    world.runs["large"] = await lab.planned(
        await lab.workspace(_LARGE, name="shop-large"), message="Add one hundred and twenty servers"
    )
    await _failures(lab, world)
    await lab.workspace(name="shop-empty")
    await lab.lock(await lab.workspace(_BROKEN, name="shop-locked"))
    await _staging(lab, world, gate)
    return world


async def _shop(lab: Lab, world: World) -> None:
    workspace = await lab.workspace(name="shop-prod")
    main = _SHOP % {"policy": json.dumps(json.dumps(_POLICY))}
    await lab.upload(workspace, files={"main.tf": main, "cache/main.tf": _CACHE})
    world.runs["applied"] = await lab.applied(workspace, message="Open the shop")
    change = {"variables": {"engine": '"17"'}}
    discarded = await lab.planned(workspace, message="Move the database on Friday", **change)
    await lab.client.runs.discard(discarded.id, comment="Not on a Friday.")
    world.runs["discarded"] = await lab.until(discarded, "discarded")
    planned = await lab.planned(workspace, message="Move the database to version 17", **change)
    await lab.client.comments.create(planned.id, "The copy of the data has been tested.")
    world.runs["planned"] = planned


async def _failures(lab: Lab, world: World) -> None:
    broken = await lab.workspace(_BROKEN, name="shop-broken")
    world.runs["plan_failed"] = await lab.until(await lab.run(broken, message="Grow to twelve"), "errored")
    half = local_exec("ready", "echo Created") + local_exec(
        "broken", "echo No space; exit 3", depends_on="terraform_data.ready"
    )
    run = await lab.run(await lab.workspace(half, name="shop-half"), message="Add a disk", auto_apply=True)
    world.runs["apply_failed"] = await lab.until(run, "errored")


async def _staging(lab: Lab, world: World, gate: ApplyGate) -> None:
    main = gate.configuration(before="for n in 1 2 3 4 5; do echo Copying part $n of 5; done")
    workspace = await lab.workspace(main, name="shop-staging")
    world.runs["applying"] = await lab.run(workspace, message="Copy the data", auto_apply=True)
    await wait_until(gate.has_begun, "the apply has begun")
    world.runs["pending"] = await lab.run(workspace, message="Copy the data again")
