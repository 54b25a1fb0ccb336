"""Windows in which nothing can be stored: everything works from memory, and the page says so."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.engines import change
from tests.browser.test_page import SOON, choose, desk_of, download, read, separate, write_song

#: Browsers without storage, and those whose storage only looks usable.
LACKING: Final = {
    "no storage": "Object.defineProperty(navigator, 'storage', { value: undefined })",
    "refused": "StorageManager.prototype.getDirectory = async () => { throw new DOMException('', 'SecurityError') }",
    "no access handles": "delete FileSystemFileHandle.prototype.createSyncAccessHandle",
    "nothing stays": """if (globalThis.FileSystemSyncAccessHandle)
      FileSystemSyncAccessHandle.prototype.write = ({ byteLength }) => byteLength""",
}


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", seconds=4)


@pytest.mark.parametrize("lacking", LACKING)
def test_the_journey_works_from_memory_and_the_page_says_so(
    page: Page, song: Path, tmp_path: Path, lacking: str
) -> None:
    change(page, f"{LACKING[lacking]}; delete globalThis.showSaveFilePicker")
    page.goto("/")
    told = page.get_by_role("status").filter(has_text="This window keeps nothing")
    expect(page.get_by_role("button", name="Choose songs")).to_be_visible()
    expect(told).to_have_count(0)

    choose(page, song)
    expect(told).to_be_visible(timeout=SOON)
    separate(page)
    desk = desk_of(page, song)
    desk.get_by_role("button", name="Play").click()
    expect(desk.get_by_role("slider", name="Position")).not_to_have_value("0")

    path = tmp_path / "stems.zip"
    assert download(desk.get_by_role("button", name="Download all"), path) == "Tide Table - stems.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        stems = [read(Path(archive.extract(name, tmp_path)))[0] for name in archive.namelist()]
    assert len(stems) == 2
    assert np.abs(sum(stems) - read(song)[0]).max() <= 1e-4
    expect(page.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)
