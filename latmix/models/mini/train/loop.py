"""The training loop of every stage: resumable, stopped by the clock, the same on CPU and GPU.

Randomness of a step depends on the seed and the step's number alone, so a resumed run repeats an
unbroken one to the bit on a CPU.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from latmix.models.mini.train.checkpoints import (
    FILE,
    parameters_of,
    read_checkpoint,
    write_checkpoint,
)
from latmix.models.mini.train.clock import Clock, Limits
from latmix.models.mini.train.dataset import Dataset
from latmix.models.mini.train.muon import optimisers_for
from latmix.models.mini.train.ranks import Ranks

Loss = Callable[[torch.Generator, int], dict[str, Tensor]]
"""The losses of a new batch of that size; "loss" is the one that is minimised."""

LAST_RATE = 0.01
"""The learning rate at the end, as a share of its peak."""


@dataclass(frozen=True)
class Plan:
    """How a stage trains. Part of its checkpoint: a run goes on as it was started.

    Attributes:
        steps: in all; 0 where they follow from `fill` once the speed is known.
        fill: seconds that training takes in all on this machine.
        batch: pictures a step and process.
        rate: peak learning rate; rises over `warmup` steps, falls as a half cosine.
        mean_decay: of the running mean of the weights.
        seed: of the first weights and of every batch.
    """

    steps: int = 0
    fill: float = 0.0
    batch: int = 64
    rate: float = 5e-4
    warmup: int = 200
    weight_decay: float = 0.01
    clip: float = 1.0
    mean_decay: float = 0.999
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 and self.fill <= 0:
            raise ValueError("plan: give a number of steps, or seconds to fill.")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done)))


@dataclass(frozen=True)
class Stage:
    """What a stage of training works with.

    Attributes:
        folder: the run's.
        limits: that end it before its plan does.
        start: an exported model folder to take the first weights from.
        compiled: let torch compile the network.
    """

    dataset: Dataset
    folder: Path
    device: torch.device
    plan: Plan
    limits: Limits
    start: Path | None = None
    compiled: bool = False


@dataclass
class Training:
    """One stage's networks on their way.

    Attributes:
        folder: of the checkpoint and the log.
        networks: trained together; already on `device`.
        made_of: what the run depends on beside its plan; a checkpoint of other things is refused.
    """

    folder: Path
    networks: Mapping[str, nn.Module]
    loss: Loss
    plan: Plan
    device: torch.device
    made_of: Mapping[str, Any] = field(default_factory=dict)
    say: Callable[[str], None] = print
    step: int = 0
    spent: float = 0.0

    def __post_init__(self) -> None:
        self.ranks = Ranks.join(self.device)
        self._parameters = parameters_of(self.networks)
        self._mean = {name: value.detach().clone() for name, value in self._parameters.items()}
        plan = self.plan
        self._optimisers = optimisers_for(
            self._parameters, plan.rate, plan.weight_decay, self.ranks
        )
        self._generator = torch.Generator(self.device)
        if (self.folder / FILE).is_file():
            self._resume()

    @property
    def is_finished(self) -> bool:
        return 0 < self.plan.steps <= self.step

    def run(self, limits: Limits) -> bool:
        """Train until the plan or a limit ends, leave a checkpoint; True where it is finished."""
        clock = Clock(self.spent, limits, self.step)
        sums: dict[str, Tensor] = {}
        is_over = self.is_finished
        while not is_over:
            losses = self._one_step(clock)
            sums = {name: value + sums.get(name, 0) for name, value in losses.items()}
            self.spent = clock.spent()
            self._make_plan(clock)
            is_over = self.is_finished or self._is_over
            if is_over or self.step % limits.log_every == 0:
                self._log(sums, clock)
                sums = {}
            if is_over or clock.wants_save():
                self._save()
        self.ranks.wait()
        return self.is_finished

    def _one_step(self, clock: Clock) -> dict[str, Tensor]:
        """One optimiser step; returns its losses, detached."""
        number = self.step * self.ranks.count + self.ranks.rank
        self._generator.manual_seed((self.plan.seed << 40) + number)
        with autocast(self.device):
            losses = self.loss(self._generator, self.plan.batch)
        torch.autograd.backward(losses["loss"])
        gradients = [p.grad for p in self._parameters.values() if p.grad is not None]
        over = clock.is_over(self.step + 1)
        self._is_over = self.ranks.average(gradients, over)
        nn.utils.clip_grad_norm_(self._parameters.values(), self.plan.clip)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.plan.rate_at(self.step)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self.plan.mean_decay, self.step / (self.step + 9))
        weights = [value.detach() for value in self._parameters.values()]
        torch._foreach_lerp_(list(self._mean.values()), weights, 1 - decay)
        return {name: value.detach() for name, value in losses.items()}

    def _make_plan(self, clock: Clock) -> None:
        """Once the warm-up is over: as many steps as fill the time, by the speed seen."""
        if self.plan.steps:
            return
        if self.step == self.plan.warmup // 2:
            _finish_queue(self.device)
            clock.mark()
        if self.step >= self.plan.warmup:
            _finish_queue(self.device)
            speed = (self.plan.warmup - self.plan.warmup // 2) / clock.since_mark()
            left = max(0.0, self.plan.fill - clock.spent())
            steps = self.step + max(1, int(0.97 * speed * left))
            if self.ranks.count > 1:
                shared = torch.tensor([steps], device=self.device)
                torch.distributed.broadcast(shared, 0)
                steps = int(shared)
            self.plan = replace(self.plan, steps=steps)
            self.say(f"{speed:.1f} steps a second: {steps} steps in all")

    def _log(self, sums: Mapping[str, Tensor], clock: Clock) -> None:
        """Add a line to the log: means since the last one. Waits for the device."""
        count = clock.steps_since_log(self.step)
        row: dict[str, float] = {"step": self.step}
        row |= {name: round(float(value) / count, 6) for name, value in sums.items()}
        self.spent = clock.spent()
        speed = count * self.plan.batch * self.ranks.count / clock.seconds_since_log()
        row |= {"rate": self.plan.rate_at(self.step - 1), "samples_per_second": round(speed, 1)}
        row |= {"samples": self.step * self.plan.batch * self.ranks.count}
        row |= {"seconds": round(self.spent, 1)}
        if not math.isfinite(row["loss"]):
            raise FloatingPointError(f"the loss is not finite at step {self.step}: lower --rate.")
        if self.ranks.is_first:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            self.say(f"step {self.step}/{self.plan.steps}  loss {row['loss']:.4f}  {speed:.0f}/s")

    def _moments(self, value: Tensor) -> dict[str, Tensor]:
        """What the optimiser of a parameter keeps of it."""
        for optimiser in self._optimisers:
            if any(value is one for group in optimiser.param_groups for one in group["params"]):
                moments: dict[str, Tensor] = optimiser.state[value]
                return moments
        raise KeyError("no optimiser trains this parameter.")

    def _save(self) -> None:
        if not self.ranks.is_first:
            return
        tensors: dict[str, Tensor] = {}
        for name, value in self._parameters.items():
            tensors[f"weights/{name}"] = value
            tensors[f"mean/{name}"] = self._mean[name]
            for kind, moment in self._moments(value).items():
                if kind != "step":
                    tensors[f"{kind}/{name}"] = moment
        samples = self.step * self.plan.batch * self.ranks.count
        state: dict[str, Any] = {"step": self.step, "spent": self.spent, "samples": samples}
        state |= {"plan": asdict(self.plan), "made_of": dict(self.made_of)}
        state |= {"processes": self.ranks.count, "device": str(self.device)}
        write_checkpoint(self.folder, tensors, state)

    def _resume(self) -> None:
        tensors, state = read_checkpoint(self.folder)
        made_of = json.loads(json.dumps(dict(self.made_of)))
        if state["made_of"] != made_of:
            raise ValueError(
                f"{self.folder} was begun with {state['made_of']}, not {made_of}: "
                "give the same options and files, or another folder."
            )
        self.plan, self.step, self.spent = Plan(**state["plan"]), state["step"], state["spent"]
        with torch.no_grad():
            for name, value in self._parameters.items():
                value.copy_(tensors[f"weights/{name}"])
                self._mean[name].copy_(tensors[f"mean/{name}"])
                moments = self._moments(value)
                for kind in ("momentum", "exp_avg", "exp_avg_sq"):
                    if f"{kind}/{name}" in tensors:
                        moments[kind] = _laid_out(tensors[f"{kind}/{name}"], value)
                if "exp_avg" in moments:
                    moments["step"] = torch.tensor(float(self.step), device=self.device)
        _cut_log(self.folder / "log.jsonl", self.step)
        self.say(f"resumed at step {self.step} of {self.plan.steps or 'a number still unknown'}")


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 for the heavy operations on a GPU, float32 throughout on a CPU."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def _laid_out(moment: Tensor, like: Tensor) -> Tensor:
    """A moment in its parameter's memory layout, which the fused optimiser takes for granted."""
    return torch.empty_like(like).copy_(moment)


def _finish_queue(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _cut_log(path: Path, step: int) -> None:
    """Drop lines that a killed run wrote after its last checkpoint."""
    if path.is_file():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))
