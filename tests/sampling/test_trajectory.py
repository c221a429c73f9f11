"""The integrator against closed forms, against diffusers' scheduler, and against itself."""

from __future__ import annotations

import itertools
from itertools import islice

import pytest
import torch
from torch import Tensor

from latmix.models.protocol import Conditioning, Model
from latmix.models.schedule import Schedule
from latmix.sampling.fixed_point import solving
from latmix.sampling.generators import drained
from latmix.sampling.levels import Levels
from latmix.sampling.trajectory import Call, Guidance, Step
from tests.support.closed_form import data, flow_levels, network, relative, smooth_levels, told
from tests.support.walks import generate, invert

SD15 = {
    "_class_name": "DDIMScheduler",
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


GRIDS = [
    lambda steps: smooth_levels(steps, "epsilon"),
    lambda steps: smooth_levels(steps, "v_prediction"),
    flow_levels,
]


@pytest.mark.parametrize("grid", GRIDS, ids=["epsilon", "v_prediction", "flow"])
@pytest.mark.parametrize("solver", ["ddim", "fixed-point"])
def test_inversion_converges_at_first_order(grid: object, solver: str) -> None:
    """Halving the step halves the error against the exact trajectory: both are Euler's method."""
    errors = []
    for steps in (40, 80, 160, 320):
        levels = grid(steps)  # type: ignore[operator]
        net = network(levels)
        clean = data(net)
        found = drained(invert(net, clean, levels, Guidance(told(3)), solver, 1e-12))
        errors.append(relative(found, net.exact_noise(clean)))
    ratios = [before / after for before, after in itertools.pairwise(errors)]
    assert all(1.8 < ratio < 2.2 for ratio in ratios), errors
    assert errors[-1] < 0.02


@pytest.mark.parametrize("grid", GRIDS, ids=["epsilon", "v_prediction", "flow"])
def test_a_fixed_point_inversion_comes_back_exactly(grid: object) -> None:
    levels = grid(20)  # type: ignore[operator]
    net = network(levels)
    clean = data(net)
    for tolerance, bound in ((1e-4, 1e-2), (1e-12, 1e-10)):
        noise = drained(invert(net, clean, levels, Guidance(told(3)), "fixed-point", tolerance))
        assert relative(drained(generate(net, noise, levels, Guidance(told(3)))), clean) < bound


def test_a_guided_inversion_comes_back_exactly() -> None:
    levels = smooth_levels(50, "epsilon")
    net = network(levels)
    guidance = Guidance(told(3, shift=0.3), told(3), 3.0)
    clean = data(net)
    noise = drained(invert(net, clean, levels, guidance, "fixed-point", 1e-12))
    assert relative(drained(generate(net, noise, levels, guidance)), clean) < 1e-9
    assert relative(noise, drained(invert(net, clean, levels, Guidance(told(3))))) > 1e-3


def test_guidance_of_one_is_the_plain_network() -> None:
    levels = smooth_levels(10, "epsilon")
    net = network(levels)
    plain = drained(generate(net, data(net), levels, Guidance(told(3, 0.3))))
    guided = drained(generate(net, data(net), levels, Guidance(told(3, 0.3), told(3), 1.0)))
    assert torch.equal(plain, guided)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "flow"])
def test_step_and_pair_say_the_same(prediction: str) -> None:
    """x' = A x + B m is a' x0_hat + s' eps_hat, for every prediction."""
    torch.manual_seed(0)
    state, output = torch.randn(2, 5, dtype=torch.float64)
    here, there = ((0.3, 0.7), (0.8, 0.2)) if prediction == "flow" else ((0.6, 0.8), (0.8, 0.6))
    levels = Levels((500.0,), (here[0], there[0]), (here[1], there[1]), prediction)
    scale, push = levels.coefficients(0)
    clean, noise = levels.clean_and_noise(0, state, output)
    torch.testing.assert_close(scale * state + push * output, there[0] * clean + there[1] * noise)
    torch.testing.assert_close(here[0] * clean + here[1] * noise, state)


