"""The table of headers as configuration files for static hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from demixer_build.headers import RULES, TYPES, headers_for

_Headers = Mapping[str, str]
_EVERYWHERE: Final = RULES[0].headers
_SOMEWHERE: Final = {name: value for rule in RULES[1:] for name, value in rule.headers.items()}
"""Headers whose value depends on the path."""


def netlify(paths: Iterable[str]) -> str:
    """`_headers`, as Netlify and Cloudflare Pages read it.

    They join the values of all matching rules, and two joined policies forbid more than either, so no path gets a
    header from two rules.

    Parameters
    ----------
    paths : iterable of str
        Every file of the site.
    """
    common = {name: value for name, value in _EVERYWHERE.items() if name not in _SOMEWHERE}
    own = {f"/{path}": _own_headers(f"/{path}") for path in paths}
    rules = [("/*", common), ("/", _own_headers("/")), *_by_folder("/", own)]
    return "\n".join(
        "\n".join([path, *(f"  {name}: {value}" for name, value in found.items())]) for path, found in rules
    )


def _own_headers(path: str) -> _Headers:
    return {name: value for name, value in headers_for(path).items() if name in _SOMEWHERE}


def _by_folder(folder: str, files: Mapping[str, _Headers]) -> Iterator[tuple[str, _Headers]]:
    """One rule for a folder whose files agree, else rules for its contents."""
    first = next(iter(files.values()))
    if folder != "/" and all(headers == first for headers in files.values()):
        yield f"{folder}*", first
        return
    children: dict[str, dict[str, _Headers]] = {}
    for path, headers in files.items():
        name, slash, _ = path.removeprefix(folder).partition("/")
        children.setdefault(folder + name + slash, {})[path] = headers
    for child, inside in sorted(children.items()):
        if child.endswith("/"):
            yield from _by_folder(child, inside)
        else:
            yield child, inside[child]


def nginx(codings: Collection[str] = ("br", "gzip")) -> str:
    """`nginx.conf`: a `server` with its maps, to be included in the `http` block."""
    modules = {"br": "brotli_static on;  # of the module ngx_brotli", "gzip": "gzip_static on;"}
    static = "".join(f"  {modules[coding]}\n" for coding in codings)
    maps = [
        f"map $uri ${_variable(name)} {{\n"
        + "".join(
            f'  "~{rule.expression}" "{rule.headers[name]}";\n' for rule in reversed(RULES) if name in rule.headers
        )
        + "}"
        for name in _SOMEWHERE
    ]
    values = {name: f"${_variable(name)}" if name in _SOMEWHERE else value for name, value in _EVERYWHERE.items()}
    types = "".join(f"    {kind} {suffix[1:]};\n" for suffix, kind in TYPES.items())
    headers = "".join(f'  add_header {name} "{value}" always;\n' for name, value in values.items())
    return (
        "\n".join(maps)
        + f"\n\nserver {{\n  listen 8080;\n  root /srv/demixer;  # this folder\n{static}"
        + f"  types {{\n    text/html html;\n    text/css css;\n    image/png png;\n{types}  }}\n"
        + f"{headers}}}\n"
    )


def caddy(codings: Collection[str] = ("br", "gzip")) -> str:
    """`Caddyfile`."""
    lines = [":8080 {", "  root * .  # this folder", "  route {"]
    for number, rule in enumerate(RULES):
        lines += [f"    @rule{number} path_regexp {rule.expression}", f"    header @rule{number} {{"]
        lines += [f'      {name} "{value}"' for name, value in rule.headers.items()]
        lines += ["    }"]
    return "\n".join([*lines, "    file_server {", f"      precompressed {' '.join(codings)}", "    }", "  }", "}", ""])


def _variable(header: str) -> str:
    return "demixer_" + header.lower().replace("-", "_")
