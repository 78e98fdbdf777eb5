"""`python -m reclamo`."""

from reclamo.cli.app import main

if __name__ == "__main__":
    main()
