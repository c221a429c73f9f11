"""The `latmix` script and `python -m latmix`.

A module of its own, so that an interrupt while the command line is still imported ends quietly too.
"""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from latmix.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
