"""The command line: `demixer separate` and `demixer models`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import tomllib
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import av
import numpy as np
import soundfile
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from demixer.audio import Clip, Samples
from demixer.errors import AudioError, Cancelled, DemixError, ModelError
from demixer.families import create
from demixer.models import Model, Precision, read_manifest
from demixer.progress import Monitor
from demixer.progress import Progress as Mark
from demixer.runtimes.native import NativeSession
from demixer.separate import separate

CHECKOUT = Path(__file__).resolve().parents[2]
MODELS = Path(os.environ.get("DEMIXER_MODELS", CHECKOUT / "dist" / "models"))

app = typer.Typer(help="Split songs into their stems.", add_completion=False, no_args_is_help=True)
console = Console(stderr=True)


@app.command("separate")
def separate_songs(
    songs: Annotated[list[Path], typer.Argument(metavar="IN…", help="Songs, in any format that FFmpeg reads.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Stems go to DIR/<song>/<stem>.wav.")],
    model_id: Annotated[str, typer.Option("--model", help="See `demixer models`.")] = "htdemucs",
    preset: Annotated[Literal["fast", "standard", "best"], typer.Option(help="Speed against quality.")] = "standard",
    precision: Annotated[Literal["default", "fp32"], typer.Option(help="Which weights to use.")] = "default",
    raw: Annotated[bool, typer.Option("--raw", help="The model's own output, not made to sum to the song.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Separate songs into stems: 32-bit float WAV at each song's rate, channels and exact length."""
    results: list[dict[str, Any]] = []
    try:
        model = find_model(model_id)
        session = open_session(model, precision)
        folders = song_folders(songs, output)
    except DemixError as error:
        results.append({"error": error.to_dict()})
        explain(error)
    else:
        for song, folder in zip(songs, folders, strict=True):
            try:
                clip = read_song(song)
                started = time.monotonic()
                with Stems(folder, model.stems, clip) as stems:
                    asyncio.run(separate_one(song.name, clip, stems, model, session, preset, raw=raw))
            except DemixError as error:
                results.append({"song": str(song), "error": error.to_dict()})
                explain(error, song)
            else:
                results.append(
                    {
                        "song": str(song),
                        "stems": {name: str(path) for name, path in stems.paths.items()},
                        "rate": clip.rate,
                        "channels": clip.channels,
                        "samples": clip.length,
                        "seconds": round(time.monotonic() - started, 3),
                    }
                )
                if not as_json:
                    print(f"{song.name}: {', '.join(model.stems)} in {folder}")
    if as_json:
        print(json.dumps({"model": model_id, "preset": preset, "songs": results}, indent=2))
    if any("error" in result for result in results):
        raise typer.Exit(2)


@app.command("models")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the models: stems, licence, size, and whether they are built."""
    models = load_models().values()
    if as_json:
        print(json.dumps([describe(model) for model in models], indent=2))
        return
    table = Table(Column("Model", no_wrap=True), "Name", "Stems", "Licence", "Weights from", "Size", "Built", box=None)
    for model in models:
        row = describe(model)
        size = f"{row['bytes'] / 1e6:.0f} MB" if row["bytes"] else "-"
        licence = model.licence.name if model.licence else "no weights"
        source = f"{model.source.registry} {model.source.package} {model.source.version}" if model.source else "-"
        built = "yes" if row["built"] else "no"
        table.add_row(model.id, model.label, ", ".join(model.stems), licence, source, size, built)
    Console().print(table)


def describe(model: Model) -> dict[str, Any]:
    """What `demixer models --json` tells of a model."""
    return {
        "id": model.id,
        "label": model.label,
        "stems": list(model.stems),
        "licence": asdict(model.licence) if model.licence else None,
        "source": asdict(model.source) if model.source else None,
        "bytes": model.artifacts["default"].bytes if model.artifacts else 0,
        "built": not model.needs_weights or bool(model.artifacts),
    }


def load_models() -> dict[str, Model]:
    """Every model: those of the built manifest, and those that the checkout describes but has not built."""
    described = (tomllib.loads(path.read_text()) for path in sorted(CHECKOUT.glob("models/*/model.toml")))
    models = {model.id: model for model in map(Model.from_dict, described)}
    manifest = MODELS / "manifest.json"
    if manifest.exists():
        models.update(read_manifest(json.loads(manifest.read_text())))
    return models


def find_model(model_id: str) -> Model:
    """The model of that id; `model/unknown` when there is none."""
    models = load_models()
    if model_id not in models:
        raise ModelError("model/unknown", f"There is no model {model_id!r}.", f"Choose from {', '.join(models)}.")
    return models[model_id]


def open_session(model: Model, precision: Precision) -> NativeSession | None:
    """Load the weights, where the model has any."""
    if not model.needs_weights:
        return None
    artifact = model.artifacts.get(precision)
    if artifact is None or not (MODELS / artifact.path).exists():
        raise ModelError(
            "model/unknown", f"Model {model.id} ({precision}) is not built.", "Run `python build.py site` first."
        )
    return NativeSession(MODELS / artifact.path)


def song_folders(songs: list[Path], output: Path) -> list[Path]:
    """A folder for each song, named after it; songs of one name are numbered, so that none is overwritten."""
    folders: list[Path] = []
    for song in songs:
        folder, number = output / song.stem, 1
        while folder in folders:
            number += 1
            folder = output / f"{song.stem} ({number})"
        folders.append(folder)
    return folders


def read_song(path: Path) -> Clip:
    """Decode a file with libsndfile, or with FFmpeg where that does not know the format.

    Raises
    ------
    AudioError
        `audio/unreadable`, `audio/empty` or `audio/unsupported`.
    """
    if not path.is_file():
        raise AudioError("audio/unreadable", "There is no such file.", "Check the path.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return Clip(np.ascontiguousarray(samples.T), rate)
    except soundfile.LibsndfileError:
        return read_with_ffmpeg(path)


def read_with_ffmpeg(path: Path) -> Clip:
    """Decode the first audio track of a file; FFmpeg itself removes an encoder's delay."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise AudioError("audio/empty", "The file holds no audio track.", "Choose a file with sound.")
            track = container.streams.audio[0]
            to_float = av.AudioResampler(format="fltp", layout=track.layout, rate=track.rate)
            frames = [out for frame in container.decode(track) for out in to_float.resample(frame)]
            frames += to_float.resample(None)
            rate = track.rate
    except av.FFmpegError as error:
        raise AudioError(
            "audio/unreadable",
            "The file cannot be decoded.",
            "Check that it plays elsewhere, or convert it to WAV or FLAC.",
        ) from error
    if not frames:
        raise AudioError("audio/empty", "The file holds no audio.", "Choose a file with sound.")
    return Clip(np.concatenate([frame.to_ndarray() for frame in frames], axis=1, dtype=np.float32), rate)


