"""The embedded backend: the HCP Terraform run API on one machine, with the real `terraform` underneath."""
