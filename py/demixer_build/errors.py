"""The one way in which a build step gives up."""

from __future__ import annotations


class BuildError(Exception):
    """A build step failed for a reason outside the code.

    Parameters
    ----------
    message : str
        One line: what happened, and what the person can do about it.
    """
