"""The command line: `demixer separate`, `analyse`, `evaluate` and `models`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from demixer import analyses
from demixer.audio import Source
from demixer.errors import Cancelled, DemixError, ModelError
from demixer.evaluation import report, run, tables
from demixer.evaluation.score import METRICS, Failure, Job, Result, System
from demixer.evaluation.songs import find_songs
from demixer.families import create
from demixer.models import Model, Precision, read_manifest
from demixer.names import legal_name, song_name, unique_names
from demixer.progress import Monitor
from demixer.progress import Progress as Mark
from demixer.runtimes.cluster import cluster
from demixer.runtimes.files import Loss, open_song
from demixer.runtimes.files import read_song as read_song
from demixer.runtimes.native import NativeSession
from demixer.runtimes.writing import Stems, made_folder
from demixer.separate import separate

CHECKOUT = Path(__file__).resolve().parents[2]
MODELS = Path(os.environ.get("DEMIXER_MODELS", CHECKOUT / "dist" / "models"))

app = typer.Typer(help="Split songs into their stems.", add_completion=False, no_args_is_help=True)
console = Console(stderr=True)


@app.command("separate")
def separate_songs(
    songs: Annotated[list[Path], typer.Argument(metavar="IN…", help="Songs in any format that FFmpeg reads.")],
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
        sessions = open_sessions(model, precision)
        folders = song_folders(songs, output)
    except DemixError as error:
        results.append({"error": error.to_dict()})
        explain(error)
    else:
        for song, folder in zip(songs, folders, strict=True):
            try:
                started = time.monotonic()
                with (
                    made_folder(folder),
                    open_song(song, folder) as source,
                    Stems(folder, model.stems, source) as stems,
                ):
                    warn(song, source.loss)
                    asyncio.run(separate_one(song.name, source, stems, model, sessions, preset, raw=raw))
            except DemixError as error:
                results.append({"song": str(song), "error": error.to_dict()})
                explain(error, song)
            else:
                results.append(
                    {
                        "song": str(song),
                        "stems": {name: str(path) for name, path in stems.paths.items()},
                        "rate": source.rate,
                        "channels": source.channels,
                        "samples": source.length,
                        "missing": source.loss and source.loss._asdict(),
                        "seconds": round(time.monotonic() - started, 3),
                    }
                )
                if not as_json:
                    print(f"{song.name}: {', '.join(model.stems)} in {folder}")
    if as_json:
        print(json.dumps({"model": model_id, "preset": preset, "songs": results}, indent=2))
    if any("error" in result for result in results):
        raise typer.Exit(2)


@app.command("analyse")
def analyse_songs(
    songs: Annotated[list[Path], typer.Argument(metavar="IN…", help="Songs, in any format that FFmpeg reads.")],
    stems: Annotated[
        Path | None,
        typer.Option(
            "--stems", metavar="DIR", help="Stems in DIR/<song>/<stem>.wav, as `separate -o DIR` writes them."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a song, each on a line.")] = False,
) -> None:
    """Find the tempo, beats, key, chords and loudness of songs, more reliably with their stems."""
    failed = False
    for song, folder in zip(songs, song_folders(songs, stems or Path()), strict=True):
        try:
            with ExitStack() as opened:
                source = opened.enter_context(open_song(song))
                warn(song, source.loss)
                parts = {
                    path.stem: opened.enter_context(open_song(path))
                    for path in (sorted(folder.glob("*.wav")) if stems else [])
                }
                check_stems(source, parts, song)
                facts = {"song": str(song), **asyncio.run(analyse_one(song.name, source, parts))}
        except DemixError as error:
            failed = True
            explain(error, song)
            facts = {"song": str(song), "error": error.to_dict()}
        if as_json:
            print(json.dumps(facts))
        elif "error" not in facts:
            print(f"{song.name}: {summary(facts)}")
    if failed:
        raise typer.Exit(2)


@app.command("evaluate")
def evaluate_models(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="MUSDB18, or folders of mixture and stems.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the report goes.")],
    names: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="ID[:PRESET]", help="May be given several times. [default: htdemucs]"),
    ] = None,
    precision: Annotated[Literal["default", "fp32"], typer.Option(help="Which weights to use.")] = "default",
    raw: Annotated[bool, typer.Option("--raw", help="Measure the model's own output.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Songs at the same time.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on this Dask cluster.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Measure separation quality on songs with known stems; a second run continues the first."""
    try:
        systems = [find_system(name, precision, raw=raw) for name in names or ["htdemucs"]]
        songs = find_songs([folder.resolve() for folder in folders])
        todo = [Job(song, system, run.threads(jobs)) for system in systems for song in songs]
        outcomes = run_jobs(todo, output / "results", jobs, scheduler)
        results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
        files = report.write(results, output)
    except DemixError as error:
        explain(error)
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps(tables.as_dict(results), indent=2))
    else:
        print_summary(results)
        console.print(f"More in [bold]{files[0]}[/bold]", highlight=False)
    if len(results) < len(outcomes):
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
        source = (
            f"{model.source.registry} {model.source.package} {model.source.version}".strip() if model.source else "-"
        )
        built = "yes" if row["built"] else "no"
        table.add_row(model.id, model.label, ", ".join(model.stems), licence, source, size, built)
    Console().print(table)


