"""Configuration files of static hosts: for every path they send the same headers as our server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from demixer_build import hosting
from demixer_build.headers import headers_for
from demixer_build.paths import DIST

PATHS: Final = [
    "index.html",
    "app.webmanifest",
    "assets/main-0123ABCD.js",
    "assets/main-0123ABCD.js.map",
    "assets/engine-worker-0123ABCD.js",
    "assets/engine-compute-0123ABCD.js",
    "assets/export-worker-0123ABCD.js",
    "assets/style-0123ABCD.css",
    "icons/app.svg",
    "locales/en.json",
    "vendor/onnxruntime-web/ort.wasm.min.mjs",
    "vendor/pyodide/pyodide.mjs",
    "sw.js",
    "models/manifest.json",
    "models/testing/probe.onnx",
    "models/htdemucs/default.0123abcd.onnx",
    "wheels/0123abcd/demixer-1.0-py3-none-any.whl",
]

#: Limits of Cloudflare Pages.
MOST_RULES: Final = 100
LONGEST_LINE: Final = 2000


def netlify(path: str) -> dict[str, str]:
    """Every rule that fits gives its headers; the values of two rules would be joined."""
    found: list[tuple[str, str]] = []
    for rule in re.split(r"\n(?=/)", hosting.netlify(PATHS)):
        pattern, *lines = rule.splitlines()
        if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), path):
            found += [pair(line) for line in lines]
    assert len(found) == len(dict(found))
    return dict(found)


def nginx(path: str) -> dict[str, str]:
    """The first expression of a map that fits gives the variable its value."""
    text = hosting.nginx()
    variables = {}
    for name, body in re.findall(r"^map \$uri (\$\w+) \{\n(.*?)^\}", text, re.M | re.S):
        rows = re.findall(r'^  "~(.+)" "(.+)";$', body, re.M)
        variables[name] = next(value for expression, value in rows if re.search(expression, path))
    added = re.findall(r'^  add_header (\S+) "(.+)" always;$', text, re.M)
    return {name: variables.get(value, value) for name, value in added}


def caddy(path: str) -> dict[str, str]:
    """Later directives of a route replace what earlier ones have set."""
    found: dict[str, str] = {}
    blocks = re.findall(r"@(\w+) path_regexp (\S+)\n    header @\1 \{\n(.*?)\n    \}", hosting.caddy(), re.S)
    for _, expression, body in blocks:
        if re.search(expression, path):
            found |= dict(re.findall(r'^ +(\S+) "(.+)"$', body, re.M))
    return found


def pair(line: str) -> tuple[str, str]:
    name, _, value = line.strip().partition(": ")
    return name, value


@pytest.mark.parametrize("host", [netlify, nginx, caddy])
def test_every_host_sends_what_our_server_does(host: Callable[[str], Mapping[str, str]]) -> None:
    for path in ("/", *(f"/{path}" for path in PATHS)):
        assert host(path) == headers_for(path), path


@pytest.mark.skipif(not (DIST / "_headers").exists(), reason="dist/ is not built")
def test_the_rules_are_as_few_and_short_as_hosts_take() -> None:
    lines = (DIST / "_headers").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.startswith("/")]) <= MOST_RULES
    assert max(map(len, lines)) <= LONGEST_LINE
