"""What docs/benchmarks.md quotes, measured: `python -m bench`."""
