"""What latmix changes in its process, and that a library call changes nothing."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import latmix
from latmix.process import uncollected

UNCHANGED = """
import gc, logging, os, pathlib, signal, sys, threading, warnings

# What the libraries do to a process when they are imported is not latmix's doing.
import PIL.Image, PIL.ImageCms, PIL.ImageFile, PIL.TiffImagePlugin, torch, torch.optim, torch.fft
import diffusers.models.autoencoders.autoencoder_kl, diffusers.models.unets.unet_2d_condition
import diffusers.models.transformers.transformer_sd3
import diffusers.schedulers.scheduling_dpmsolver_multistep
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging as transformers_logging
from huggingface_hub.utils import are_progress_bars_disabled

def logger_state(logger):
    return logger.level, list(logger.handlers), logger.propagate, logger.disabled

def state():
    names = ["", "PIL", "torch", "diffusers", "transformers", "huggingface_hub", "latmix"]
    return {
        "warnings": (list(warnings.filters), warnings.showwarning, warnings.formatwarning),
        "environment": dict(os.environ),
        "garbage": (gc.get_freeze_count(), gc.isenabled(), gc.get_threshold(), gc.callbacks[:]),
        "logging": [logger_state(logging.getLogger(name)) for name in names],
        "verbosity": (diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()),
        "bars": (
            diffusers_logging.is_progress_bar_enabled(),
            transformers_logging.is_progress_bar_enabled(),
            are_progress_bars_disabled(),
        ),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch": (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.mkldnn.enabled,
            torch.random.get_rng_state().tolist(),
        ),
        "hooks": (
            sys.meta_path[:], sys.path_hooks[:], sys.path[:], sys.excepthook, sys.displayhook,
            sys.unraisablehook, threading.excepthook, sys.stdout, sys.stderr,
            sys.stdout.errors, sys.getswitchinterval(), sys.getrecursionlimit(),
            {name for name, module in sys.modules.items() if module is None},
        ),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "pictures": (
            PIL.Image.MAX_IMAGE_PIXELS,
            PIL.ImageFile.LOAD_TRUNCATED_IMAGES,
            PIL.ImageFile.MAXBLOCK,
        ),
        "place": (os.getcwd(), os.umask(os.umask(0o22))),
    }

before = state()
import latmix
from latmix import demo

pictures = sorted(demo.folder("faces").glob("*.png"))[:2]
for name in ("mini", "mini-flow"):
    model = latmix.load_model(name, device="cpu")
    for solver in ("fixed-point", "belm", "null-text"):
        latents = latmix.invert(model, pictures, "a", steps=3, guidance=2, solver=solver)
        mixture = latmix.mix(latents)
        latmix.generate(model, mixture, "a", steps=3, guidance=2, solver=solver)
    latmix.generate(model, latmix.mix(latents.noise), steps=4, draft=2)

after = state()
print([name for name in before if before[name] != after[name]])
"""


def test_a_library_call_leaves_its_process_as_it_was() -> None:
    """The network is recorded on the way, as it is for users."""
    environment = os.environ | {"LATMIX_RECORD_AFTER": "2"}
    words = [sys.executable, "-c", UNCHANGED]
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]", done.stderr


PACKAGE = Path(latmix.__file__).parent

CHANGES = re.compile(
    r"gc\.(freeze|disable|enable|set_threshold)|os\.environ(\.setdefault|\.update|\[[^]]*\] =)|"
    r"signal\.signal|captureWarnings|catch_warnings|simplefilter|filterwarnings|set_num_threads|addHandler|"
    r"setLevel|disable_progress_bar|set_verbosity|os\._exit|sys\.modules\[.*\] =|\.reconfigure\("
)
GIVEN_BACK = {"images/hush.py", "models/parts.py", "models/side_by_side.py"}
"""They change something within a call, and give it back before it ends."""


def test_what_changes_the_process_is_in_one_list_that_front_ends_call() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }
    changing = {name for name, text in found.items() if CHANGES.search(text)}
    fronts = ("cli/", "tui/", "models/mini/train/", "process.py")
    assert {name for name in changing if not name.startswith(fronts)} == GIVEN_BACK
    calling = {name for name, text in found.items() if "from latmix.process import" in text}
    assert {name for name in calling if not name.startswith(fronts)} == {"jobs/imports.py"}
    importing = {name for name, text in found.items() if "from latmix.jobs.imports import" in text}
    assert all(name.startswith(("cli/", "tui/", "jobs/screen/")) for name in importing)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_meanwhile_and_leaves_what_was_made_alone(enabled: bool) -> None:
    was_enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), uncollected():
            assert not gc.isenabled()
            kept = [[] for _ in range(10_000)]
            _ = 1 / 0
        assert gc.isenabled() == enabled
        assert gc.get_freeze_count() >= frozen + len(kept)
    finally:
        gc.unfreeze()
        (gc.enable if was_enabled else gc.disable)()
