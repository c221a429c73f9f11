"""The captions of the pictures and their tokenizer, whose vocabulary comes from the captions.

A caption is a head (`heads`) and a tail (`TAILS`): "an emoji of a red heart" + " on a blue
background". All are tokenised once, so that a training step only looks rows up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latmix.models.mini.train.subjects import CATEGORIES

BACKGROUNDS = {
    "white": (255, 255, 255),
    "black": (24, 24, 28),
    "gray": (140, 144, 150),
    "red": (214, 60, 56),
    "orange": (240, 150, 60),
    "yellow": (246, 214, 90),
    "green": (92, 170, 96),
    "blue": (76, 128, 214),
    "purple": (140, 96, 196),
    "pink": (240, 160, 190),
    "brown": (140, 100, 72),
    "teal": (64, 160, 164),
}
"""Colours behind the pictures, as captions name them, sRGB."""

TAILS = ("", *(f" on a {name} background" for name in BACKGROUNDS))
"""What a caption may say of the background; the first says nothing."""

HEADS = ("name", "category", "set", "bare")
"""The kinds of caption of a picture, and how often each is drawn."""
HEAD_WEIGHTS = (0.5, 0.25, 0.1, 0.15)

LENGTH = 24
"""Tokens of a caption, start, end and padding included."""

SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def heads(name: str, category: str, artwork: str) -> tuple[str, ...]:
    """The captions of one picture without a background, in the order of `HEADS`."""
    return (
        f"an emoji of {name}",
        f"an emoji of {CATEGORIES[category]}",
        f"a {artwork} emoji of {name}",
        name,
    )


def build_tokenizer(texts: Iterable[str], size: int) -> Any:
    """A CLIPTokenizer whose merges are learnt from texts.

    Args:
        size: of the vocabulary, the 512 single bytes and the two marks included; the most frequent
            words become one token each, others a few.

    Source: byte-pair encoding as in CLIP, Radford et al. 2103.00020, section 2.4.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    letters += [f"{letter}</w>" for letter in letters]
    marks = dict.fromkeys(SPECIAL)
    learner = CLIPTokenizer(vocab={mark: i for i, mark in enumerate(SPECIAL)}, merges=[])
    backend = learner.backend_tokenizer
    trainer = BpeTrainer(
        vocab_size=size - len(letters),
        show_progress=False,
        end_of_word_suffix="</w>",
        special_tokens=list(SPECIAL),
    )
    backend.train_from_iterator(texts, trainer)
    learnt = json.loads(backend.to_str())["model"]["merges"]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in learnt]
    words = [*letters, *("".join(pair) for pair in merges)]
    tokens = [word for word in dict.fromkeys(words) if word not in marks]
    vocabulary = {token: i for i, token in enumerate([*tokens, *SPECIAL])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def read_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, as `latmix.load_model` reads it."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def tokenise(tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Token ids, (len(texts), LENGTH) int64, padded and cut as the pipelines do."""
    rows = tokenizer(list(texts), padding="max_length", max_length=LENGTH, truncation=True)
    return torch.tensor(rows["input_ids"], dtype=torch.int64)
