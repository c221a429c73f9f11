"""The training recipe of the built-in models, end to end, on pictures made here, tiny networks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from torch.multiprocessing import start_processes

import latmix
from latmix.measures.distances import features, frechet_distance
from latmix.measures.intervals import estimate
from latmix.models.mini.train import captions, subjects
from latmix.models.mini.train.__main__ import main
from latmix.models.mini.train.artwork import frame, picture_of
from latmix.models.mini.train.autoencoder import (
    channel_statistics,
    read_autoencoder,
    rescale,
    turn,
    whitening,
)
from latmix.models.mini.train.checkpoints import FILE, read_checkpoint
from latmix.models.mini.train.dataset import SIDE, Dataset, Picture, read_dataset, write_dataset
from latmix.models.mini.train.evaluate import psnr
from latmix.models.mini.train.loop import Plan
from latmix.models.mini.train.muon import Muon, is_hidden, orthogonal
from latmix.models.mini.train.networks import FLOW, build_autoencoder, cumulative_alphas
from latmix.models.mini.train.packages import read_members
from latmix.models.mini.train.pictures import FRAMED, Composer, Variety
from latmix.models.mini.train.ranks import Ranks

CPU = torch.device("cpu")

TINY_VAE = ("--channels", "8", "8", "16", "--batch", "4", "--measured", "16", "--log-every", "1")
TINY_UNET = ("--channels", "16", "16", "--width", "32", "--text-layers", "1", "--batch", "4")
TINY_FLOW = ("--width", "72", "--layers", "1", "--text-width", "32", "--text-layers", "2")
SMALL_STEPS = ("--steps", "4", "--warmup", "2", "--log-every", "1")


def shape(code: int) -> Image.Image:
    """An artwork of one's own: a coloured square or disc of some size."""
    artwork = Image.new("RGBA", (40, 40))
    pen, colour = ImageDraw.Draw(artwork), (code * 37 % 256, code * 91 % 256, code * 53 % 256, 255)
    draw = pen.ellipse if code % 2 else pen.rectangle
    draw((4, 4 + code % 8, 34, 34 - code % 5), fill=colour)
    framed = frame(artwork)
    assert framed is not None
    return framed


def some_pictures() -> list[Picture]:
    categories = ("face", "animal", "food", "flag")
    pictures = []
    for code in range(0x1F600, 0x1F600 + 60):
        kind = categories[code % 4]
        name = f"a {('red', 'happy', 'tall')[code % 3]} {kind} number {code - 0x1F600}"
        subject = subjects.Subject(f"{code:x}", name, kind, f"{code:x}")
        pictures += [picture_of(subject, artist) for artist in ("noto", "twemoji")]
    return pictures


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with a data set in it."""
    folder = tmp_path_factory.mktemp("run")
    pictures = some_pictures()
    artwork = [shape(int(picture.code, 16)) for picture in pictures]
    write_dataset(folder / "dataset.zip", pictures, artwork, vocabulary=640)
    return folder


@pytest.fixture(scope="module")
def dataset(run: Path) -> Dataset:
    return read_dataset(run / "dataset.zip")


@pytest.fixture(scope="module")
def trained(run: Path) -> Path:
    """The same folder after the stages vae, latents and denoiser."""
    for stage in (("vae", *SMALL_STEPS, *TINY_VAE), ("latents", "--passes", "2")):
        assert train(*stage, run=run) == 0
    assert train("denoiser", *SMALL_STEPS, *TINY_UNET, run=run) == 0
    return run


@pytest.fixture(scope="module")
def exported(trained: Path) -> Iterator[Path]:
    assert train("export", "mini", str(trained / "mini"), run=trained) == 0
    yield trained / "mini"


def train(stage: str, *options: str, run: Path) -> int:
    return main([stage, *options, "--folder", str(run), "--device", "cpu"])


def fresh(run: Path, tmp_path: Path, *kept: str) -> Path:
    """Another run's folder with the same data set and some of the same results."""
    for name in ("dataset.zip", *kept):
        (tmp_path / name).symlink_to(run / name)
    return tmp_path


