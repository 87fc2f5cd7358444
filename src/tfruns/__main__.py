"""`python -m tfruns` is the command `tfruns`."""

from tfruns.cli import main

main()