async def separate_one(
    name: str, clip: Clip, stems: Stems, model: Model, session: NativeSession | None, preset: str, *, raw: bool
) -> None:
    """Run the pipeline with a progress bar."""
    if clip.channels > 2:
        pairs = -(-clip.channels // 2)
        console.print(f"{name}: {clip.channels} channels, separated in {pairs} pairs, each as a stereo song.")
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Separating {name}")

        def report(mark: Mark) -> None:
            if mark.stage == "separate":
                bar.update(task, completed=mark.done, total=mark.total)

        family = create(model, session, clip.rate)
        await separate(clip, stems, family, model.preset(preset), raw=raw, monitor=Monitor(report))


class Stems:
    """A `Sink` that writes a WAV for each stem, under its final name only when all are complete.

    Parameters
    ----------
    folder : Path
        Made if missing.
    names : tuple of str
    clip : Clip
        Whose rate and channels the files get.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], clip: Clip) -> None:
        self.paths = {name: folder / f"{name}.wav" for name in names}
        self._folder = folder
        self._clip = clip
        self._parts = [path.with_suffix(".wav.part") for path in self.paths.values()]

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as opened:
                self._files = [opened.enter_context(self._create(part)) for part in self._parts]
                self._opened = opened.pop_all()
        except OSError as error:
            raise unwritable(error) from error
        return self

    def _create(self, part: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(part, "w", self._clip.rate, self._clip.channels, "FLOAT", format="WAV")

    async def write(self, start: int, stems: Samples) -> None:  # noqa: ARG002  (files append)
        """Append to every file."""
        for file, samples in zip(self._files, stems, strict=True):
            try:
                file.write(samples.T)
            except (OSError, soundfile.LibsndfileError) as error:
                raise unwritable(error) from error

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._opened.close()
        for part, path in zip(self._parts, self.paths.values(), strict=True):
            if failure is None:
                part.replace(path)
            else:
                part.unlink()
        if failure is not None and not any(self._folder.iterdir()):
            self._folder.rmdir()


def unwritable(error: Exception) -> DemixError:
    """The output folder refuses our files."""
    return DemixError(
        "storage/unavailable", f"The stems cannot be written: {error}", "Choose another folder with -o, or free space."
    )


def explain(error: DemixError, song: Path | None = None) -> None:
    """One line that says what happened and what to do."""
    parts = ["demixer", *([song.name] if song else []), f"{error.message} {error.hint or ''}".rstrip()]
    print(": ".join(parts), file=sys.stderr)


def main() -> None:
    """Entry point; Ctrl-C leaves no half-written stems and no traceback."""
    try:
        app()
    except KeyboardInterrupt:
        explain(Cancelled())
        sys.exit(130)
