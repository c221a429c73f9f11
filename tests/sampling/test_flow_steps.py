"""Solvers of rectified flows: midpoint steps, against closed forms and on a small SD 3."""

from __future__ import annotations

import itertools

import pytest
import torch

from latmix.sampling.generators import drained
from latmix.sampling.trajectory import Guidance
from tests.support.closed_form import data, flow_levels, network, relative, smooth_levels, told
from tests.support.walks import generate, invert


@pytest.mark.parametrize("solver", ["midpoint", "fireflow"])
def test_midpoint_steps_converge_at_second_order(solver: str) -> None:
    """Each way and there and back."""
    errors = []
    for steps in (40, 80, 160, 320):
        levels = flow_levels(steps)
        net, guidance = network(levels), Guidance(told(3))
        clean = data(net)
        exact = net.exact_noise(clean)
        found = drained(invert(net, clean, levels, guidance, solver))
        made = drained(generate(net, exact, levels, guidance, solver))
        again = drained(generate(net, found, levels, guidance, solver))
        errors.append([relative(found, exact), relative(made, clean), relative(again, clean)])
    pairs = itertools.pairwise(torch.tensor(errors, dtype=torch.float64))
    ratios = torch.stack([before / after for before, after in pairs])
    assert float(ratios.min()) > 3.6, errors
    assert max(errors[-1]) < 1e-3


@pytest.mark.parametrize(("solver", "calls"), [("midpoint", 20), ("fireflow", 11)])
def test_midpoint_steps_cost_what_the_table_says(solver: str, calls: int) -> None:
    levels = flow_levels(10)
    net = network(levels)
    for walk in (
        invert(net, data(net), levels, Guidance(told(3)), solver),
        generate(net, data(net), levels, Guidance(told(3)), solver),
    ):
        assert sum(step.calls for step in walk) == calls


def test_midpoint_steps_are_for_flows() -> None:
    levels = smooth_levels(4, "epsilon")
    net = network(levels)
    with pytest.raises(ValueError, match="midpoint is for flows"):
        drained(invert(net, data(net), levels, Guidance(told(3)), "midpoint"))
