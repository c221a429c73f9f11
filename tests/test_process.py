"""Imports without the garbage collector."""

from __future__ import annotations

import gc

import pytest

from latmix.process import uncollected


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
