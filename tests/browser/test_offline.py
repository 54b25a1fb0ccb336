"""The page with no server behind it, and on hosts that send no headers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from demixer_build import paths
from demixer_build.headers import headers_for
from tests.browser.deployments import deployment
from tests.browser.engines import threads
from tests.browser.host import Host, hosting
from tests.browser.visits import (
    Visit,
    begin,
    choose,
    download,
    drop,
    installed,
    kept,
    model,
    prepare,
    ready,
    write_song,
)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "A song.wav")


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting(paths.DIST) as host:
        yield host


@pytest.mark.parametrize(
    ("label", "stems"),
    [
        ("Spleeter", ["Vocals", "Accompaniment"]),
        pytest.param("HT-Demucs", ["Drums", "Bass", "Other", "Vocals"], marks=pytest.mark.slow),
    ],
)
def test_a_separation_with_the_server_gone_and_the_browser_restarted(
    host: Host, visit: Visit, song: Path, tmp_path: Path, label: str, stems: list[str]
) -> None:
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        model(page, label)
        expect(ready(page)).to_have_count(0)
        prepare(page, timeout=180_000)
    host.stop()
    host.asked.clear()

    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        expect(ready(page)).to_be_visible()
        assert page.evaluate("crossOriginIsolated")
        choose(page, song)
        begin(page)
        found = [soundfile.read(download(page, stem, tmp_path, timeout=300_000), dtype="float32")[0] for stem in stems]
    mixture, _ = soundfile.read(song, dtype="float32")
    np.testing.assert_allclose(np.sum(found, axis=0), mixture, rtol=0, atol=1e-4)
    host.start()


def test_a_device_is_checked_with_the_server_gone(host: Host, visit: Visit) -> None:
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        model(page, "Harmonic")
        prepare(page)
        host.stop()
        page.reload()
        page.get_by_role("button", name="About").click()
        about = page.get_by_role("dialog", name="About")
        about.get_by_role("button", name="Check this device").click()
        expect(about.get_by_role("status")).to_contain_text("matches the reference on this device", timeout=120_000)
    host.start()


def test_ready_is_said_only_while_everything_is_there(visit: Visit, tmp_path: Path) -> None:
    with hosting(deployment(tmp_path)) as host, visit() as context, context.new_page() as page:
        page.goto(host.url)
        model(page, "Echo")
        prepare(page)
        model(page, "Spleeter")  # its weights are not here
        expect(ready(page)).to_have_count(0)
        model(page, "Echo")
        expect(ready(page)).to_be_visible()

        host.stop()
        for part in ("/assets/decode-worker-", "numpy-", echo_digest(page)):
            assert drop(page, part) == 1
            page.reload()
            installed(page)
            expect(ready(page)).to_have_count(0)
        host.start()
        page.reload()
        prepare(page)


def echo_digest(page: Page) -> str:
    (url,) = [url for url in kept(page) if "/models/" in url and "." not in url.rsplit("/", 1)[1]]
    return url.rsplit("/", 1)[1]


def test_caches_deleted_between_visits_come_back(host: Host, visit: Visit, song: Path, tmp_path: Path) -> None:
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        model(page, "Harmonic")
        prepare(page)
        # Readiness does not depend on the song of the device check, which returns when it is asked for.
        before = {url for url in kept(page) if "/check/" not in url}
        drop(page, "/")
        assert kept(page) == []
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        expect(ready(page)).to_be_visible(timeout=30_000)
        assert set(kept(page)) == before
        choose(page, song)
        begin(page)
        download(page, "Harmonic", tmp_path)


def test_what_is_used_once_is_kept(host: Host, visit: Visit, song: Path, tmp_path: Path) -> None:
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        model(page, "Harmonic")
        choose(page, song)
        begin(page)
        download(page, "Harmonic", tmp_path)
        expect(ready(page)).to_be_visible()
        ours = [url for url in kept(page) if "onnxruntime-web" in url]
        assert ours
        assert not [url for url in ours if "webgpu" in url or "asyncify" in url]  # the other variant is not needed


def test_a_permission_that_is_never_given_holds_nothing_up(visit: Visit, song: Path, tmp_path: Path) -> None:
    with hosting(deployment(tmp_path)) as host, visit() as context, context.new_page() as page:
        pending = "StorageManager.prototype.persist = () => { asked = true; return new Promise(() => {}); }"
        page.add_init_script(f"asked = false; {pending}")
        page.goto(host.url)
        model(page, "Echo")
        installed(page)
        assert not page.evaluate("asked")  # only a click may ask
        prepare(page)
        assert page.evaluate("asked")
        page.get_by_role("button", name="Storage").click()
        page.get_by_role("button", name="Remove Echo").click()
        expect(page.get_by_role("button", name="Download Echo")).to_be_visible()
        page.keyboard.press("Escape")
        choose(page, song)
        begin(page)
        download(page, "Vocals", tmp_path)
        expect(ready(page)).to_be_visible()


#: A service worker that comes late, and the time at which it takes control.
LATE: Final = """
const { serviceWorker } = navigator;
const { register } = serviceWorker;
serviceWorker.register = async (...given) => {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return register.apply(serviceWorker, given);
};
serviceWorker.addEventListener("controllerchange", () => {
  self.controlled = performance.now();
});
"""


def test_no_worker_loads_while_the_service_worker_takes_control(host: Host, visit: Visit, song: Path) -> None:
    """In Firefox, its requests could get lost."""
    with visit() as context, context.new_page() as page:
        page.add_init_script(LATE)
        page.goto(host.url)
        model(page, "Harmonic")
        choose(page, song)
        begin(page)
        expect(page.get_by_role("region", name="Stems of A song")).to_be_visible(timeout=120_000)
        controlled, loaded = page.evaluate("""() => [self.controlled, performance.getEntriesByType("resource")
          .filter(({ name }) => /-worker-/.test(name)).map(({ startTime }) => startTime)]""")
        assert len(loaded) >= 2
        assert min(loaded) >= controlled


def test_a_host_without_headers(browser: Browser, song: Path, tmp_path: Path) -> None:
    with hosting(paths.DIST, headers=False) as host, browser.new_context(service_workers="allow") as context:
        page = context.new_page()
        page.goto(host.url)
        model(page, "Harmonic")
        assert not page.evaluate("crossOriginIsolated")
        choose(page, song)
        begin(page)
        download(page, "Harmonic", tmp_path)
        expect(page.locator("engine-line")).to_contain_text("1 thread, not isolated")
        engine = urlsplit(threads(page, "engine/worker")[0].url).path

        page.get_by_role("button", name="Reload", exact=True).click()
        expect(page.get_by_role("button", name="Choose songs")).to_be_visible()
        assert page.evaluate("crossOriginIsolated")
        expect(page.get_by_role("button", name="Reload", exact=True)).to_have_count(0)
        for path in ("/", engine, "/vendor/pyodide/pyodide.mjs"):
            sent = page.evaluate("async (path) => Object.fromEntries((await fetch(path)).headers)", path)
            assert {name: sent.get(name.lower()) for name in headers_for(path)} == headers_for(path)
        choose(page, song)
        begin(page)
        download(page, "Harmonic", tmp_path)
        if page.evaluate("navigator.hardwareConcurrency") > 1:
            expect(page.locator("engine-line")).to_contain_text(
                re.compile(r"^WASM, \d+ threads?, (measured .+, )?isolated")
            )


#: The pictures that the manifest names, with the sizes that it states and those that they have.
PICTURES: Final = """async () => {
  const { icons, screenshots } = await (await fetch("app.webmanifest")).json();
  const pictures = [...icons, ...screenshots].filter(({ sizes }) => sizes !== "any");
  const found = await Promise.all(pictures.map(async ({ src }) => {
    const picture = await fetch(src);
    const { width, height } = await createImageBitmap(await picture.blob());
    return [src, picture.headers.get("content-type"), `${width}x${height}`];
  }));
  return [pictures.map(({ src, type, sizes }) => [src, type, sizes]), found];
}"""


def test_chromium_would_install_it(host: Host, visit: Visit) -> None:
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        installed(page)
        devtools = context.new_cdp_session(page)
        assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert manifest["url"] == f"{host.url}/app.webmanifest"
        stated, found = page.evaluate(PICTURES)
        assert found == stated
        assert len(stated) >= 5


def test_a_song_shared_to_the_app_is_in_the_queue_and_was_sent_nowhere(host: Host, visit: Visit, song: Path) -> None:
    share = """async (text) => {
      const form = new FormData();
      form.append("songs", new File([Uint8Array.fromBase64(text)], "Geteiltes Lied.wav", { type: "audio/wav" }));
      await fetch("./share", { method: "POST", body: form });
    }"""
    with visit() as context, context.new_page() as page:
        page.goto(host.url)
        installed(page)
        page.evaluate(share, base64.b64encode(song.read_bytes()).decode())
        page.reload()
        expect(page.get_by_role("heading", name="Geteiltes Lied")).to_be_visible()
        assert not [url for url in kept(page) if "shared" in url]
        assert "POST" not in {asked.method for asked in host.asked}


def test_a_song_opened_with_the_app_is_in_the_queue(host: Host, visit: Visit, song: Path) -> None:
    queue = """globalThis.launchQueue = { setConsumer: (consumer) => { globalThis.launch = (text) =>
      consumer({ files: [{ getFile: async () => new File([Uint8Array.fromBase64(text)], "Opened.wav") }] }) } }"""
    with visit() as context, context.new_page() as page:
        page.add_init_script(f"Object.defineProperty(window, 'launchQueue', {{ writable: true }}); {queue}")
        page.goto(host.url)
        page.wait_for_function("() => globalThis.launch")  # the page has asked for what it is opened with
        page.evaluate("(text) => launch(text)", base64.b64encode(song.read_bytes()).decode())
        expect(page.get_by_role("heading", name="Opened")).to_be_visible()
