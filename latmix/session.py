"""Everything the program knows while it is open: pictures, choices with undo, statistics, results.

Widgets render it and post intentions; jobs fill it. It is saved when something changes and resumed
at the next start. Needs no torch: what computes is handed in by a job (`Session.measured`).
"""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latmix.bookmarks import Bookmark, Bookmarks
from latmix.errors import StoreError
from latmix.jobs.orders import Order
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.mixing.mixture import Mixture, mixture_of
from latmix.names import display_name
from latmix.sampling.solvers import DEFAULT_SOLVER
from latmix.store.durable import write_json_durably

if TYPE_CHECKING:
    from latmix.jobs.inversion import Inversion
    from latmix.mixing.live import LiveStatistics
    from latmix.mixing.statistics import Statistics

FORMAT = 1
UNDO_DEPTH = 500
DRAFT_STEPS = 8
"""Steps of a draft: enough to see what a mixture will be, an order quicker than fifty."""

_OPTIONS = ("prompt", "negative", "steps", "guidance", "inversion_guidance", "solver", "fit")


@dataclass(frozen=True)
class Choices:
    """What the user has chosen; an edit makes a new one, and undo brings the old one back.

    Attributes:
        mixture: pictures by path, with weights; None before a folder is open.
        seed: of the mixture's random weights; None where they were set otherwise.
        method: a name of the grid.
        prompt: a template with {name} and {folder}.
        guidance: while generating; None is what suits the model.
        inversion_guidance: while inverting.
    """

    mixture: Mixture | None = None
    seed: int | None = None
    method: str = DEFAULT_METHOD
    prompt: str = ""
    negative: str = ""
    steps: int = 50
    guidance: float | None = None
    inversion_guidance: float = 1.0
    solver: str = DEFAULT_SOLVER
    size: tuple[int, int] | None = None
    fit: str = "crop"

    def same_latents(self, other: Choices) -> bool:
        """Whether pictures inverted under one are inverted under the other."""
        names = ("prompt", "negative", "steps", "inversion_guidance", "solver", "size", "fit")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True)
class Machine:
    """Where jobs run, and how many pictures at a time: `--device`, `--dtype`, `--batch`."""

    device: str = "auto"
    dtype: str = "auto"
    batch: int = 8


