"""The demo of tfruns: `make demo`."""
