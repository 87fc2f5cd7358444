"""The tools, one file each: an operation on runs, and everything that is declared about it."""