@dataclass
class Session:
    """The state of the program. Not thread-safe: the front end's thread alone changes it.

    Attributes:
        shown: the result that is looked at, one of `results` (oldest first), or None.
        marked: results to compare or to export.
        compared: methods to compare side by side; empty for the usual ones.
        drafts: whether every edit is followed by a picture of `draft_steps` steps.
        view: what had the focus, for the next start: names and values of the front end's own.
    """

    model: str = "auto"
    theme: str = ""
    folder: Path | None = None
    recursive: bool = False
    pictures: list[Path] = field(default_factory=list)
    choices: Choices = field(default_factory=Choices)
    results: list[Path] = field(default_factory=list)
    shown: Path | None = None
    marked: list[Path] = field(default_factory=list)
    compared: tuple[str, ...] = ()
    draft_steps: int = DRAFT_STEPS
    drafts: bool = False
    view: dict[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    failures: dict[str, str] = field(default_factory=dict)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    _undo: list[Choices] = field(default_factory=list)
    _redo: list[Choices] = field(default_factory=list)
    _inversion: Inversion | None = None
    _live: LiveStatistics | None = None
    _row_of: dict[str, int] = field(default_factory=dict)

    @property
    def mixture(self) -> Mixture | None:
        return self.choices.mixture

    def open_folder(self, folder: Path, pictures: Iterable[Path], count: int) -> None:
        """Start on a folder's pictures with an equal mixture of the first `count`."""
        self.folder, self.pictures = folder, list(pictures)
        self._forget_latents()
        self.failures.clear()
        self.choose(mixture=self._first(count))
        self._undo.clear()
        self._redo.clear()

    def choose(self, **changes: Any) -> bool:
        """Change choices by name; False where nothing changes.

        A mixture that comes without a seed was not drawn at random: the old seed goes.

        Raises:
            ValueError: an unknown method.
        """
        if "mixture" in changes:
            changes.setdefault("seed", None)
        changed = replace(self.choices, **changes)
        parse_method(changed.method)
        if changed == self.choices:
            return False
        self._undo = [*self._undo[-UNDO_DEPTH + 1 :], self.choices]
        self._redo.clear()
        self._move_to(changed)
        return True

    def set_count(self, count: int) -> bool:
        """An equal mixture of the first `count` pictures that can be read."""
        return self.choose(mixture=self._first(count))

    def set_weight(self, key: str, weight: float) -> bool:
        """Give a picture this weight (0..1); one outside it joins if that is above 0."""
        if self.mixture is None:
            return weight > 0 and self.toggle(key)
        if key in self.failures or (weight <= 0 and key not in self.mixture):
            return False
        return self.choose(mixture=self.mixture.set(key, weight))

    def nudge(self, key: str, amount: float) -> bool:
        """Add to a picture's weight."""
        held = self.mixture.weight(key) if self.mixture else 0.0
        # Steps of the keyboard are hundredths: without rounding they would drift off them.
        return self.set_weight(key, round(held + amount, 6))

    def toggle(self, *keys: str) -> bool:
        """Take pictures into the mixture, each with its equal share, or out of it if all are in it.

        The last one stays. Those that could not be read are tried again.
        """
        for key in keys:
            self.failures.pop(key, None)
        if not keys:
            return False
        if self.mixture is None:
            return self.choose(mixture=Mixture.equal(keys))
        if all(key in self.mixture for key in keys):
            return self.choose(mixture=self.mixture.drop(*keys))
        return self.choose(mixture=self.mixture.take_in(keys))

    def mute(self, *keys: str) -> bool:
        """No weight on these pictures of the mixture."""
        return self.mixture is not None and self.choose(mixture=self.mixture.mute(*keys))

    def pin(self, *keys: str) -> bool:
        """Let these pictures of the mixture keep their weight, or no longer."""
        return self.mixture is not None and self.choose(
            mixture=self.mixture.pin(*keys), seed=self.choices.seed
        )

    def equalise(self, *keys: str) -> bool:
        """The same weight on every picture that is not pinned, or on these alone."""
        return self.mixture is not None and self.choose(mixture=self.mixture.equalise(keys or None))

    def set_weights(self, weights: Mapping[str, float]) -> bool:
        """Mix these pictures with these weights, and no others; a pin stays where it is."""
        pinned = self.mixture.pinned if self.mixture else ()
        return self.choose(mixture=mixture_of(weights, pinned))

    def toggle_bookmark(self) -> bool | None:
        """Set a bookmark here, or take it away; whether there is one now, None without pictures."""
        chosen = self.choices
        if self.folder is None or chosen.mixture is None:
            return None
        return self.bookmarks.toggle(
            Bookmark(self.folder, chosen.mixture, chosen.method, chosen.prompt, chosen.seed)
        )

    def go_to_bookmark(self, by: int) -> int | None:
        """Take up the next (1) or previous (-1) bookmark's choices; its number, None without any.

        Its pictures that are no longer in the folder, or cannot be read, are left out.
        """
        found = self.bookmarks.step(self.folder, by)
        if found is None:
            return None
        number, there = found
        known = {str(path) for path in self.pictures} - self.failures.keys()
        gone = [key for key in there.mixture.keys if key not in known]
        if len(gone) < len(there.mixture):
            mixture = there.mixture.drop(*gone)
            seed = None if gone else there.seed
            self.choose(mixture=mixture, seed=seed, method=there.method, prompt=there.prompt)
        return number

    def randomise(self, seed: int) -> bool:
        """Random weights, uniform on the simplex, on the pictures of the mixture."""
        return self.mixture is not None and self.choose(
            mixture=self.mixture.randomise(seed), seed=seed
        )

    def undo(self) -> bool:
        """Back to the choices before the last change; False where there are none."""
        return self._travel(self._undo, self._redo)

    def redo(self) -> bool:
        """Forward again after an undo."""
        return self._travel(self._redo, self._undo)

    @property
    def is_measured(self) -> bool:
        """Whether every picture of the mixture has a latent whose statistics are known."""
        return self.mixture is not None and not self.uninverted

    @property
    def uninverted(self) -> list[str]:
        """Pictures of the mixture that have weight but no latent yet."""
        if self.mixture is None:
            return []
        return [
            key
            for key, weight in zip(self.mixture.keys, self.mixture.weights, strict=True)
            if weight > 0 and key not in self._row_of
        ]

    @property
    def live(self) -> LiveStatistics | None:
        """What computes the statistics of any weights, or None."""
        return self._live

    @property
    def inversion(self) -> Inversion | None:
        """The pictures whose latents are known, or None."""
        return self._inversion

    def is_inverted(self, key: str) -> bool:
        return key in self._row_of

    def order(self) -> Order:
        """What a job needs to know to invert and mix, as it is now.

        Pictures that have a latent but left the mixture are kept, so that bringing one back by
        undo finds its statistics at once.
        """
        mixture = self.mixture
        paths = dict.fromkeys([*(mixture.keys if mixture else ()), *self._row_of])
        chosen = {
            name: getattr(self.choices, name)
            for name in Order.__dataclass_fields__
            if name not in ("paths", "weights")
        }
        return Order(
            paths=tuple(Path(path) for path in paths if path not in self.failures),
            weights=mixture.as_dict() if mixture else {},
            **chosen,
        )

    def measured(self, inversion: Inversion, live: LiveStatistics | None) -> None:
        """Take in a finished inversion with its live statistics (None where it has no rows)."""
        self._inversion, self._live = inversion, live
        self._row_of = {str(row.path): at for at, row in enumerate(inversion.rows)}
        self.failures.update({str(f.path): f.reason for f in inversion.failures})
        self._leave_out_failed()

    def weights_by_row(self) -> list[float]:
        """The mixture's weights in the order of the inversion's rows.

        Raises:
            ValueError: a picture of the mixture has no latent yet.
        """
        if self.mixture is None or self._inversion is None or self.uninverted:
            raise ValueError("pictures of the mixture are not inverted yet.")
        weights = [0.0] * len(self._inversion.rows)
        for key, weight in self.mixture.as_dict().items():
            if weight > 0:
                weights[self._row_of[key]] = weight
        return weights

    def statistics(self, method: str | None = None) -> Statistics | None:
        """The mixture's statistics, or None until its pictures are inverted.

        Args:
            method: another than the chosen one, to compare.
        """
        if self._live is None or not self.is_measured:
            return None
        return self._live.statistics(self.weights_by_row(), method or self.choices.method)

    def influences(self) -> dict[str, float]:
        """How much the mixture changes without each of its pictures (`Inputs.influence`), by key.

        Those that nothing could replace are infinite. Empty until all are inverted, and where it is
        not known; a pass over the latents unless `live.is_instant`. For slerp and nao it takes too
        long to follow a key.
        """
        if self._live is None or self.mixture is None or not self.is_measured:
            return {}
        inputs = self._live.inputs(self.weights_by_row(), self.choices.method)
        if not inputs.is_known:
            return {}
        found = inputs.influence
        rows = {key: self._row_of[key] for key in self.mixture.keys if key in self._row_of}
        known = {key: found[row] for key, row in rows.items()}
        return {key: math.inf if value is None else value for key, value in known.items()}

    def command(self) -> str:
        """The shell command that makes this mixture without a screen."""
        return shell_command(self.arguments())

    def arguments(self) -> list[str]:
        """The words of `command`."""
        if self.mixture is None or self.folder is None:
            return ["latmix", "explore"]
        words = self._mixture_arguments(self.mixture, str(self.folder))
        defaults = Choices()
        words += ["--model", self.model, "--method", self.choices.method]
        for name in _OPTIONS:
            value = getattr(self.choices, name)
            if value is not None and value != getattr(defaults, name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        if self.choices.size:
            words += ["--size", "{}x{}".format(*self.choices.size)]
        for name, value in vars(self.machine).items():
            if value != getattr(Machine(), name):
                words += [f"--{name}", str(value)]
        return words

    def _mixture_arguments(self, mixture: Mixture, folder: str) -> list[str]:
        """The command with its pictures and weights: as few words as say them exactly."""
        keys, seed = list(mixture.keys), self.choices.seed
        usable = [str(path) for path in self.pictures if str(path) not in self.failures]
        are_first = keys == usable[: len(keys)]
        pictures = [folder, "-n", str(len(keys))] if are_first else keys
        if are_first and self.recursive:
            pictures.append("--recursive")
        if are_first and len(set(mixture.weights)) == 1:
            return ["latmix", "centroid", *pictures]
        if seed is not None and mixture.weights == Mixture.random(keys, seed).weights:
            return ["latmix", "mix", *pictures, "--random", "1", "--seed", str(seed)]
        words = ["latmix", "mix", *keys]
        for key, weight in mixture.as_dict().items():
            words += ["-w", f"{key}={weight:.6g}"]
        return words

    def save(self, path: Path) -> None:
        """Write what is needed to resume.

        Raises:
            StoreError: it cannot be written.
        """
        write_json_durably(path, self.content())

    def content(self) -> dict[str, Any]:
        """What is needed to resume, as plain JSON."""
        chosen = {f.name: getattr(self.choices, f.name) for f in fields(Choices)}
        chosen["mixture"] = list(self.mixture.as_dict().items()) if self.mixture else None
        return {
            "latmix": FORMAT,
            "model": self.model,
            "theme": self.theme,
            "folder": str(self.folder) if self.folder else None,
            "recursive": self.recursive,
            "choices": chosen,
            "results": [str(result) for result in self.results],
            "shown": str(self.shown) if self.shown else None,
            "marked": [str(result) for result in self.marked],
            "compared": list(self.compared),
            "draft_steps": self.draft_steps,
            "drafts": self.drafts,
            "view": dict(self.view),
            "pinned": sorted(self.mixture.pinned) if self.mixture else [],
            "bookmarks": [bookmark.content() for bookmark in self.bookmarks.kept],
        }

    def resume(self, path: Path) -> bool:
        """Take up a saved session's model, folder, choices and results; False where there is none.

        The theme is taken up even where no folder was open.

        The folder's pictures are looked for by the caller, who then calls `keep_existing`.

        Raises:
            StoreError: the file is damaged; the sentence says how to start afresh.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["latmix"] != FORMAT:
                return False
            self.theme = str(content["theme"])
            self._resume_results(content)
            self.bookmarks.take(map(Bookmark.of, content.get("bookmarks", [])))
            if not content["folder"]:
                return False
            chosen = dict(content["choices"])
            weights = chosen.pop("mixture")
            chosen["size"] = tuple(chosen["size"]) if chosen["size"] else None
            pinned = content.get("pinned", [])
            mixture = mixture_of(dict(weights), pinned) if weights else None
            choices = Choices(mixture=mixture, **chosen)
            parse_method(choices.method)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"The saved session {display_name(path)} cannot be read ({type(error).__name__}).",
                "Start with --fresh.",
            ) from error
        self.model, self.folder = str(content["model"]), Path(content["folder"])
        self.recursive = bool(content["recursive"])
        self.choices = choices
        return True

    def _resume_results(self, content: Mapping[str, Any]) -> None:
        """Take up the results that are still there, and how they were looked at."""
        self.results = [Path(result) for result in content["results"] if Path(result).exists()]
        kept = set(self.results)
        shown = Path(content.get("shown") or "")
        self.shown = shown if shown in kept else None
        self.marked = [Path(path) for path in content.get("marked", ()) if Path(path) in kept]
        self.compared = tuple(str(method) for method in content.get("compared", ()))
        for method in self.compared:
            parse_method(method)
        self.draft_steps = max(1, int(content.get("draft_steps", DRAFT_STEPS)))
        self.drafts = bool(content.get("drafts", False))
        self.view = {str(name): str(value) for name, value in content.get("view", {}).items()}

    def add_result(self, path: Path) -> None:
        """A picture was made: it is the one looked at."""
        self.results.append(path)
        self.shown = path

    def look_at(self, path: Path) -> bool:
        """Look at a result; False where it is not one, or is looked at already."""
        if path not in self.results or path == self.shown:
            return False
        self.shown = path
        return True

    def mark(self, path: Path) -> bool:
        """Mark a result, or unmark it; whether it is marked now."""
        if path in self.marked:
            self.marked.remove(path)
            return False
        self.marked.append(path)
        return True

    def prompts_changed(self) -> None:
        """A prompt beside a picture is another now: which latents fit must be looked up anew."""
        self._forget_latents()

    def use_model(self, model: str) -> None:
        """Take another model: its latents are others."""
        if model != self.model:
            self.model = model
            self._forget_latents()

    def keep_existing(self, pictures: Iterable[Path], count: int) -> None:
        """Set the folder's pictures; a mixture keeps those of its pictures that are still there."""
        self.pictures = list(pictures)
        there = {str(path) for path in self.pictures}
        mixture, held = self.mixture, self.mixture.keys if self.mixture else ()
        gone = [key for key in held if key not in there]
        if mixture is None or len(gone) == len(held):
            mixture = self._first(count)
        mixture = mixture.drop(*gone) if mixture else None
        seed = None if gone else self.choices.seed
        self.choices = replace(self.choices, mixture=mixture, seed=seed)

    def _first(self, count: int) -> Mixture | None:
        usable = [str(path) for path in self.pictures if str(path) not in self.failures]
        return Mixture.equal(usable[: max(1, count)]) if usable else None

    def _leave_out_failed(self) -> None:
        """Pictures that could not be read leave the mixture; the others keep their proportions."""
        if self.mixture is None or not self.failures.keys() & set(self.mixture.keys):
            return
        failed = [key for key in self.mixture.keys if key in self.failures]
        is_all = len(failed) == len(self.mixture)
        mixture = None if is_all else self.mixture.drop(*failed)
        self.choices = replace(self.choices, mixture=mixture)

    def _travel(self, source: list[Choices], target: list[Choices]) -> bool:
        if not source:
            return False
        target.append(self.choices)
        self._move_to(source.pop())
        self._leave_out_failed()
        return True

    def _move_to(self, choices: Choices) -> None:
        if not self.choices.same_latents(choices):
            self._forget_latents()
        self.choices = choices

    def _forget_latents(self) -> None:
        self._inversion, self._live = None, None
        self._row_of = {}


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
