"""Help of the options that create and update a workspace."""

AUTO_APPLY = "Apply runs automatically after a successful plan"
DESCRIPTION = "Describe the workspace"
VERSION = "Use this Terraform version, constraint, or latest"
WORKING_DIRECTORY = "Execute Terraform in this directory of the configuration"
