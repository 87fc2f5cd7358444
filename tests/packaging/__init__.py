"""The package as it is built and installed, and what is published beside it."""
