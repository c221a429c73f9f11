"""`python -m tests.benchmarks NAME ...`; without a name, all (`NAMES`)."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("mixing", "calls", "denoising", "store", "memory", "start", "screen", "gpu")

for name in sys.argv[1:] or NAMES:
    if name not in NAMES:
        sys.exit(f"{name}: it must be one of {', '.join(NAMES)}.")
    print(f"\n{name}")
    import_module(f"tests.benchmarks.{name}").main()
