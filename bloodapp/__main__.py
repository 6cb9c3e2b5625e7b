"""`python -m bloodapp`: the command line."""

import sys

from bloodapp.cli import main

if __name__ == "__main__":
    sys.exit(main())
