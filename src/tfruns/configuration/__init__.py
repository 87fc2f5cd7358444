"""Packing of local directories as configurations for HCP Terraform."""
