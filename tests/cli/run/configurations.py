"""Configurations for runs, with the built-in resource only."""

CHANGES = """
variable "revision" {
  default = "1"
}
resource "terraform_data" "store" {
  count            = 2
  triggers_replace = var.revision
}
output "revision" {
  value = var.revision
}
"""

BROKEN = """
resource "terraform_data" "broken" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == "never"
      error_message = "Not <here> | *today* `please`."
    }
  }
}
"""