def logged(run: Path, stage: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / stage / "log.jsonl").read_text().splitlines()]


def test_no_emoji_is_both_trained_on_and_held_out(dataset: Dataset) -> None:
    by_identity: dict[str, set[str]] = {}
    for picture in dataset.pictures:
        by_identity.setdefault(picture.identity, set()).add(picture.held_out)
    assert all(len(answers) == 1 for answers in by_identity.values())
    assert {"yes", "no"} == {answer for answers in by_identity.values() for answer in answers}
    assert bool(((dataset.seen > 0) == ~dataset.held_out).all())
    assert bool((dataset.painted[dataset.held_out] == 0).all())
    learnt = torch.tensor([p.category in subjects.PAINTED for p in dataset.pictures])
    assert bool(((dataset.painted > 0) == (learnt & ~dataset.held_out)).all())


def test_gender_skin_tone_and_selectors_make_no_other_emoji() -> None:
    one = subjects.identity_of("1F468-1F3FD-200D-2695-FE0F")
    assert one == subjects.identity_of("1f469-200d-2695") == "1f9d1-200d-2695"
    assert subjects.identity_of("1f3c3-1f3fb-200d-2642-fe0f") == subjects.identity_of("1f3c3")
    assert subjects.plain_code("23-fe0f-20e3") == subjects.plain_code("0023-20E3")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("red heart", "a red heart"),
        ("angry face", "an angry face"),
        ("unicorn", "a unicorn"),
        ("grapes", "grapes"),
        ("french fries", "french fries"),
        ("glasses with rims", "glasses with rims"),
        ("octopus", "an octopus"),
        ("people hugging", "a people hugging"),
        ("flag: France", "the flag of france"),
        ("keycap: 2", "the keycap 2"),
        ("person: blond hair", "a person with blond hair"),
        ("O button (blood type)", "an o button"),
        ("nine o’clock", "a nine o'clock"),
    ],
)
def test_a_name_is_told_in_words(label: str, name: str) -> None:
    assert subjects.in_words(label) == name


@pytest.mark.parametrize(
    ("subgroup", "category"),
    [
        ("face-smiling", "face"),
        ("cat-face", "animal"),
        ("animal-marine", "animal"),
        ("heart", "heart"),
        ("food-sweet", "food"),
        ("transport-ground", "vehicle"),
        ("transport-sign", "symbol"),
        ("country-flag", "flag"),
        ("tool", "object"),
    ],
)
def test_a_subgroup_has_a_category(subgroup: str, category: str) -> None:
    assert subjects.category_of(subgroup) == category
    assert category in subjects.CATEGORIES


def test_category_captions_are_the_demos_prompts() -> None:
    from latmix import demo

    told = {captions.heads("a x", category, "noto")[1] for category in subjects.CATEGORIES}
    assert {demo.prompt(name) for name in demo.names()} <= told


