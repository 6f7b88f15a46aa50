"""`python -m novaops`."""

from novaops.cli import main

main()
