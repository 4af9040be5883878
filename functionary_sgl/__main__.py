"""`python -m functionary_sgl`, the same as `functionary-sgl`."""

import sys

from functionary_sgl.cli import main

if __name__ == "__main__":
    sys.exit(main())
