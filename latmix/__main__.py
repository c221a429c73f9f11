"""`python -m latmix`: the same as the `latmix` script."""

from latmix.cli import main

if __name__ == "__main__":
    main()
