"""The figures of a run as the tables of docs/gpu/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

PRECISIONS: Final = ("fp32", "fp16")
OPEN: Final = "-"
"""A figure that was not measured."""

Results = Mapping[str, Mapping[str, Any]]


def table(results: Results) -> str:
    """Markdown with one column for each precision, and the GPU's time by operator."""
    facts = results.get("facts", {})
    lines = [
        f"{facts.get('gpu') or name_of(facts)}; {facts.get('browser', 'unknown browser')}; {facts.get('cores')} cores",
        "",
        "| figure | fp32 | fp16 |",
        "|---|---|---|",
        *(f"| {title} | {' | '.join(cells)} |" for title, cells in rows(results)),
    ]
    for name, found in results.get("kernels", {}).items():
        if isinstance(found, Mapping) and "milliseconds" in found:
            total = sum(found["milliseconds"].values())
            shares = (f"{each} {took:.1f}" for each, took in list(found["milliseconds"].items())[:8])
            parts = (f"{each} {took:.1f}" for each, took in list(found["parts"].items())[:8])
            lines += ["", f"{name}: {total:.1f} ms of a run on the GPU: {', '.join(shares)}; {', '.join(parts)}"]
    return "\n".join(lines) + "\n"


def name_of(facts: Mapping[str, Any]) -> str:
    """The adapter, where no driver's tool tells the card."""
    adapter = facts.get("half") or {}
    info = adapter.get("info") or {}
    return " ".join(filter(None, (info.get("vendor"), info.get("architecture"), info.get("description")))) or "no GPU"


def rows(results: Results) -> Iterable[tuple[str, list[str]]]:
    """Titles, and a figure for each precision."""
    graphs, engine, flight = (results.get(step, {}) for step in ("graphs", "engine", "flight"))
    loss = results.get("loss", {})

    def both(figure: Any) -> list[str]:
        return [_figure(figure, precision) for precision in PRECISIONS]

    yield (
        "seconds a segment, after the first run (the first run)",
        both(lambda p: f"{graphs[p]['seconds']:.3f} ({graphs[p]['first']:.2f})"),
    )
    yield "dB of the outputs against the native runtime", both(lambda p: _decibels(graphs[p]["decibels"]))
    yield "dB of the stems against the native runtime", both(lambda p: _decibels(engine[p]["decibels"]))
    yield (
        "a song through the storage, with Python: its length over the time",
        both(lambda p: f"{engine[p]['song'] / engine[p]['seconds']:.1f}"),
    )
    yield (
        "the same for the network alone",
        both(lambda p: f"{engine[p]['song'] / engine[p]['modelSeconds']:.1f}"),
    )
    yield "Python's share", both(lambda p: f"{1 - engine[p]['modelSeconds'] / engine[p]['seconds']:.2f}")
    for cache in ("bucket", "simple", "lazyRelease"):
        yield (
            f"GPU memory in MB, seconds a segment, with `{cache}`",
            both(lambda p, c=cache: _memory(graphs[p if c == "bucket" else f"{p}, {c}"])),
        )
    for variant, title in (("{}-mha", "the runtime's own attention"), ("{}, jspi", "the build for JSPI")):
        yield (
            f"seconds a segment with {title}, dB",
            both(
                lambda p, v=variant: (
                    f"{graphs[v.format(p)]['seconds']:.3f}, {_decibels(graphs[v.format(p)]['decibels'])}"
                )
            ),
        )
    yield (
        "seconds a segment with 1, 2 and 3 in flight",
        both(lambda p: ", ".join(f"{flight[f'{p}, {count}']['seconds']:.3f}" for count in (1, 2, 3))),
    )
    yield "after a lost device: seconds to the fallback", [_figure(lambda _: f"{loss['fallback']:.1f}", ""), ""]


def by_operator(programs: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Milliseconds by operator of the graph; the runtime names a program `node&operator&program`."""
    spent: Counter[str] = Counter()
    for each in programs:
        words = each["name"].split("&")
        spent[words[1] if len(words) > 1 else words[0]] += each["microseconds"] / 1000
    return spent


def by_part(programs: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Milliseconds by part of the network, such as `decoder.3`: the scope in which a node's name begins."""
    spent: Counter[str] = Counter()
    for each in programs:
        node = each["name"].split("&")[0]
        spent[node.split("/")[0] if "/" in node else "elsewhere"] += each["microseconds"] / 1000
    return spent


def _figure(figure: Any, precision: str) -> str:
    try:
        return str(figure(precision))
    except KeyError:  # the step was left out, or has failed
        return OPEN


def _decibels(found: Mapping[str, float]) -> str:
    return " / ".join(f"{each:.1f}" for each in found.values())


def _variant(found: Mapping[str, Any]) -> str:
    return f"{found['seconds']:.3f}, {_decibels(found['decibels'])}"


def _memory(found: Mapping[str, Any]) -> str:
    return f"{found['megabytes']:.0f}, {found['seconds']:.3f}"
