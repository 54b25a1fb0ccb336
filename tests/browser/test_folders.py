"""Folders that are dropped or chosen give their songs, in the order of their albums; a link says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.encoders import by_libsndfile

SONG: Final = by_libsndfile(np.zeros((1, 4_410), np.float32), 44_100, "WAV")

#: Folders as entries of a drop, which come a hundred at a time; `tags` by file stand for those that the worker reads.
DROPPED: Final = """async ([tree, tags]) => {
  const { droppedFiles } = await import("/src/platform/dropped-files.js");
  const { songsAmong } = await import("/src/app/song-files.js");
  const entry = (name, content, path = `/${name}`) => {
    if (content === null) {
      const file = (take) => take(new File([], name));
      return { name, fullPath: path, isFile: true, isDirectory: false, file };
    }
    const entries = Object.entries(content).map(([each, inner]) => entry(each, inner, `${path}/${each}`));
    const createReader = () => ({ readEntries: (take) => take(entries.splice(0, 100)) });
    return { name, fullPath: path, isFile: false, isDirectory: true, createReader };
  };
  const items = Object.entries(tree).map(([name, content]) => ({
    kind: "file", webkitGetAsEntry: () => entry(name, content), getAsFile: () => content ?? new File([], name),
  }));
  const found = await droppedFiles({ items });
  const { files, passedOver } = await songsAmong(found, async (songs) => songs.map(({ name }) => tags[name] ?? {}));
  return [files.map(({ name }) => name), passedOver];
}"""


def dropped(page: Page, tree: dict[str, Any], tags: dict[str, Any] | None = None) -> tuple[list[str], int]:
    names, passed_over = page.evaluate(DROPPED, [tree, tags or {}])
    return names, passed_over


@pytest.fixture
def modules(page: Page) -> Page:
    """An origin from which the page's modules can be imported."""
    page.goto("/")
    return page


def test_a_folder_gives_its_songs_in_the_order_of_its_albums(modules: Page) -> None:
    hidden = {".DS_Store": None, "__MACOSX": {"x.mp3": None}, "._a.mp3": None, ".git": {"y.mp3": None}}
    album = {
        "CD 10": {"1.mp3": None},
        "CD 2": {"10.mp3": None, "9.mp3": None},
        "cover.jpg": None,
        "list.m3u8": None,
        "bonus.flac": None,
    }
    names = ["bonus.flac", "9.mp3", "10.mp3", "1.mp3"]
    assert dropped(modules, {"Album": {**album, **hidden}}) == (names, 2)
    many = {f"{number}.wav": None for number in range(250)}
    assert dropped(modules, {"Many": many}) == (list(many), 0)
    tags = {
        "c.mp3": {"album": "A", "trackNumber": 1},
        "b.mp3": {"album": "A", "trackNumber": 2},
        "d.mp3": {"album": "A", "trackNumber": 1, "discNumber": 2},
        "a.mp3": {"album": "A"},
    }
    flat = dict.fromkeys(sorted(tags))
    assert dropped(modules, {"Album": flat}, tags) == (["c.mp3", "b.mp3", "a.mp3", "d.mp3"], 0)
    tags["a.mp3"] = {"album": "B", "trackNumber": 9}
    assert dropped(modules, {"Singles": flat}, tags) == (sorted(tags), 0)
    # What was dropped by itself counts as a song: its error says why it is none.
    assert dropped(modules, {"z.txt": None, "a.mp3": None, "Empty": {}}) == (["z.txt", "a.mp3"], 0)


def test_a_folder_is_chosen_by_keyboard_and_a_link_says_what_to_do(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "Album"
    folder.mkdir()
    for name in ("2 Ebb.wav", "10 Flood.wav"):
        (folder / name).write_bytes(SONG)
    (folder / "cover.jpg").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    page.goto("/")
    expect(page.get_by_role("radio", name="Spleeter")).to_be_visible()  # the page listens by then
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.setData("text/uri-list", "https://example.org/song.mp3");
          document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }"""
    )
    expect(page.locator(".drop-notice")).to_contain_text("A link cannot be opened here")
    page.get_by_role("button", name="Choose songs").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(folder)
    songs = page.get_by_role("list", name="Songs").locator(".song-name")
    expect(songs).to_have_text(["2 Ebb", "10 Flood"])
    expect(page.locator(".drop-notice")).to_have_text("1 other file was passed over.")
