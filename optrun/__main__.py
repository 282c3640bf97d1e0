"""`python -m optrun` is `optrun`."""

from optrun.cli.main import main

main()
