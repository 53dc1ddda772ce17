"""`python -m tui`: the command line, as the server starts it for each page."""

from tui.cli import main

main()
