"""`python -m hero_async.cli`, for where scripts are not on the path."""

import sys

from hero_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
