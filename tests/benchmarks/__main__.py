"""`python -m tests.benchmarks [mixing] [denoising] [store] [start] [gpu]`: without a name, all."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("mixing", "denoising", "store", "start", "gpu")

for name in sys.argv[1:] or NAMES:
    if name not in NAMES:
        sys.exit(f"{name}: it must be one of {', '.join(NAMES)}.")
    print(f"\n{name}")
    import_module(f"tests.benchmarks.{name}").main()
