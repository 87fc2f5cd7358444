# A shop with a database, servers, and a password. It uses only the built-in `terraform_data`, which needs no provider
# and no account; its resources exist only in the state.

variable "engine_version" {
  type    = string
  default = "16"
}

variable "password" {
  type      = string
  default   = "correct-horse-battery-staple"
  sensitive = true
}

resource "terraform_data" "database" {
  input            = { engine = "postgres", version = var.engine_version, password = var.password }
  triggers_replace = var.engine_version

  provisioner "local-exec" {
    command = "echo Creating the database... && sleep 1 && echo The database is ready."
  }
}

resource "terraform_data" "server" {
  count = 3
  input = { name = "web-${count.index}", database = terraform_data.database.id }
}

output "servers" {
  value = [for server in terraform_data.server : server.output.name]
}
