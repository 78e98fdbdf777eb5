"""Turn errors into one clear line on stderr and an exit code; a traceback only with --debug."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from reclamo.errors import ReclamoError

INTERRUPTED = 130


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("reclamo: stopped", file=sys.stderr)
        return INTERRUPTED
