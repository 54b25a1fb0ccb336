"""The error of a failed build step. Standard library only."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class BuildError(Exception):
    """A build step failed for a reason outside of the code.

    Parameters
    ----------
    message : str
        One line: what happened, and what the person can do about it.
    """


@contextmanager
def exit_with_one_line() -> Iterator[None]:
    """Exit with one line and status 1 for faults of the machine; a bug keeps its traceback."""
    try:
        yield
    except BuildError as error:
        sys.exit(f"error: {error}")
    except PermissionError as error:
        sys.exit(f"error: {error.filename} cannot be written. Change its owner or permissions, then run this again.")
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        sys.exit("error: The disk is full. Free some space, then run this again.")
    except KeyboardInterrupt:
        sys.exit(130)
