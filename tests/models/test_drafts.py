"""Drafts: DPM-Solver++(2M) against diffusers' pipelines, a closed form, and the whole picture."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from torch import Tensor

import latmix
from latmix.jobs.screen.variants import as_drafts
from latmix.measures.likeness import psnr
from latmix.models.flow_schedule import FlowSchedule
from latmix.models.protocol import Conditioning, Model
from latmix.models.schedule import NoiseSchedule, Schedule, read_schedule
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.multistep import draft_scheduler, draft_times
from latmix.sampling.pictures import generate_batch
from latmix.sampling.settings import GenerationSettings
from latmix.sampling.solvers import SOLVERS
from latmix.sampling.solvers.solver import Task
from latmix.sampling.trajectory import Guidance
from tests.support.walks import generate

Folder = Callable[[str], Path]

DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}

TOLD = Conditioning({"text": torch.zeros(2, 1)})


class EvenFlow(DPMSolverMultistepScheduler):
    """Its levels without the shift that the pipeline of Flux asks for."""

    def set_timesteps(self, count: int, device: Any = None, mu: float | None = None) -> None:
        super().set_timesteps(count, device)


@pytest.mark.parametrize("name", ["sd15", "sd2", "sd3", "flux"])
def test_drafts_are_the_pipelines_own_with_that_scheduler(name: str, tiny_folder: Folder) -> None:
    folder = tiny_folder(name)
    model = latmix.load_model(str(folder), device="cpu")
    torch.manual_seed(0)
    noise = torch.randn(1, model.source.channels, 8, 8)
    settings = GenerationSettings(4.0, 20, "cat" if name != "flux" else "", draft=6)
    ours = drained(generate_batch(model, noise, model.condition(["heart"]), settings))
    pipeline = diffusers.DiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    told = {"prompt": ["heart"], "guidance_scale": 4.0, "height": 64, "width": 64}
    if isinstance(model.schedule, FlowSchedule):
        pipeline.scheduler = EvenFlow(prediction_type="flow_prediction", use_flow_sigmas=True)
        told["num_inference_steps"] = 6
    else:
        config = pipeline.scheduler.config
        pipeline.scheduler = DPMSolverMultistepScheduler.from_config(config)
        told["timesteps"] = draft_times(model.schedule.levels(20)[0][0], 6)
    if name == "flux":
        packed = pipeline._pack_latents(noise, 1, 16, 8, 8)
        made = pipeline(latents=packed, output_type="latent", **told).images
        theirs = pipeline._unpack_latents(made, 64, 64, 8)
    else:
        negative = {"negative_prompt": ["cat"]}
        theirs = pipeline(latents=noise, output_type="latent", **told, **negative).images
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-4


class Gaussian:
    """The exact output for data N(0.3, spread^2), at any timestep."""

    def __init__(self, schedule: NoiseSchedule, spread: Tensor) -> None:
        self.schedule, self.spread = schedule, spread

    def level(self, time: float) -> tuple[float, float]:
        if isinstance(self.schedule, Schedule):
            kept = self.schedule.alphas_cumprod[int(time)]
            return kept**0.5, (1 - kept) ** 0.5
        return 1 - time / 1000, time / 1000

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        a, s = self.level(time)
        eps = s * (state - a * 0.3) / (a * a * self.spread**2 + s * s)
        clean = (state - s * eps) / a if a else torch.full_like(state, 0.3)
        outputs = {"epsilon": eps, "v_prediction": a * eps - s * clean, "flow": eps - clean}
        return outputs[self.schedule.prediction]

    def exact(self, noise: Tensor, a: float, s: float) -> Tensor:
        return 0.3 + (noise - a * 0.3) * self.spread / (a**2 * self.spread**2 + s**2).sqrt()


@pytest.mark.parametrize(
    "config",
    [
        DIFFUSION,
        DIFFUSION | {"prediction_type": "v_prediction"},
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0},
    ],
    ids=["epsilon", "v", "flow"],
)
def test_a_draft_converges_to_the_closed_form_at_second_order(config: dict[str, object]) -> None:
    schedule = read_schedule(config)
    torch.manual_seed(1)
    noise, spread = torch.randn(2, 4, 8, 8), torch.rand(2, 4, 8, 8) + 0.2
    network, errors = Gaussian(schedule, spread), []
    for steps in (10, 20, 40):
        scheduler = draft_scheduler(schedule, 50, steps)
        task = Task(network, noise, Levels.of(schedule, 50), Guidance(TOLD))
        made = drained(SOLVERS["ddim"].draft(task, scheduler))
        exact = network.exact(noise, *network.level(float(scheduler.timesteps[0])))
        errors.append(float((made - exact).norm() / exact.norm()))
    levels = Levels.of(schedule, 10)
    euler = drained(generate(network, noise, levels, Guidance(TOLD)))
    exact = network.exact(noise, levels.a[0], levels.s[0])
    assert errors[0] < 0.25 * float((euler - exact).norm() / exact.norm())
    assert errors[2] < errors[0] / 2


def test_a_draft_starts_where_the_latents_are() -> None:
    schedule = read_schedule(DIFFUSION | {"steps_offset": 1})
    for steps in (20, 50):
        [first, *_] = draft_scheduler(schedule, steps, 8).timesteps.tolist()
        assert first == schedule.levels(steps)[0][0]
    assert draft_times(980, 4) == [980, 551, 245, 61]
    for steps in (1, 12, 60, 500, 981):
        times = draft_times(981, steps)
        assert times[0] == 981
        assert all(early > late >= 0 for early, late in itertools.pairwise(times))
    with pytest.raises(ValueError, match="at most 10 steps"):
        draft_times(10, 11)


def test_a_draft_of_few_steps_is_nearer_than_as_few_steps_of_ddim(mini: Model) -> None:
    torch.manual_seed(3)
    noise, told = torch.randn(2, *mini.source.latent_shape((64, 64))), "an emoji of a heart"
    whole = latmix.generate(mini, noise, told, guidance=1.0, steps=40)
    draft = latmix.generate(mini, noise, told, guidance=1.0, steps=40, draft=8)
    plain = latmix.generate(mini, noise, told, guidance=1.0, steps=8)
    near, far = (
        sum(psnr(*pair) for pair in zip(made, whole, strict=True)) for made in (draft, plain)
    )
    assert near > far


def test_only_a_draft_says_so_in_a_recipe() -> None:
    assert "draft" not in GenerationSettings(3.0).as_json()
    assert GenerationSettings(3.0, draft=8).as_json()["draft"] == 8
    assert as_drafts(GenerationSettings(3.0), 8) == GenerationSettings(3.0, draft=8)
    assert as_drafts(GenerationSettings(3.0, 6), 8) == GenerationSettings(3.0, 6)
    for bad in (-1, 51, 2.0, True):
        with pytest.raises(ValueError, match="a draft must have from 1 to the 50 steps"):
            GenerationSettings(3.0, draft=bad)  # type: ignore[arg-type]
