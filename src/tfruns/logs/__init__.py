"""Terraform's logs, made readable: no I/O."""
