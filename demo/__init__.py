"""The demo of tfruns: `make demo` and `make demo-web`."""
