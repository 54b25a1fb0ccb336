"""Description of the machine."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from demixer_build.bench.chromium import Launcher
from demixer_build.paths import WEB


def about(browsers: Launcher) -> dict[str, str]:
    """The machine, and the versions of everything that affects speed."""
    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {
        "processor": _processor(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "browser": f"Chromium {browsers.version()}",
        "onnxruntime": version("onnxruntime"),
        "onnxruntime-web": packages["node_modules/onnxruntime-web"]["version"],
        "pyodide": packages["node_modules/pyodide"]["version"],
        "load before": f"{psutil.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    """Name of the processor, which Python does not know on Linux."""
    linux = Path("/proc/cpuinfo")
    lines = linux.read_text(encoding="utf-8").splitlines() if linux.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
