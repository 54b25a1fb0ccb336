"""Fixtures: browsers of all three engines behind one interface, and what they are compared with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Protocol

import pytest

from demixer_build import browser, debian, paths
from tests.browser.host import Host, hosting
from tests.browser.visits import write_song
from tests.journeys.drivers.chromium import Chromium
from tests.journeys.drivers.driver import Driver
from tests.journeys.drivers.firefox import Firefox
from tests.journeys.drivers.webkit import WebKit
from tests.journeys.sound import silent_device

#: Shared memory, and with it threads: on in Safari, off in WebKitGTK.
SHARED: Final = {"JSC_useSharedArrayBuffer": "1"}


Native = Callable[[str, Path], Path]


class Start(Protocol):
    """Starts a browser with a storage of its own."""

    def __call__(self, *, private: bool = False) -> Driver: ...


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here as slow."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The site, on a host that can be stopped."""
    with hosting(paths.DIST) as host:
        yield host


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of browsers, with a sound device."""
    with silent_device(tmp_path_factory.mktemp("sound")) as sound:
        yield {**os.environ, **sound}


@pytest.fixture(scope="session")
def mode(request: pytest.FixtureRequest) -> str:
    """An engine in one of its modes."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def launch(mode: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, host: Host) -> Start:
    """Starts browsers of the mode, which the caller closes."""
    # Asked for here, so that they outlive the browsers.
    if mode == "chromium":
        chromium = request.getfixturevalue("browser")
    else:
        require(browser.FIREFOX if mode == "firefox" else browser.WEBKIT)
        environment = request.getfixturevalue("environment")

    def launch(*, private: bool = False) -> Driver:
        folder = tmp_path_factory.mktemp(mode)
        if mode == "chromium":
            return Chromium(folder, chromium, host.url)
        if mode == "firefox":
            return Firefox(folder, environment, private=private)
        if mode == "webkit-threads":
            return WebKit(folder, {**environment, **SHARED}, private=private)
        features = {"WebCodecsAudio": False} if mode == "webkit-no-codecs" else {}
        return WebKit(folder, environment, private=private, features=features)

    return launch


@pytest.fixture
def start(launch: Start) -> Iterator[Start]:
    """Starts browsers for one journey; anything unexpected on one is a failure."""
    started: list[Driver] = []
    with ExitStack() as opened:

        def start(*, private: bool = False) -> Driver:
            driver = launch(private=private)
            opened.callback(driver.close)
            started.append(driver)
            return driver

        yield start
        assert [problem for driver in started for problem in driver.take_problems()] == []


@pytest.fixture(scope="session")
def session_driver(launch: Start) -> Iterator[Driver]:
    """The browser of most journeys of a mode: what it has downloaded stays for the next one."""
    with closing(launch()) as driver:
        yield driver


@pytest.fixture
def driver(session_driver: Driver) -> Iterator[Driver]:
    """A browser on which anything unexpected is a failure."""
    session_driver.open("about:blank")  # ends what an earlier journey has left under way
    session_driver.take_problems()
    yield session_driver
    assert session_driver.take_problems() == []


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds: two segments of the harmonic-percussive model, and long enough to be played and looped."""
    return write_song(tmp_path_factory.mktemp("songs") / "Tide Table.wav", 10)


@pytest.fixture(scope="session")
def short_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One segment of HT-Demucs, which takes a minute in WebKitGTK."""
    return write_song(tmp_path_factory.mktemp("songs") / "Neap.wav", 5)


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """Separates a song on the command line with a model; returns the folder of its stems."""
    folder = tmp_path_factory.mktemp("native")
    command = [str(Path(sys.executable).with_name("demixer")), "separate", "--model"]

    def separate(model: str, song: Path) -> Path:
        stems = folder / model / song.stem
        if not stems.exists():
            subprocess.run([*command, model, song, "-o", stems.parent], check=True, capture_output=True)
        return stems

    return separate


def require(engine: browser.Engine) -> None:
    """Skip the test without the engine; fail it where the engine can be installed."""
    if engine.present:
        return
    if debian.can_install():
        pytest.fail(f"{engine.label} is missing: run `python build.py test`.", pytrace=False)
    pytest.skip(f"{engine.label} is missing: its tests need Debian's {', '.join(engine.packages)}.")
