"""Training on several processes: one, unless started by `torchrun`, which sets the environment.

Two one-thread processes that average their gradients are the fastest way to use two busy cores.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """This process among `count`; `rank` 0 is the one that writes."""

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Ranks:
        """Meet the other processes of `torchrun`, if there are any."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(distributed.get_rank(), count)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average(self, gradients: Sequence[Tensor], is_over: bool) -> bool:
        """Replace gradients by their mean over the processes; True once any of them is over."""
        if self.count == 1:
            return is_over
        flag = torch.tensor([float(is_over)], device=gradients[0].device)
        self.add([*gradients, flag])
        for gradient in gradients:
            gradient /= self.count
        return bool(flag > 0)

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their sums over the processes, in one exchange."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def own(self, costs: Sequence[float]) -> set[int]:
        """Which of so many tasks are this process's, so that each process has a fair share."""
        dearest_first = sorted(range(len(costs)), key=lambda index: -costs[index])
        return set(dearest_first[self.rank :: self.count])

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()


ALONE = Ranks()