def test_generation_reproduces_diffusers_ddim_on_the_built_in_model(mini: Model) -> None:
    from diffusers import DDIMScheduler

    torch.manual_seed(0)
    noise = torch.randn(2, *mini.source.latent_shape(mini.source.size))
    prompts = mini.condition(["an emoji of a face", "an emoji of a red heart"])
    blank = mini.condition(["", ""])
    scheduler = DDIMScheduler.from_config(mini.source.scheduler)
    scheduler.set_timesteps(20)
    state = noise.clone()
    ours = generate(mini, noise, Levels.of(mini.schedule, 20), Guidance(prompts, blank, 3.0))
    for time in scheduler.timesteps:
        plain = mini.predict(state, int(time), blank)
        guided = plain + 3.0 * (mini.predict(state, int(time), prompts) - plain)
        stepped = scheduler.step(guided, time, state)
        step = next(ours)
        assert relative(step.clean, stepped.pred_original_sample) < 1e-4
        state = stepped.prev_sample
    with pytest.raises(StopIteration) as end:
        next(ours)
    assert relative(end.value.value, state) < 1e-5


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("steps", [1, 10, 28, 50])
@pytest.mark.parametrize("zero_snr", [False, True])
def test_levels_are_diffusers_own(spacing: str, steps: int, zero_snr: bool) -> None:
    from diffusers import DDIMScheduler

    prediction = "v_prediction" if zero_snr else "epsilon"
    config = {
        **SD15,
        "timestep_spacing": spacing,
        "rescale_betas_zero_snr": zero_snr,
        "prediction_type": prediction,
    }
    given = {name: value for name, value in config.items() if not name.startswith("_")}
    scheduler = DDIMScheduler(clip_sample=False, **given)
    scheduler.set_timesteps(steps)
    schedule = Schedule.from_config(config)
    assert list(schedule.timesteps(steps)) == scheduler.timesteps.tolist()
    expected = scheduler.alphas_cumprod.double()
    torch.testing.assert_close(
        torch.tensor(schedule.alphas_cumprod, dtype=torch.float64), expected, rtol=2e-6, atol=1e-7
    )
    assert schedule.final_alpha_cumprod == pytest.approx(float(scheduler.final_alpha_cumprod))


def test_the_oracles_of_stable_diffusion_hold() -> None:
    schedule = Schedule.from_config(SD15)
    assert schedule.alphas_cumprod[999] == pytest.approx(0.004660098513077238, rel=1e-9)
    assert schedule.alphas_cumprod[981] == pytest.approx(0.005775500139495751, rel=1e-9)
    times = schedule.timesteps(50)
    assert (times[0], times[1], times[-1], len(times)) == (981, 961, 1, 50)