def run_jobs(jobs: list[Job], kept: Path, processes: int, scheduler: str | None) -> list[run.Outcome]:
    """Run the jobs with a progress bar, and print each failure at once."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
        cluster(scheduler) if scheduler else run.processes(processes) as workers,
    ):
        task = bar.add_task("Evaluating", total=len(jobs))

        def done(outcome: run.Outcome) -> None:
            bar.advance(task)
            if isinstance(outcome, Failure):
                print(f"demixer: {outcome.song}: {outcome.error['message']}", file=sys.stderr)

        return run.run(jobs, workers, kept, done)


def print_summary(results: list[Result]) -> None:
    """Print the medians over songs as a table."""
    table = Table("Stem", "System", "Songs", *METRICS.values(), box=None)
    for row in tables.summary(results):
        medians = ("-" if value is None else f"{value:.2f}" for value in row.median.values())
        table.add_row(row.target, row.system, str(row.songs), *medians)
    Console().print(table)


def describe(model: Model) -> dict[str, Any]:
    """A model as `demixer models --json` prints it."""
    return {
        "id": model.id,
        "label": model.label,
        "stems": list(model.stems),
        "licence": asdict(model.licence) if model.licence else None,
        "source": asdict(model.source) if model.source else None,
        "bytes": sum(artifact.bytes for artifact in model.artifacts.get("default", ())),
        "built": not model.needs_weights or bool(model.artifacts),
    }


def load_models() -> dict[str, Model]:
    """All models by id: those of the built manifest, and those that the checkout describes but has not built."""
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


def find_system(name: str, precision: Precision, *, raw: bool) -> System:
    """The model and preset of a name such as `htdemucs:best`."""
    model_id, _, preset = name.partition(":")
    model = find_model(model_id)
    if preset and preset not in model.presets:
        known = ", ".join(model.presets)
        raise ModelError("model/unknown", f"Model {model_id} has no preset {preset!r}.", f"Choose from {known}.")
    return System(name, model, preset or "standard", find_weights(model, precision), raw)


def open_sessions(model: Model, precision: Precision) -> list[NativeSession]:
    """Load the model's networks."""
    return [NativeSession(weights) for weights in find_weights(model, precision)]


def find_weights(model: Model, precision: Precision) -> tuple[Path, ...]:
    """The files of the model's networks; `model/unknown` when they are not built."""
    if not model.needs_weights:
        return ()
    artifacts = model.artifacts.get(precision, ())
    if not artifacts or not all((MODELS / artifact.path).exists() for artifact in artifacts):
        raise ModelError(
            "model/unknown", f"Model {model.id} ({precision}) is not built.", "Run `python build.py site` first."
        )
    return tuple((MODELS / artifact.path).resolve() for artifact in artifacts)


