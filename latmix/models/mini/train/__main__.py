"""`python -m latmix.models.mini.train STAGE --folder FOLDER`; the README lists the stages.

Exit: 0 the stage is finished, 1 an error the message explains, 2 usage, 3 stopped by a limit with a
checkpoint: the same command goes on.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from latmix.process import hide_bars, prepare, quiet_logs

DATASET = "dataset.zip"
STOPPED = 3

# Sizes of the published models.
VAE: dict[str, Any] = {"channels": [24, 48, 96], "latent_channels": 4, "layers": 1}
DENOISER: dict[str, Any] = {"channels": [48, 80, 128], "width": 128, "text_layers": 2}
TRANSFORMER: dict[str, Any] = {"width": 128, "layers": 5, "text_width": 64, "text_layers": 2}


def main(arguments: list[str] | None = None) -> int:
    """Run one stage."""
    options = _parser().parse_args(arguments)
    prepare()
    quiet_logs()
    hide_bars()
    try:
        return STAGES[options.stage](options)
    except (ValueError, FileNotFoundError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _demo(options: argparse.Namespace) -> int:
    from latmix.models.mini.train.demo import build

    sizes = build()
    for folder in sorted({Path(picture).parent.name for picture in sizes}):
        own = [size for picture, size in sizes.items() if picture.startswith(f"{folder}/")]
        print(f"{folder}: {len(own)} pictures, {sum(own):,} bytes")
    print(f"together: {len(sizes)} pictures, {sum(sizes.values()):,} bytes")
    return 0


def _data(options: argparse.Namespace) -> int:
    from latmix.models.mini.train.artwork import build_dataset

    path = options.run / DATASET
    pictures = build_dataset(path)
    held_out = sum(picture.held_out == "yes" for picture in pictures)
    size = path.stat().st_size
    print(f"{len(pictures)} pictures, {held_out} of them held out, {size:,} bytes in {path}")
    return 0


def _vae(options: argparse.Namespace) -> int:
    from latmix.models.mini.train import autoencoder

    stage = _stage(options, autoencoder.PLANS)
    sizes = _sizes(options, VAE)
    more = {"measured": options.measured, "whiten": options.whiten}
    return _told(autoencoder.train_autoencoder(stage, **sizes, **more))


def _latents(options: argparse.Namespace) -> int:
    from latmix.models.mini.train.latents import cache_latents

    device = _device(options)
    passes = options.passes or (64 if device.type == "cuda" else 16)
    seconds = options.seconds or math.inf
    return _told(cache_latents(_dataset(options), options.run, passes, device, seconds))


def _denoiser(options: argparse.Namespace) -> int:
    from latmix.models.mini.train import denoiser

    stage = _stage(options, denoiser.PLANS)
    return _told(denoiser.train_denoiser(stage, _sizes(options, DENOISER)))


def _flow(options: argparse.Namespace) -> int:
    from latmix.models.mini.train import denoiser

    stage = _stage(options, denoiser.FLOW_PLANS)
    return _told(denoiser.train_flow(stage, _sizes(options, TRANSFORMER)))


def _export(options: argparse.Namespace) -> int:
    from latmix.models.mini.train.export import export

    written = export(options.kind, _dataset(options), options.run, options.out)
    print(f"{written:,} bytes in {options.out}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from latmix.models.mini.train.evaluate import PARTS, Scope, evaluate

    unknown = set(options.parts or ()) - set(PARTS)
    if unknown:
        raise ValueError(f"--parts are {', '.join(PARTS)}; not {', '.join(sorted(unknown))}.")
    _device(options)
    names = ("pictures", "pool", "draws", "steps", "prompts")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    scope = replace(Scope.quick() if options.quick else Scope(), **given)
    scope = replace(
        scope,
        categories=tuple(options.categories or scope.categories),
        parts=tuple(options.parts or scope.parts),
    )
    report = evaluate(options.model, _dataset(options), scope, options.device, options.out)
    print(report)
    return 0


STAGES = {
    "demo": _demo,
    "data": _data,
    "vae": _vae,
    "latents": _latents,
    "denoiser": _denoiser,
    "flow": _flow,
    "export": _export,
    "evaluate": _evaluate,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m latmix.models.mini.train")
    stages = parser.add_subparsers(dest="stage", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--folder", dest="run", type=Path, default=Path("build/mini"), help="folder of the run"
    )
    common.add_argument("--dataset", type=Path, help=f"default: {DATASET} in the run's folder")
    common.add_argument("--device", default="auto", help="auto, cpu or cuda")
    common.add_argument("--threads", type=int, default=1, help="of one process, on a CPU")
    stages.add_parser("demo", help="fetch the artwork, make latmix's demo pictures again")
    stages.add_parser("data", parents=[common], help="fetch the artwork, write the data set")
    for name in ("vae", "denoiser", "flow"):
        _add_training(stages.add_parser(name, parents=[common], help=f"train the {name}"), name)
    latents = stages.add_parser("latents", parents=[common], help="encode the data set")
    latents.add_argument("--passes", type=int, help="over the data set: 16 on a CPU, else 64")
    latents.add_argument("--seconds", type=float, help="stop after this time; go on later")
    export = stages.add_parser("export", parents=[common], help="write a pipeline folder")
    export.add_argument("kind", choices=("mini", "mini-flow"))
    export.add_argument("out", type=Path)
    _add_evaluation(stages.add_parser("evaluate", parents=[common], help="measure a folder"))
    return parser


def _add_training(parser: argparse.ArgumentParser, stage: str) -> None:
    parser.add_argument("--seconds", type=float, help="stop this run after so long")
    parser.add_argument("--stop-after", type=int, help="stop this run after so many steps")
    parser.add_argument("--steps", type=int, help="of the whole training")
    parser.add_argument("--fill", type=float, help="seconds of training from which steps follow")
    parser.add_argument("--batch", type=int, help="pictures a step and process")
    parser.add_argument("--rate", type=float, help="peak learning rate")
    parser.add_argument("--warmup", type=int, help="steps in which the rate rises")
    parser.add_argument("--seed", type=int)
    parser.add_argument(
        "--from", dest="start", type=Path, help="exported folder to take first weights from"
    )
    parser.add_argument("--log-every", type=int, default=50, help="steps")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    if stage == "vae":
        parser.add_argument("--measured", type=int, default=2048, help="pictures for the scales")
        parser.add_argument("--whiten", action="store_true", help="make the channels uncorrelated")
    sizes = {"vae": VAE, "denoiser": DENOISER, "flow": TRANSFORMER}[stage]
    for name, default in sizes.items():
        many = "+" if isinstance(default, list) else None
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, nargs=many, help=f"default: {default}"
        )


def _add_evaluation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="an exported folder, or mini: the built-in model")
    parser.add_argument("--out", type=Path, help="folder for contact sheets and evaluation.json")
    parser.add_argument("--quick", action="store_true", help="fewer pictures and draws")
    parser.add_argument("--parts", nargs="+", help="of it: reconstruction samples centroids timing")
    parser.add_argument("--pictures", type=int, help="held-out pictures")
    parser.add_argument("--pool", type=int, help="pictures of a category to draw from")
    parser.add_argument("--draws", type=int, help="random draws that are generated")
    parser.add_argument("--steps", type=int, help="of a trajectory")
    parser.add_argument("--prompts", type=int, help="of the contact sheet")
    parser.add_argument("--categories", nargs="+", help="that are mixed: face animal")


def _device(options: argparse.Namespace) -> Any:
    import torch

    name = options.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
    else:
        torch.set_num_threads(options.threads)
    return torch.device(name)


def _dataset(options: argparse.Namespace) -> Any:
    from latmix.models.mini.train.dataset import read_dataset

    return read_dataset(Path(options.dataset or options.run / DATASET))


def _stage(options: argparse.Namespace, plans: dict[str, Any]) -> Any:
    """What a stage of training works with, by the plan for its device."""
    from latmix.models.mini.train.clock import Limits
    from latmix.models.mini.train.loop import Stage

    device = _device(options)
    names = ("steps", "fill", "batch", "rate", "warmup", "seed")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if "fill" in given:
        given.setdefault("steps", 0)
    plan = replace(plans[device.type], **given)
    limits = Limits(
        seconds=options.seconds or math.inf,
        steps=options.stop_after or math.inf,
        log_every=options.log_every,
    )
    more = {"start": options.start, "compiled": options.compile}
    return Stage(_dataset(options), options.run, device, plan, limits, **more)


def _sizes(options: argparse.Namespace, default: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(options, name) or value for name, value in default.items()}


def _told(finished: bool) -> int:
    print("finished" if finished else "stopped with a checkpoint: the same command goes on")
    return 0 if finished else STOPPED


if __name__ == "__main__":
    sys.exit(main())
