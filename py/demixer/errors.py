"""Errors that reach a person: a stable code, what happened, and what to do next."""

from __future__ import annotations

from typing import Final

#: Error code -> True when trying again can help. `web/base/errors.js` has the same table, and each code has a text in
#: `web/locales/`; a test compares the three.
CODES: Final[dict[str, bool]] = {
    "cancelled": True,
    "audio/unreadable": False,
    "audio/changed": False,
    "audio/unsupported": False,
    "audio/empty": False,
    "audio/too-long": False,
    "audio/not-finite": False,
    "model/unknown": False,
    "model/network": True,
    "model/integrity": True,
    "model/incompatible": False,
    "storage/quota": False,
    "storage/unavailable": False,
    "storage/cleared": False,
    "runtime/start-failed": True,
    "runtime/device-lost": True,
    "runtime/out-of-memory": True,
    "runtime/failed": True,
    "engine/crashed": True,
    "engine/timeout": True,
    "protocol/version": False,
    "program/network": True,
    "program/failed": True,
}


class DemixError(Exception):
    """A failure with a stable code.

    Parameters
    ----------
    code : str
        One of `CODES`.
    message : str
        What happened, in one plain sentence.
    hint : str, optional
        What the person can do about it.
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}")
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def retryable(self) -> bool:
        """True when trying again can help."""
        return CODES[self.code]

    def to_dict(self) -> dict[str, str | bool | None]:
        """Plain data, for messages between threads and for `--json`."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
        }


class AudioError(DemixError):
    """The song cannot be separated as it is (`audio/...`)."""


class ModelError(DemixError):
    """The model is unknown, damaged or incompatible (`model/...`)."""


class RuntimeFailure(DemixError):
    """The inference runtime failed (`runtime/...`)."""


class Cancelled(DemixError):
    """The person asked to stop."""

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled.")
