"""Configurations on this machine: what of a directory belongs to one, packed as HCP Terraform takes it."""
