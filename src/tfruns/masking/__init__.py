"""Secrets and untrusted text: what must not be shown is removed here, and only here."""
