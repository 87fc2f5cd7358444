"""Masking of secrets and sanitizing of untrusted text. No other package removes anything from output."""
