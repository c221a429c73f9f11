"""Where the parts of a model are while others work: all on the device, or only what is needed.

`model`: a part comes to the device when it is used, and the one before goes back to memory; costs
a copy for each change. `sequential`: every layer comes alone, by accelerate; slow, and the least.
"""

from __future__ import annotations

from collections import UserDict
from typing import Any

import torch

OFFLOADS = ("none", "model", "sequential")


class Residence(UserDict[str, Any]):
    """The networks of a model by part; one that is looked up can be used on the device."""

    def __init__(self, device: torch.device, offload: str = "none") -> None:
        """Raises: ValueError: an unknown way to offload."""
        if offload not in OFFLOADS:
            raise ValueError(f"offload must be one of {', '.join(OFFLOADS)}, not {offload!r}.")
        super().__init__()
        self._device, self.offload = device, offload
        self._guest = ""

    def take(self, part: str, network: Any) -> None:
        """A network that has just been loaded, on the CPU."""
        self.data[part] = network.to(self._device) if self.offload == "none" else network

    def settle(self) -> None:
        """All networks are there, as they will stay."""
        if self.offload != "sequential":
            return
        from accelerate import cpu_offload

        for network in self.data.values():
            cpu_offload(network, self._device, offload_buffers=bool(network._parameters))

    def __getitem__(self, part: str) -> Any:
        """The network of a part, which can be used on the device now."""
        network = self.data[part]
        if self.offload == "model" and part != self._guest:
            if self._guest:
                self.data[self._guest].to("cpu")
            network.to(self._device)
            self._guest = part
        return network
