"""Carrying out one phase of a run: everything that touches Terraform and a run's files.

Nothing here knows of a database, of HTTP, or of who dispatches phases. `phases` has the two entry points, `run_plan`
and `run_apply`; `recovery` reads what a server that was killed left behind. POSIX only: process groups, file locks.
"""
