"""Turn errors into one clear line on stderr and an exit code; a traceback only with --debug."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from reclamo.errors import ReclamoError

INTERRUPTED = 130
FAILED = 3


def run_guarded(main: Callable[[], int | None]) -> int:
    """Run a command; give its exit code. Errors of Reclamo become one line, unless `--debug` is on the command line."""
    try:
        return main() or 0
    except ReclamoError as error:
        if "--debug" in sys.argv:
            raise
        print(f"reclamo: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        if "--debug" in sys.argv:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"reclamo: {where}{error.strerror or error}; mend that and run the command again (--debug shows where)", file=sys.stderr)
        _drop_output()
        return FAILED
    except KeyboardInterrupt:
        print("reclamo: stopped", file=sys.stderr)
        return INTERRUPTED


def _drop_output() -> None:
    """Have what is still to be flushed at the end go nowhere: it cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
