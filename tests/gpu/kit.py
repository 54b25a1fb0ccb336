"""Records what docs/gpu/README.md asks for on the machine's own GPU: `python -m tests.gpu.kit`.

Writes `results.json` after every step, and `results.md` at the end. Needs the built site; Chromium is `DEMIXER_GPU`,
else the one that `pack.py` has brought, else the system's. README.md beside this file says how to go where there is no
network.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx

from demixer.audio import Clip, Collected, Samples
from demixer.families import create
from demixer.graphs.htdemucs.forms import FORMS, Form
from demixer.graphs.htdemucs.network import build
from demixer.graphs.onnx_writer import Model, write_model
from demixer.models import read_manifest
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from demixer_build import browser as chromium
from demixer_build.bench.graphs import idle
from demixer_build.paths import DIST, ROOT, WEB
from tests import songs
from tests.gpu import report
from tests.gpu.devtools import Browser, Gone, Page
from tests.gpu.gpu_use import Use
from tests.gpu.serving import served
from tests.reduced import feeds, reduced

RATE: Final = 44_100
PRECISIONS: Final = ("fp32", "fp16")
CACHES: Final = ("bucket", "simple", "lazyRelease")
"""Values of `storageBufferCacheMode`, the runtime's own choice first; runs fail with `disabled`."""
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKED: Final = ROOT / ".gpu"
"""What `pack.py` brings besides the repository: the browser and a song."""