def test_the_tokenizer_reads_its_captions_back(dataset: Dataset, tmp_path: Path) -> None:
    dataset.tokenizer.save_pretrained(tmp_path)
    tokenizer = captions.read_tokenizer(tmp_path)
    for text in (
        "an emoji of a red face number 7",
        "an emoji of a tall animal on a blue background",
    ):
        ids = tokenizer(text).input_ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
        assert (ids[0], ids[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
        assert ids == dataset.tokenizer(text).input_ids
    assert tokenizer.tokenize("an emoji") == ["an</w>", "emoji</w>"]
    assert tokenizer.model_max_length == captions.LENGTH


def test_any_text_has_tokens(dataset: Dataset) -> None:
    ids = dataset.tokenizer("zürich 東京 !?").input_ids
    assert dataset.tokenizer.eos_token_id not in ids[:-1]


def test_every_picture_finds_its_captions(dataset: Dataset) -> None:
    place = 17
    picture = dataset.pictures[place]
    tail = captions.TAILS.index(" on a blue background")
    row = dataset.caption_tokens[dataset.caption_rows[place, 0] + tail]
    text = dataset.tokenizer.decode(row, skip_special_tokens=True)
    assert text == f"an emoji of {picture.name} on a blue background"
    assert dataset.tokenizer.decode(dataset.caption_tokens[-1], skip_special_tokens=True) == ""


def test_a_data_set_is_read_as_it_was_written_and_written_alike(
    dataset: Dataset, run: Path, tmp_path: Path
) -> None:
    pictures = some_pictures()
    artwork = [shape(int(picture.code, 16)) for picture in pictures]
    write_dataset(tmp_path / "again.zip", pictures, artwork, vocabulary=640)
    assert (tmp_path / "again.zip").read_bytes() == (run / "dataset.zip").read_bytes()
    assert dataset.pictures == tuple(pictures)
    flat = torch.frombuffer(bytearray(artwork[5].tobytes()), dtype=torch.uint8)
    assert torch.equal(dataset.artwork[5], flat.reshape(SIDE, SIDE, 4).permute(2, 0, 1))


def test_framed_artwork_fills_its_square_and_hides_no_colour() -> None:
    artwork = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    artwork.paste((200, 0, 0, 255), (4, 20, 44, 40))
    framed = frame(artwork)
    assert framed is not None
    assert framed.size == (SIDE, SIDE)
    assert framed.getchannel("G").getextrema() == (0, 0)
    inked = framed.getchannel("A").point(lambda alpha: 255 * (alpha > 127)).getbbox()
    assert inked == (0, 18, 72, 54)
    assert frame(Image.new("RGBA", (8, 8))) is None


def test_only_wanted_members_of_a_package_are_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        for name in ("package/b", "package/a", "package/c"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            archive.addfile(entry, BytesIO(name.encode()))
    files = read_members(tmp_path / "a.tgz", {"package/a", "package/c"}.__contains__)
    assert files == {"package/a": b"package/a", "package/c": b"package/c"}


def test_pictures_vary_and_repeat_with_their_seed(dataset: Dataset) -> None:
    composer, index = Composer(dataset, CPU), torch.full((16,), 4)
    one, tails = composer.compose(index, Variety(), torch.Generator().manual_seed(3))
    two, _ = composer.compose(index, Variety(), torch.Generator().manual_seed(3))
    assert torch.equal(one, two)
    assert one.shape == (16, 3, 64, 64)
    assert float(one.min()) >= -1
    assert float(one.max()) <= 1
    assert len({float(picture.sum()) for picture in one}) == 16
    assert 1 <= int(tails.min()) <= int(tails.max()) < len(captions.TAILS)


def test_a_framed_picture_is_centred_on_white(dataset: Dataset) -> None:
    picture, tails = Composer(dataset, CPU).compose(
        torch.tensor([0]), FRAMED, torch.Generator().manual_seed(0)
    )
    assert torch.allclose(picture[0, :, 0, :], torch.ones(3, 64))
    inked = (picture[0] < 0.9).any(dim=0).nonzero()
    first, last = inked.amin(dim=0), inked.amax(dim=0)
    assert bool(((first + last - 63).abs() <= 1).all())
    assert captions.TAILS[int(tails[0])] == " on a white background"


def test_rescaled_channels_have_mean_0_and_deviation_1_and_change_no_reconstruction(
    dataset: Dataset,
) -> None:
    torch.manual_seed(0)
    network = build_autoencoder((8, 16), 4, 1).eval()
    with torch.no_grad():
        network.quant_conv.bias.add_(torch.linspace(-2, 3, 8))
    composer, index = Composer(dataset, CPU), torch.arange(24)
    pictures, _ = composer.compose(index[:8], Variety(), torch.Generator().manual_seed(1))
    before = network.encode(pictures).latent_dist
    reconstruction = network.decode(before.mode()).sample
    statistics = channel_statistics(network, composer, index, torch.Generator().manual_seed(2))
    rescale(network, *statistics)
    after = network.encode(pictures).latent_dist
    again = network.decode(after.mode()).sample
    assert torch.allclose(again, reconstruction, atol=2e-6)
    ratio = statistics[1].float().view(4, 1, 1)
    assert torch.allclose(after.std * ratio, before.std, rtol=1e-4)
    mean, deviation = channel_statistics(network, composer, index, torch.Generator().manual_seed(2))
    assert torch.allclose(mean, torch.zeros(4).double(), atol=1e-4)
    assert torch.allclose(deviation, torch.ones(4).double(), atol=1e-4)


def test_whitened_channels_are_uncorrelated_and_change_no_reconstruction(dataset: Dataset) -> None:
    torch.manual_seed(0)
    network = build_autoencoder((8, 16), 4, 1).eval()
    with torch.no_grad():
        weight = network.quant_conv.weight
        weight[1] = weight[0] + 0.05 * weight[1]  # all but the same
        network.quant_conv.bias.add_(torch.linspace(-2, 3, 8))
    composer, index = Composer(dataset, CPU), torch.arange(24)
    pictures, _ = composer.compose(index[:8], Variety(), torch.Generator().manual_seed(1))
    reconstruction = network.decode(network.encode(pictures).latent_dist.mode()).sample
    turn(network, *whitening(network, composer, index, torch.Generator().manual_seed(2)))
    after = network.encode(pictures).latent_dist
    assert torch.allclose(network.decode(after.mode()).sample, reconstruction, atol=1e-4)
    assert bool(torch.isfinite(after.std).all()) and bool((after.std > 0).all())
    mean, white = whitening(network, composer, index, torch.Generator().manual_seed(2))
    assert torch.allclose(mean, torch.zeros(4).double(), atol=1e-3)
    # What is white already is left as it is; the faint direction was made one of a variance of 1/4.
    found = torch.linalg.eigvalsh(white)
    assert torch.allclose(found, torch.tensor([1.0, 1.0, 1.0, 2.0]).double(), atol=1e-2)


@pytest.mark.parametrize("stage", ["vae", "denoiser", "flow"])
def test_a_resumed_run_equals_an_unbroken_one(trained: Path, tmp_path: Path, stage: str) -> None:
    sizes = {"vae": TINY_VAE, "denoiser": TINY_UNET, "flow": (*TINY_FLOW, "--batch", "2")}[stage]
    ends = []
    for name, breaks in (("unbroken", ()), ("broken", ("1", "2"))):
        (tmp_path / name).mkdir()
        kept = () if stage == "vae" else ("autoencoder", "latents")
        run = fresh(trained, tmp_path / name, *kept)
        for stop in breaks:
            assert train(stage, *sizes, *SMALL_STEPS, "--stop-after", stop, run=run) == 3
        assert train(stage, *sizes, *SMALL_STEPS, run=run) == 0
        ends.append(load_file(run / stage / FILE))
        assert [row["step"] for row in logged(run, stage)] == [1, 2, 3, 4]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_a_time_limit_leaves_a_checkpoint(run: Path, tmp_path: Path) -> None:
    folder = fresh(run, tmp_path)
    assert train("vae", *TINY_VAE, "--steps", "100000", "--seconds", "0.2", run=folder) == 3
    _, state = read_checkpoint(folder / "vae", "state")
    assert 1 <= state["step"] < 100000
    assert state["spent"] >= 0.2
    read_autoencoder(folder, CPU)


def test_steps_follow_from_the_time_to_fill(run: Path, tmp_path: Path) -> None:
    folder = fresh(run, tmp_path)
    options = ("--fill", "1.5", "--warmup", "4")
    assert train("vae", *TINY_VAE, *options, run=folder) == 0
    _, state = read_checkpoint(folder / "vae", "state")
    assert state["plan"]["steps"] == state["step"] > 4


def test_a_run_of_other_sizes_is_not_gone_on_with(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("denoiser", *SMALL_STEPS, *TINY_UNET, "--width", "64", run=trained) == 1
    assert "give the same options" in capsys.readouterr().err


def test_latents_of_another_autoencoder_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = fresh(trained, tmp_path, "latents")
    assert train("vae", *TINY_VAE, *SMALL_STEPS, "--seed", "1", run=folder) == 0
    assert train("denoiser", *SMALL_STEPS, *TINY_UNET, run=folder) == 1


def test_a_stage_out_of_order_says_which_comes_first(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("latents", run=fresh(run, tmp_path)) == 1
    assert "stage vae" in capsys.readouterr().err


def test_held_out_pictures_are_not_among_the_latents(trained: Path, dataset: Dataset) -> None:
    latents = load_file(trained / "latents" / "pass-000.safetensors")["latents"]
    assert len(latents) == int((dataset.painted > 0).sum())


def test_the_exported_folder_is_a_model_that_latmix_loads(exported: Path) -> None:
    model = latmix.load_model(str(exported), device="cpu")
    assert model.source.size == (64, 64)
    assert abs(model.schedule.alphas_cumprod[-1] - 0.0046600985) < 1e-9
    noise = torch.randn(2, *model.source.latent_shape((64, 64)))
    pictures = latmix.generate(model, noise, "an emoji of a red face", steps=2, guidance=3.0)
    assert [picture.size for picture in pictures] == [(64, 64)] * 2
    latents = latmix.invert(model, pictures, "an emoji of a red face", steps=2)
    assert bool(torch.isfinite(latents).all())
    record = json.loads((exported / "training.json").read_text())
    assert record["stages"]["denoiser"]["samples"] == 16


def test_a_wider_autoencoder_starts_from_a_narrower_one(exported: Path, tmp_path: Path) -> None:
    folder = fresh(exported.parent, tmp_path)
    options = (*SMALL_STEPS, *TINY_VAE, "--latent-channels", "16")
    assert train("vae", *options, "--from", str(exported), "--rate", "1e-9", run=folder) == 0
    ours, _ = read_checkpoint(folder / "vae", "mean/vae/")
    theirs = load_file(exported / "vae" / "diffusion_pytorch_model.safetensors")
    same = "decoder.conv_out.weight"
    assert torch.allclose(ours[f"mean/vae/{same}"], theirs[same].float(), atol=1e-3)
    assert ours["mean/vae/post_quant_conv.weight"].shape[:2] == (16, 16)


def test_a_deeper_autoencoder_starts_from_a_shallower_one(exported: Path, tmp_path: Path) -> None:
    """Its outer levels are those; the decoder counts them from the inside."""
    folder = fresh(exported.parent, tmp_path)
    deeper = ("--channels", "8", "8", "16", "24", "--measured", "8", "--batch", "2", "--whiten")
    options = (*SMALL_STEPS, *deeper)
    assert train("vae", *options, "--from", str(exported), "--rate", "1e-9", run=folder) == 0
    ours, _ = read_checkpoint(folder / "vae", "mean/vae/")
    theirs = load_file(exported / "vae" / "diffusion_pytorch_model.safetensors")
    last = "resnets.1.conv2.weight"
    for own, their in (
        (f"decoder.up_blocks.3.{last}", f"decoder.up_blocks.2.{last}"),
        ("encoder.down_blocks.1.resnets.0.conv1.weight",) * 2,
    ):
        assert torch.allclose(ours[f"mean/vae/{own}"], theirs[their].float(), atol=1e-3)


def test_training_starts_from_an_exported_folder(exported: Path, tmp_path: Path) -> None:
    folder = fresh(exported.parent, tmp_path, "autoencoder", "latents")
    options = (*SMALL_STEPS, *TINY_UNET, "--from", str(exported), "--rate", "1e-9")
    assert train("denoiser", *options, run=folder) == 0
    ours, _ = read_checkpoint(folder / "denoiser", "mean/unet/")
    theirs = load_file(exported / "unet" / "diffusion_pytorch_model.safetensors")
    name = "conv_in.weight"
    assert torch.allclose(ours[f"mean/unet/{name}"], theirs[name].float(), atol=1e-6)


def test_a_flow_model_is_an_ordinary_pipeline(trained: Path, tmp_path: Path) -> None:
    from diffusers import StableDiffusion3Pipeline

    folder = fresh(trained, tmp_path)
    wide = (*TINY_VAE, "--latent-channels", "16")
    assert train("vae", *SMALL_STEPS, *wide, run=folder) == 0
    assert train("latents", "--passes", "1", run=folder) == 0
    assert train("flow", *SMALL_STEPS, *TINY_FLOW, "--batch", "2", run=folder) == 0
    assert train("export", "mini-flow", str(folder / "flow-model"), run=folder) == 0
    configs = [path.read_text() for path in (folder / "flow-model").rglob("*.json")]
    assert not [text for text in configs if str(folder) in text]
    pipeline = StableDiffusion3Pipeline.from_pretrained(
        folder / "flow-model",
        text_encoder_3=None,
        tokenizer_3=None,
        dtype=torch.float32,
        local_files_only=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    told = pipeline("an emoji of a face", height=64, width=64, num_inference_steps=2)
    assert told.images[0].size == (64, 64)
    assert pipeline.scheduler.config.shift == FLOW["shift"]
    model = latmix.load_model(str(folder / "flow-model"), device="cpu")
    latents = latmix.invert(model, told.images, "an emoji of a face", steps=2)
    assert latents.shape == (1, *model.source.latent_shape((64, 64)))
    assert latmix.generate(model, latents, "an emoji of a face", steps=2)[0].size == (64, 64)


def test_one_part_of_the_figures(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate = ("evaluate", str(exported), "--pictures", "2", "--steps", "2", "--parts")
    assert train(*evaluate, "reconstruction", run=exported.parent) == 0
    shown = capsys.readouterr().out
    assert "fixed-point latents, norm/sqrt(L), 2 held out, white" in shown
    assert "samples" not in shown
    assert train(*evaluate, "samples", "colours", run=exported.parent) == 1
    assert "not colours" in capsys.readouterr().err


def test_the_table_of_figures(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = exported.parent / "figures"
    small = ("--pictures", "3", "--pool", "8", "--draws", "2", "--steps", "2", "--prompts", "4")
    options = ("evaluate", str(exported), *small, "--categories", "face", "--out", str(out))
    assert train(*options, run=exported.parent) == 0
    shown = capsys.readouterr().out
    trips = ("VAE, PSNR", "explicit round trip", "fixed-point round trip", "norm/sqrt(L)")
    for words in (*trips, "nin/chm", "Frechet", "invert 8"):
        assert words in shown
    figures = json.loads((out / "evaluation.json").read_text())
    rows = figures["centroids of face, white"]["rows"]
    assert [(row["count"], row["method"]) for row in rows[:2]] == [(2, "fix/0"), (2, "fix/chm")]
    assert {path.stem for path in out.glob("*.png")} == {
        "samples",
        "centroids-face-white",
        "centroids-face-varied",
    }


def test_measures_agree_with_closed_forms() -> None:
    flat = torch.zeros(1, 3, 8, 8)
    assert float(psnr(flat, flat + 0.2)) == pytest.approx(20.0, abs=1e-4)
    samples = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0)).double()
    spread = frechet_distance(samples, 2 * samples + 1)
    expected = float((samples.mean(0) + 1).square().sum() + torch.cov(samples.T).trace())
    assert spread == pytest.approx(expected, rel=1e-6)
    assert features(torch.zeros(2, 4, 16, 16)).shape == (2, 20)
    interval = estimate(samples[:, 0])
    assert interval.low < interval.mean < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 4000**0.5, rel=0.1)


def test_the_noise_schedule_is_that_of_stable_diffusion() -> None:
    alphas = cumulative_alphas()
    assert float(alphas[981]) == pytest.approx(0.0057755, rel=1e-5)


def test_the_rate_rises_and_falls_and_rises_alike_where_the_steps_are_not_known_yet() -> None:
    plan, unknown = (Plan(steps=n, fill=9.0, rate=1.0, warmup=10) for n in (100, 0))
    rates = [plan.rate_at(step) for step in range(100)]
    assert rates[:10] == [unknown.rate_at(step) for step in range(10)] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == 1.0
    assert rates[-1] < 0.02
    with pytest.raises(ValueError, match="steps"):
        Plan()


def test_nothing_in_latmix_imports_the_recipe_and_its_package_is_light() -> None:
    package = Path(latmix.__file__).parent
    recipe = package / "models" / "mini" / "train"
    for path in package.rglob("*.py"):
        if recipe not in path.parents:
            assert "mini.train" not in path.read_text(), path
    code = "import sys, latmix.models.mini.train; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize("shape", [(24, 216), (96, 32), (40, 40)])
def test_orthogonal_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix)
    assert torch.linalg.svdvals(found).min() > 0.6
    assert torch.linalg.svdvals(found).max() < 1.3
    aligned = left.T @ found @ right.T
    assert (aligned - torch.diag(aligned.diag())).abs().max() < 0.01


def test_a_muon_step_has_the_size_of_an_adam_step() -> None:
    weight = torch.nn.Parameter(torch.zeros(32, 16, 3, 3))
    optimiser = Muon([weight], rate=0.5)
    for scale in (1e-6, 1e6):
        weight.data.zero_()
        optimiser.state.clear()
        weight.grad = scale * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        optimiser.step()
        assert weight.square().mean().sqrt().item() == pytest.approx(0.5 * 0.2, rel=0.25)


@given(st.lists(st.floats(0, 1e6), max_size=20), st.integers(1, 5))
def test_processes_share_all_tasks_fairly(costs: list[float], count: int) -> None:
    shares = [Ranks(rank, count).own(costs) for rank in range(count)]
    assert sorted(index for share in shares for index in share) == list(range(len(costs)))
    sums = [sum(costs[index] for index in share) for share in shares]
    assert max(sums) - min(sums) <= max(costs, default=0.0) * (1 + 1e-9)


def step_as_one_of_two(rank: int, port: int) -> None:
    """In a process that is set up as `torchrun` sets it up."""
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", **where}
    ranks = Ranks.join(torch.device("cpu"))
    assert ranks.count == 2
    shapes = ((4, 6), (8, 3, 3, 3), (5, 5))
    alone, shared = (
        [torch.randn(shape, generator=torch.Generator().manual_seed(7)) for shape in shapes]
        for _ in range(2)
    )
    for weights, own in ((alone, Ranks()), (shared, ranks)):
        optimiser = Muon(weights, rate=0.1, ranks=own)
        for step in range(3):
            generator = torch.Generator().manual_seed(step)
            for weight in weights:
                weight.grad = torch.randn(weight.shape, generator=generator)
            optimiser.step()
    for left, right in zip(alone, shared, strict=True):
        assert torch.equal(left, right)


def test_a_muon_step_of_two_processes_is_that_of_one() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start_processes(step_as_one_of_two, (port,), nprocs=2, start_method="fork")


def test_muon_finds_the_least_squares_solution() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, wanted = torch.randn(256, 12, generator=generator), torch.randn(8, 12)
    weight = torch.nn.Parameter(torch.zeros(8, 12))
    optimiser = Muon([weight], rate=0.1)
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        error = (inputs @ weight.T - inputs @ wanted.T).square().mean()
        weight.grad = torch.autograd.grad(error, weight)[0]
        optimiser.step()
    assert (weight - wanted).abs().max() < 0.02


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("unet/down_blocks.0.resnets.0.conv1.weight", (8, 8, 3, 3), True),
        ("unet/down_blocks.0.resnets.0.conv1.bias", (8,), False),
        ("unet/conv_in.weight", (8, 4, 3, 3), False),
        ("text_encoder/text_model.embeddings.token_embedding.weight", (100, 8), False),
    ],
)
def test_muon_trains_the_matrices_inside(name: str, shape: tuple[int, ...], expected: bool) -> None:
    assert is_hidden(name, torch.nn.Parameter(torch.zeros(shape))) is expected
