"""The execution of one Terraform run: its directory, environment, process, log and state.

This package does not know the database, HTTP or the queue. `phases` contains the entry points `run_plan` and
`run_apply`; `recovery` reads the state of an apply whose server was killed. It requires POSIX: process groups and file
locks.
"""
