"""What a job has of its machine: the device's name, memory in use, and how busy it is.

Whatever the system does not tell is left out.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 1.0
"""Least time between two looks at the machine."""

GIGA = 1e9


@dataclass
class Meter:
    """Reads off a device that jobs run on, as torch names it, once a second at most."""

    device: str
    _told: str = field(default="", init=False)
    _due: float = field(default=0.0, init=False)

    def text(self) -> str:
        """Name, memory and load in a few words, such as "cpu  0.7 GB  load 1.9 of 2"."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + SECONDS
            parts = _cuda(self.device) if self.device.startswith("cuda") else _other(self.device)
            self._told = "  ".join(parts)
        return self._told


def _cuda(device: str) -> list[str]:
    import torch

    parts = [torch.cuda.get_device_name(device)]
    free, total = torch.cuda.mem_get_info(device)
    parts.append(f"{(total - free) / GIGA:.1f} of {total / GIGA:.0f} GB")
    # Needs nvidia-ml-py, and a driver that tells.
    with suppress(ImportError, RuntimeError, OSError):
        parts.append(f"{torch.cuda.utilization(device)}% busy")
    return parts


def _other(device: str) -> list[str]:
    parts = [device]
    if memory := memory_in_use():
        parts.append(f"{memory / GIGA:.1f} GB")
    with suppress(AttributeError, OSError):  # Windows has no load average
        parts.append(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count() or 1}")
    return parts


def memory_in_use() -> int:
    """Bytes of memory that the process holds; where that is not told, the most it has held."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
