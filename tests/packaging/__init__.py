"""The built and installed package, and the files that are published with it."""
