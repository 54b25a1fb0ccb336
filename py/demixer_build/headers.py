"""The one table of response headers: the server sends it, and whatever hosts the site has to send the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final


@dataclass(frozen=True)
class Rule:
    """Headers for the paths that a pattern fits; `*` stands for any characters, `?` for one."""

    pattern: str
    headers: Mapping[str, str]

    @property
    def expression(self) -> str:
        """The pattern as a regular expression that Python, JavaScript, nginx and Caddy all understand."""
        parts = {"*": ".*", "?": ".", ".": r"\."}
        return f"^{''.join(parts.get(character, character) for character in self.pattern)}$"


def _policy(**sources: str) -> str:
    """A Content-Security-Policy: everything is forbidden but what is named."""
    allowed = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "connect-src": "'self'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "img-src": "'self' blob: data:",
        "manifest-src": "'self'",
        "media-src": "'self' blob:",
        "script-src": "'self'",
        "style-src": "'self'",
        "worker-src": "'self'",
        **{name.replace("_", "-"): value for name, value in sources.items()},
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


#: A worker follows the policy of its own response. Compiling WebAssembly needs 'wasm-unsafe-eval'; the glue of
#: WebGPU in the engine worker builds functions from text as well. The page itself gets neither.
_WASM: Final = {"Content-Security-Policy": _policy(script_src="'self' 'wasm-unsafe-eval'")}
_ENGINE: Final = {"Content-Security-Policy": _policy(script_src="'self' 'wasm-unsafe-eval' 'unsafe-eval'")}
#: For paths that name the hash of what they hold.
_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"}

RULES: Final = (
    Rule(
        "/*",
        {
            # Isolation, without which a page has no threads.
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": _policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Cache-Control": "no-cache",
        },
    ),
    Rule("/engine/worker.js", _ENGINE),
    Rule("/export/worker.js", _WASM),  # Python and encoders
    Rule("/vendor/onnxruntime-web/*", _WASM),  # starts its threads from its own module
    Rule("/models/*.????????.onnx", _IMMUTABLE),
    Rule("/wheels/*", _IMMUTABLE),
)
"""Later rules win over earlier ones."""

TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".f32": "application/octet-stream",
    ".whl": "application/zip",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
"""Content types that the browser insists on and that not every machine knows."""


def headers_for(path: str) -> dict[str, str]:
    """All headers for the path of a request."""
    found: dict[str, str] = {}
    for rule in RULES:
        if fnmatchcase(path, rule.pattern):
            found |= rule.headers
    return found
