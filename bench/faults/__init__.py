"""Faulted calls, counted by what the caller was told and by what happened: `python -m bench faults`."""