def song_folders(songs: list[Path], output: Path) -> list[Path]:
    """Name a folder after each song; songs of the same name are numbered, so that none overwrites another."""
    names = (legal_name(song_name(song.name)) or "song" for song in songs)
    return [output / name for name in unique_names(names)]


async def separate_one(
    name: str,
    source: Source,
    stems: Stems,
    model: Model,
    sessions: Sequence[NativeSession],
    preset: str,
    *,
    raw: bool,
) -> None:
    """Separate a song with a progress bar."""
    if source.channels > 2:
        pairs = -(-source.channels // 2)
        console.print(f"{name}: {source.channels} channels, separated in {pairs} pairs, each as a stereo song.")
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Separating {name}")

        def report(mark: Mark) -> None:
            if mark.stage == "separate":
                bar.update(task, completed=mark.done, total=mark.total)

        family = create(model, sessions, source.rate, preset)
        ahead = max((session.ahead for session in sessions), default=0)
        await separate(
            source,
            stems,
            family,
            model.preset(preset),
            raw=raw,
            residual=model.has_residual,
            ahead=ahead,
            monitor=Monitor(report),
        )


def check_stems(song: Source, stems: Mapping[str, Source], path: Path) -> None:
    """Refuse stems whose format or length differs from the song's."""
    for name, stem in stems.items():
        if (stem.rate, stem.channels, stem.length) != (song.rate, song.channels, song.length):
            raise DemixError(
                "audio/unsupported",
                f"The stem {name!r} has another length, rate or number of channels than {path.name}.",
                "Separate the song again.",
            )


async def analyse_one(name: str, source: Source, stems: Mapping[str, Source]) -> dict[str, Any]:
    """Analyse a song with a progress bar."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Analysing {name}")
        monitor = Monitor(lambda mark: bar.update(task, completed=mark.done, total=mark.total))
        facts: dict[str, Any] = {}
        for analysis in ("music", "loudness"):
            facts |= await analyses.find(analysis)(source, stems, {}, monitor)
        return facts


def summary(facts: Mapping[str, Any]) -> str:
    """The main facts in one line, which marks those of low confidence."""

    def fact(text: str, confidence: str) -> str:
        return text if facts["confidence"][confidence] >= 0.5 else f"{text} (not sure)"

    parts = ["no steady beat found"]
    if facts["tempo"] is not None:
        parts = [fact(f"{facts['tempo']:.1f} BPM", "beats"), fact(f"{facts['metre']}/4", "downbeats")]
    parts.append(fact(facts["key"], "key") if facts["key"] else "no key found")
    parts.append("silent" if facts["loudness"] is None else f"{facts['loudness']:.1f} LUFS")
    return ", ".join(parts)


def explain(error: DemixError, song: Path | None = None) -> None:
    """Print one line with the error and its hint."""
    parts = ["demixer", *([song.name] if song else []), f"{error.message} {error.hint or ''}".rstrip()]
    print(": ".join(parts), file=sys.stderr)


def warn(song: Path, loss: Loss | None) -> None:
    """Print one line for a song of which a part is missing."""
    if not loss:
        return
    if loss.seconds and loss.seconds >= 1:
        lost = f"{length_text(loss.seconds)} of the song are missing"
    else:
        lost = "a part of the song is missing"
    print(f"demixer: {song.name}: The file is cut off or damaged: {lost}.", file=sys.stderr)


def length_text(seconds: float) -> str:
    """Minutes and seconds, such as 3:07."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def main() -> None:
    """Entry point; Ctrl-C leaves no half-written stems and no traceback."""
    try:
        app()
    except SystemExit as end:
        if end.code == 130:  # typer's status for Ctrl-C
            explain(Cancelled())
        raise
