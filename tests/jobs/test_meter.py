"""What a job's machine is busy with, in a few words."""

from __future__ import annotations

import os
import re

import torch

from latmix.jobs.screen.meter import Meter, memory_in_use


def test_a_processor_has_its_memory_and_load_told() -> None:
    load = r"  load \d+\.\d of \d+" if hasattr(os, "getloadavg") else ""
    assert re.fullmatch(r"cpu  \d+\.\d GB" + load, Meter("cpu").text())


def test_memory_in_use_grows_with_what_is_held() -> None:
    before = memory_in_use()
    held = torch.ones(2**26)
    assert memory_in_use() - before > held.nbytes / 2