Found = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Extent of a run.

    Parameters
    ----------
    smoke : bool
        Graphs that a software driver computes in seconds: the network in small, and one that does nothing.
    software : bool
        On Chromium's own SwiftShader.
    attention : bool
        Measure attention by the runtime's own operator too.
    jspi : bool
        Measure the build of the runtime for browsers with JSPI too.
    """

    smoke: bool = False
    software: bool = False
    attention: bool = False
    jspi: bool = False

    @property
    def runs(self) -> int:
        return 2 if self.smoke else 10

    @property
    def song(self) -> int:
        """Seconds of the song that is timed."""
        return 12 if self.smoke else 180

    @property
    def compared(self) -> int:
        """Seconds of the song whose stems are compared."""
        return 8 if self.smoke else 20

    @property
    def settings(self) -> Found:
        """Settings of the engine."""
        return {"device": "webgpu", "allowSoftwareAdapter": self.smoke or self.software}


@dataclass
class Kit:
    """What the steps share."""

    plan: Plan
    program: str
    out: Path
    work: Path
    results: dict[str, Found] = field(default_factory=dict)
    url: str = ""

    @contextmanager
    def page(self, *, half: bool = True) -> Iterator[Page]:
        """A page of a new browser; without `half` with float16 hidden, as Chromium does on Linux with NVIDIA's GPUs."""
        flags = chromium.SWIFTSHADER if self.plan.software else (*chromium.HARDWARE, *(chromium.HALF if half else ()))
        profile = self.work / f"profile-{time.monotonic_ns()}"
        command = [self.program, *chromium.QUIET, *flags, "--headless", f"--user-data-dir={profile}"]
        with (self.out / "browser.log").open("ab") as log:
            opened = Browser(command, environment(self.work), log)
            try:
                yield opened.open(f"{self.url}/gpu/page.html")
            finally:
                self.results.setdefault("console", {}).setdefault("lines", []).extend(opened.console[:20])
                opened.close()
                shutil.rmtree(profile, ignore_errors=True)

    def graphs(self) -> dict[str, Path]:
        """The graphs to run alone, by name: the two precisions, and variants that the product does not have."""
        forms = {name: FORMS[name] for name in PRECISIONS}
        if self.plan.attention:
            forms |= {f"{name}-mha": replace(FORMS[name], fused=True) for name in PRECISIONS}
        found = {}
        for name, form in forms.items():
            found[name] = path = self.work / "models" / f"{name}.onnx"
            path.parent.mkdir(exist_ok=True)
            if path.exists():
                continue
            if self.plan.smoke:
                save(build(reduced(), form), path)
            elif name in PRECISIONS:
                path.symlink_to(DIST / "models" / model()["artifacts"][name][0]["path"])
            else:
                save(rebuilt(form), path)
        return found

    def inputs(self, given: Mapping[str, Samples]) -> list[Found]:
        """Inputs of a graph, where the page can fetch them."""
        for index, array in enumerate(given.values()):
            np.ascontiguousarray(array, "<f4").tofile(self.work / f"input-{index}.f32")
        return [
            {"name": name, "dims": list(array.shape), "url": f"/work/input-{index}.f32"}
            for index, (name, array) in enumerate(given.items())
        ]

    def model(self) -> Found:
        """The entry of the manifest for the engine; in a smoke run its graphs do nothing."""
        described = model()
        if not self.plan.smoke:
            return described
        path = self.work / "models" / "idle.onnx"
        path.parent.mkdir(exist_ok=True)
        onnx.save(idle(), path)
        data = path.read_bytes()
        artifact = {"path": "../work/models/idle.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return {**described, "artifacts": {name: [artifact] for name in (*PRECISIONS, "default")}}

    def mixture(self) -> Samples:
        """The song whose stems are compared: music that was brought along, else one made by arithmetic."""
        length = self.plan.compared * RATE
        brought = PACKED / "song.s16"
        if brought.exists() and not self.plan.smoke:
            samples = np.fromfile(brought, "<i2").reshape(-1, 2)[:length].T / np.float32(32768)
            return np.ascontiguousarray(samples, np.float32)
        return songs.mixture(self.plan.compared)


def model() -> Found:
    """HT-Demucs in the site's manifest."""
    manifest = json.loads((DIST / "models" / "manifest.json").read_text(encoding="utf-8"))
    return next(each for each in manifest["models"] if each["id"] == "htdemucs")


def rebuilt(form: Form) -> Model:
    """HT-Demucs in a form that the product does not have; needs the published graph, which is not packed."""
    from demixer_build.bench.subjects import stock
    from models.htdemucs.published import read

    return build(read(stock()), form)


def save(model: Model, path: Path) -> None:
    """Write a graph to a file."""
    with path.open("wb") as sink:
        write_model(model, sink)


def environment(work: Path) -> dict[str, str]:
    """Variables of the browser: libraries that were brought along where this machine has none of that name."""
    brought = PACKED / "browser" / "lib"
    if not brought.exists():
        return {**os.environ, "HOME": str(work), "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    known = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True).stdout
    names = {line.split()[0] for line in known.splitlines()[1:] if line.strip()}
    missing = work / "lib"
    missing.mkdir(exist_ok=True)
    for path in brought.iterdir():
        if path.name not in names and not (missing / path.name).exists():
            (missing / path.name).symlink_to(path)
    return {
        **os.environ,
        "HOME": str(work),
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "FONTCONFIG_FILE": str(PACKED / "browser" / "fonts.conf"),
        "LD_LIBRARY_PATH": ":".join(filter(None, (str(missing), os.environ.get("LD_LIBRARY_PATH")))),
    }


# The steps, in their order


def facts(kit: Kit) -> Found:
    """The machine, the browser, and what it offers with and without the flag for float16."""

    def said(*command: str) -> str:
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):  # a machine without that program
            return ""

    query = "--query-gpu=name,driver_version,memory.total,power.limit"
    found: Found = {
        "gpu": said("nvidia-smi", query, "--format=csv,noheader"),
        "browser": said(kit.program, "--version"),
        "system": said("uname", "-sr"),
        "cores": os.cpu_count(),
    }
    for name, half in (("plain", False), ("half", True)):
        with kit.page(half=half) as page:
            found[name] = page.apply("/gpu/page.js", "adapter")
    return found


def reference(kit: Kit) -> Found:
    """Stems of the song, and outputs of the graph for one segment, on the native runtime in `fp32`."""
    mixture, described = kit.mixture(), kit.model()
    given: dict[str, Samples] = feeds() if kit.plan.smoke else {}
    path = kit.work / "models" / "idle.onnx" if kit.plan.smoke else kit.graphs()["fp32"]
    known = read_manifest({"models": [described]})["htdemucs"]
    family = create(known, [Watched(path, given)], RATE)
    collected = Collected(family.stems, *mixture.shape)
    begin = time.perf_counter()
    asyncio.run(separate(Clip(mixture, RATE), collected, family, known.preset("standard")))
    seconds = time.perf_counter() - begin
    np.save(kit.work / "stems.npy", collected.samples)
    expected = asyncio.run(NativeSession(kit.graphs()["fp32"]).run(given))
    np.savez(kit.work / "expected.npz", allow_pickle=False, **expected)
    return {"seconds": seconds, "inputs": kit.inputs(given)}


class Watched(NativeSession):
    """A native session that keeps the inputs of its first run, where none are given."""

    def __init__(self, path: Path, kept: dict[str, Samples]) -> None:
        super().__init__(path)
        self._kept = kept

    async def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        if not self._kept:
            self._kept.update({name: np.array(array) for name, array in feeds.items()})
        return await super().run(feeds)


def graphs(kit: Kit) -> Found:
    """Each graph alone: the first run and later ones, distance to the native runtime, use and memory of the GPU."""
    found: Found = {}
    for name in kit.graphs():
        found[name] = attempt(graph, kit, name)
    for precision in PRECISIONS:
        for cache in CACHES[1:]:
            key = f"{precision}, {cache}"
            found[key] = attempt(graph, kit, precision, provider={"storageBufferCacheMode": cache})
        if kit.plan.jspi:
            found[f"{precision}, jspi"] = attempt(graph, kit, precision, build="jspi")
    return found


def graph(kit: Kit, name: str, **options: Any) -> Found:
    label = "-".join([name, *options])
    with kit.page() as page, Use() as use:
        request = {"url": f"/work/models/{name}.onnx", "inputs": kit.results["reference"]["inputs"], **options}
        create_seconds = page.apply("/gpu/page.js", "ask", "graph", {**request, "strict": True})
        (first,) = page.apply("/gpu/page.js", "ask", "graph", {"run": 1, "send": label})
        later = page.apply("/gpu/page.js", "ask", "graph", {"run": kit.plan.runs})
        found = {"create": create_seconds, "first": first, "seconds": statistics.median(later), "runs": later}
    expected = np.load(kit.work / "expected.npz")
    decibels = {output: snr(expected[output], received(kit, f"{label}-{output}")) for output in expected.files}
    return {**found, "decibels": decibels, **use.found()}


def flight(kit: Kit) -> Found:
    """Several segments at once, each in a worker with a session of its own."""
    found: Found = {}
    for precision in PRECISIONS:
        for count in (1, 2, 3):
            found[f"{precision}, {count}"] = attempt(in_flight, kit, precision, count)
    return found


def in_flight(kit: Kit, precision: str, count: int) -> Found:
    names = [f"graph-{index}" for index in range(count)]
    request = {"url": f"/work/models/{precision}.onnx", "inputs": kit.results["reference"]["inputs"]}
    with kit.page() as page, Use() as use:
        for name in names:
            page.apply("/gpu/page.js", "ask", name, request)
            page.apply("/gpu/page.js", "ask", name, {"run": 1})
        seconds = page.apply("/gpu/page.js", "together", names, kit.plan.runs)
    return {"seconds": seconds / (count * kit.plan.runs), **use.found()}


def kernels(kit: Kit) -> Found:
    """Milliseconds of one run on the GPU by operator and by part of the network, from the runtime's profile."""
    return {name: attempt(profile, kit, name) for name in kit.graphs()}


def profile(kit: Kit, name: str) -> Found:
    runs = 2
    with kit.page() as page:
        inputs = kit.results["reference"]["inputs"]
        request = {"url": f"/work/models/{name}.onnx", "inputs": inputs, "profiled": True}
        page.apply("/gpu/page.js", "ask", "graph", request)
        page.apply("/gpu/page.js", "ask", "graph", {"run": runs})
        programs = page.apply("/gpu/page.js", "ask", "graph", {"profile": True})
    operators, parts = report.by_operator(programs), report.by_part(programs)
    return {
        "milliseconds": {key: value / runs for key, value in operators.most_common()},
        "parts": {key: value / runs for key, value in parts.most_common()},
    }


def engine(kit: Kit) -> Found:
    """The engine as the page has it: its start, a long song through the storage, and stems against the native ones."""
    found: Found = {}
    described = kit.model()
    for precision in PRECISIONS:
        found[precision] = attempt(whole_song, kit, described, precision)
    return found


def whole_song(kit: Kit, described: Found, precision: str) -> Found:
    with kit.page() as page, Use() as use:
        page.apply("/bench/bench.js", "openModel", described, precision, kit.plan.settings)
        page.apply("/bench/bench.js", "separate", described, precision, 8 * RATE)  # a warm-up
        took = page.apply("/bench/bench.js", "separate", described, precision, kit.plan.song * RATE)
    found = {**took, "song": kit.plan.song, **use.found()}
    with kit.page() as page:
        page.apply("/harness.js", "create", {})
        found["start"] = value(page.apply("/harness.js", "start", kit.plan.settings))
        result = page.apply("/harness.js", "separate", described, to_page(kit.mixture()), {"precision": precision})
        value(result)
    expected = np.load(kit.work / "stems.npy")
    found["decibels"] = {
        stem["name"]: snr(expected[index], np.stack([from_page(channel) for channel in stem["channels"]]))
        for index, stem in enumerate(result["stems"])
    }
    return found


def loss(kit: Kit) -> Found:
    """The GPU process is killed in mid-song: seconds until the engine goes on with another device."""
    described = kit.model()
    with kit.page() as page:
        page.apply("/harness.js", "create", {})
        settings = {**kit.plan.settings, "device": "auto"}
        value(page.apply("/harness.js", "start", settings))
        page.apply("/harness.js", "begin", described, 30, {})
        page.apply("/harness.js", "seen", "job.chunk")
        begin = time.monotonic()
        killed = page.browser.end_gpu_process()
        page.apply("/harness.js", "seen", "engine.fallback")
        fallback = time.monotonic() - begin
        events = page.apply("/harness.js", "fallbackEvents")
    return {"killed": killed, "fallback": fallback, "events": events}


STEPS: Final[dict[str, Callable[[Kit], Found]]] = {
    step.__name__: step for step in (facts, reference, graphs, engine, loss, flight, kernels)
}


def attempt(work: Callable[..., Found], *arguments: Any, **options: Any) -> Found:
    """What a part of a step finds; its failure is a finding too, and the other parts go on."""
    try:
        return work(*arguments, **options)
    except Exception:
        return {"error": traceback.format_exc()[-2000:]}


def errors(found: Found) -> list[str]:
    """The messages of what failed in a step and in its parts, without their stacks."""
    parts = {"": found, **{f"{name}: ": part for name, part in found.items() if isinstance(part, dict)}}
    failed = {name: part["error"].splitlines() for name, part in parts.items() if part.get("error")}
    return [f"{name}{[line for line in lines if not line.startswith(' ')][-1]}" for name, lines in failed.items()]


def value(outcome: Found) -> Any:
    """The value of one of the harness's outcomes."""
    if "code" in outcome:
        raise Gone(f"{outcome['code']}: {outcome['message']}")
    return outcome["value"]


def received(kit: Kit, name: str) -> Samples:
    return np.fromfile(kit.work / "sent" / f"{name}.f32", "<f4")


def snr(expected: Samples, found: Samples) -> float:
    """Signal-to-noise ratio in dB."""
    exact = expected.astype(np.float64).ravel()
    error = exact - found.astype(np.float64).ravel()
    return float(10 * np.log10(np.sum(exact**2) / max(np.sum(error**2), 1e-300)))


def to_page(samples: Samples) -> Found:
    channels = [base64.b64encode(channel.astype("<f4").tobytes()).decode() for channel in samples]
    return {"rate": RATE, "channels": channels}


def from_page(text: str) -> Samples:
    return np.frombuffer(base64.b64decode(text), "<f4")


def program() -> str:
    """The browser."""
    if own := os.environ.get("DEMIXER_GPU"):
        return own
    brought = PACKED / "browser" / "chromium-headless-shell"
    if brought.exists():
        return str(brought)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        sys.exit("error: There is no Chromium. Name one in DEMIXER_GPU.")
    return found


def run(plan: Plan, out: Path, steps: list[str]) -> dict[str, Found]:
    """Run the steps and write what they find."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "results.json"
    with tempfile.TemporaryDirectory(prefix="demixer-gpu-") as folder:
        work = Path(folder)
        places = {
            "/gpu/": Path(__file__).with_name("pages"),
            "/bench/": ROOT / "py" / "demixer_build" / "bench" / "pages",
            "/harness.js": ROOT / "tests" / "browser" / "harness.js",
            "/work/": work,
            "/src/work/": work,
            "/src/vendor/": DIST / "vendor",
            "/src/": WEB,
            "/src": DIST,  # the sources take the site's files from beside them
            "/": DIST,
        }
        if plan.jspi:
            places = {"/vendor/onnxruntime-web/": jspi(work), **places}
        kit = Kit(plan, program(), out, work)
        with served(places, work / "sent") as kit.url:
            for name in steps:
                begin = time.monotonic()
                try:
                    kit.results[name] = STEPS[name](kit)
                except Exception:  # time on a GPU is dear: the other steps go on
                    kit.results[name] = {"error": traceback.format_exc()[-2000:]}
                kit.results[name]["took"] = time.monotonic() - begin
                kept.write_text(json.dumps(kit.results, indent=1), encoding="utf-8")
                print(f"{name}: {kit.results[name]['took']:.0f} s", *errors(kit.results[name]), sep="\n  ", flush=True)
    (out / "results.md").write_text(report.table(kit.results), encoding="utf-8")
    return kit.results


def jspi(work: Path) -> Path:
    """A folder with the runtime's build for JSPI beside the one that the site has."""
    folder = work / "runtime"
    shutil.copytree(DIST / "vendor" / "onnxruntime-web", folder, ignore=shutil.ignore_patterns("*.br", "*.gz"))
    package = WEB / "node_modules" / "onnxruntime-web" / "dist"
    for name in ("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi.mjs", "ort-wasm-simd-threaded.jspi.wasm"):
        shutil.copyfile(package / name, folder / name)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.kit", description="Record the figures of this GPU.")
    parser.add_argument("-o", "--out", type=Path, default=Path(os.environ.get("OUT", "gpu")), help="folder of results")
    parser.add_argument("--smoke", action="store_true", help="small graphs, for a software driver")
    parser.add_argument("--software", action="store_true", help="on Chromium's own SwiftShader")
    parser.add_argument("--attention", choices=["products", "mha"], default="products", help="mha: measure both")
    parser.add_argument("--jspi", action="store_true", help="measure the runtime's build for JSPI too")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    given = parser.parse_args()
    plan = Plan(smoke=given.smoke, software=given.software, attention=given.attention == "mha", jspi=given.jspi)
    run(plan, given.out, given.steps)
    print((given.out / "results.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
