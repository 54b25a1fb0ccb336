"""A sound server whose device is heard by nobody: browsers play only where there is a device."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journeys.drivers.process import running


@contextmanager
def silent_device(folder: Path) -> Iterator[dict[str, str]]:
    """Start the server with its files in a folder; yields the environment of a browser that uses it."""
    socket = folder / "server"
    modules = ["module-null-sink", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
    command = ["pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", *(f"--load={module}" for module in modules)]
    own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    with running(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        while not socket.exists():
            if server.poll() is not None:
                raise RuntimeError("PulseAudio did not start.")
            time.sleep(0.05)
        yield {"PULSE_SERVER": f"unix:{socket}"}
