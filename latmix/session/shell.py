"""The shell command that makes a session's mixture, and words as a shell takes them."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Iterable

from latmix.mixing.mixture import Mixture
from latmix.names import display_name
from latmix.session.fields import rows
from latmix.session.session import Session


def command(session: Session) -> str:
    """The shell command that makes a session's mixture without a screen."""
    return shell_command(arguments(session))


def arguments(session: Session) -> list[str]:
    """The words of the shell command that makes a session's mixture without a screen."""
    if session.mixture is None or session.folder is None:
        return ["latmix", "explore"]
    words = _mixture_arguments(session, session.mixture, str(session.folder))
    words += ["--model", session.model, "--method", session.choices.method]
    for holder in (session.choices, session.machine):
        words += [word for row in rows(type(holder)) for word in row.option_words(holder)]
    return words


def _mixture_arguments(session: Session, mixture: Mixture, folder: str) -> list[str]:
    """The command with its pictures and weights: as few words as say them exactly."""
    keys, seed = list(mixture.keys), session.choices.seed
    usable = [str(path) for path in session.pictures if str(path) not in session.failures]
    are_first = keys == usable[: len(keys)]
    pictures = [folder, "-n", str(len(keys))] if are_first else keys
    if are_first and session.recursive:
        pictures.append("--recursive")
    if are_first and len(set(mixture.weights)) == 1:
        return ["latmix", "centroid", *pictures]
    if seed is not None and _are_same(mixture.weights, Mixture.random(keys, seed).weights):
        return ["latmix", "mix", *pictures, "--random", "1", "--seed", str(seed)]
    words = ["latmix", "mix", *keys]
    for key, weight in mixture.as_dict().items():
        words += ["-w", f"{key}={weight:.6g}"]
    return words


def _are_same(weights: Iterable[float], others: Iterable[float]) -> bool:
    """Whether weights differ by rounding at most, as those that were scaled to 1 twice do."""
    return all(
        math.isclose(one, two, rel_tol=1e-12) for one, two in zip(weights, others, strict=True)
    )


def shell_command(words: Iterable[str]) -> str:
    """Words as one line for a POSIX shell."""
    return " ".join(_shell_word(word) for word in words)


def _shell_word(word: str) -> str:
    """The word quoted for a POSIX shell; $'...' where a name has bytes that cannot be shown."""
    if display_name(word) == word:
        return shlex.quote(word)
    escaped = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"\\'" else f"\\x{byte:02x}"
        for byte in os.fsencode(word)
    )
    return f"$'{escaped}'"