@pytest.mark.parametrize("beta_schedule", ["linear", "scaled_linear", "squaredcos_cap_v2"])
def test_every_beta_schedule_is_diffusers_own(beta_schedule: str) -> None:
    from diffusers import DDIMScheduler

    ours = Schedule.from_config({"beta_schedule": beta_schedule}).alphas_cumprod
    theirs = DDIMScheduler(beta_schedule=beta_schedule).alphas_cumprod.double()
    torch.testing.assert_close(
        torch.tensor(ours, dtype=torch.float64), theirs, rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("steps", [0, -1, 1000, 1001])
def test_steps_that_do_not_fit_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps must be between 1 and 999"):
        Levels.of(Schedule.from_config(SD15), steps)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    """An easy row stops early and a hard one goes on; neither sees the other."""
    slopes = torch.tensor([0.1, 0.5, 0.95])[:, None]
    goal = torch.randn(3, 8)

    def g(state: Tensor, rows: Tensor) -> Tensor:
        return slopes[rows] * torch.tanh(state) + goal[rows]

    together = drained(solving(g, goal, 1e-6, 50))
    for row in range(3):
        alone = drained(
            solving(lambda z, _, r=row: g(z, torch.tensor([r])), goal[row : row + 1], 1e-6, 50)
        )
        torch.testing.assert_close(alone.state[0], together.state[row], rtol=1e-5, atol=1e-5)
    assert float(together.residual.max()) <= 1e-6


def test_a_fixed_point_that_diverges_keeps_its_best_iterate() -> None:
    start = torch.ones(1, 4)
    found = drained(solving(lambda z, _: 3.0 * z + 1.0, start, 1e-6, 10, memory=0))
    assert found.calls == 10
    assert bool(torch.isfinite(found.state).all())
    assert float(found.residual) <= 3.0


def test_anderson_needs_fewer_calls_than_plain_iteration() -> None:
    goal = torch.randn(2, 16)
    calls = [
        drained(
            solving(lambda z, rows: 0.9 * torch.sin(z) + goal[rows], goal, 1e-6, 200, memory)
        ).calls
        for memory in (0, 3)
    ]
    assert calls[1] < calls[0]


def test_steps_are_told_one_by_one_and_can_be_stopped() -> None:
    levels = smooth_levels(12, "epsilon")
    net = network(levels)
    walk = invert(net, data(net), levels, Guidance(told(3)))
    told_steps = [step for step in islice(walk, 12) if isinstance(step, Step)]
    assert [(step.done, step.total) for step in told_steps] == [
        (at, 12) for at in range(1, len(told_steps) + 1)
    ]
    assert told_steps
    assert all(step.residual <= 1e-5 for step in told_steps)
    walk.close()


def test_an_inversion_can_be_left_between_any_two_calls_of_the_network() -> None:
    levels = smooth_levels(6, "epsilon")
    net = network(levels)
    calls = 0

    class Counted:
        def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
            nonlocal calls
            calls += 1
            return net.predict(state, time, conditioning)

    walk = invert(Counted(), data(net), levels, Guidance(told(3)))
    seen: list[Step | Call] = []
    for told_of in walk:
        seen.append(told_of)
        assert calls == len(seen)
    steps = [step for step in seen if isinstance(step, Step)]
    assert len(steps) == 6 < len(seen)
    assert sum(step.calls for step in steps) == calls
    made = 0
    for told_of in seen:
        made += isinstance(told_of, Step)
        assert told_of.done == made


@pytest.mark.parametrize("solver", ["ddim", "fixed-point"])
def test_a_schedule_that_ends_on_its_last_level_is_inverted(solver: str) -> None:
    """Its last step changes nothing, and says nothing of the network."""
    levels = smooth_levels(20, "epsilon")
    doubled = Levels(
        (*levels.times[:-1], 98.0, 99.0),
        (*levels.a[:-1], levels.a[-2], levels.a[-2]),
        (*levels.s[:-1], levels.s[-2], levels.s[-2]),
        "epsilon",
    )
    net = network(doubled)
    clean = data(net)
    walk = invert(net, clean, doubled, Guidance(told(3)), solver, 1e-10)
    steps = []
    while True:
        try:
            steps.append(next(walk))
        except StopIteration as stop:
            noise = stop.value
            break
    made = [step for step in steps if isinstance(step, Step)]
    assert all(bool(torch.isfinite(step.clean).all()) for step in made)
    if solver == "fixed-point":
        again = drained(generate(net, noise, doubled, Guidance(told(3))))
        assert relative(again, clean) < 1e-8


def test_epsilon_at_zero_terminal_snr_is_refused() -> None:
    with pytest.raises(ValueError, match="zero terminal SNR"):
        Schedule.from_config({**SD15, "rescale_betas_zero_snr": True})


def test_a_negative_that_says_the_same_is_left_out_where_it_has_no_effect() -> None:
    levels = smooth_levels(8, "epsilon")
    net = network(levels)
    clean = data(net)
    same, other = Guidance(told(3), told(3), 3.0), Guidance(told(3, 0.3), told(3), 3.0)
    assert same.without_idle().negative is None
    made = [drained(generate(net, clean, levels, each)) for each in (same, same.without_idle())]
    assert relative(made[1], made[0]) < 1e-12
    assert other.without_idle() is other
    # Null-text's takes the place of the negative's, and differs.
    fitted = Guidance(told(3), told(3), 3.0, torch.ones(3, 8, 1, 1))
    assert fitted.without_idle() is fitted
    named = Conditioning({"text": told(3).tensors["shift"]})
    assert not named.says(told(3)) and told(3).says(told(3))
