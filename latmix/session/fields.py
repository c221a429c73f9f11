"""What a setting is: one row says what it can hold, what it does, and how every front shows it.

A row stands on the field of the value that holds it (`Choices`, `Machine`, `Session`), and `rows`
reads them off. From the rows come the command line's options, the form and the palette, the words
of a copied command, what the configuration can hold, `Choices.same_latents`, and what going back to
a result restores. Needs no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from latmix.names import display_name
from latmix.sampling.settings import SIZE, is_size
from latmix.sampling.solvers.solver import Solver


class Kind:
    """What a setting can hold: any text; other kinds say what else."""

    what = "text in quotes"
    option: type = str
    least: float | None = None
    sentences: Mapping[str, str] = MappingProxyType({})
    """The values that can be chosen, each with a sentence, where they are few."""

    def accepts(self, value: object) -> bool:
        """Whether a value that was read from a file can be used."""
        return isinstance(value, str)

    def parse(self, text: str) -> Any:
        """The value of a text.

        Raises:
            ValueError: there is none; the message ends a sentence "NAME must be ...".
        """
        return text

    def text(self, value: Any) -> str:
        """What `parse` reads the value from."""
        return str(value)


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number."""

    least: int = 1
    most: int | None = None
    option = int

    @property
    def what(self) -> str:  # type: ignore[override]
        end = f" to {self.most}" if self.most is not None else ""
        return f"a whole number from {self.least}{end}"

    def accepts(self, value: object) -> bool:
        return type(value) is int and self.least <= value <= (self.most or value)

    def parse(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"a whole number, not {text!r}") from None
        if value < self.least:
            raise ValueError(f"at least {self.least}, not {value}")
        if not self.accepts(value):
            raise ValueError(f"at most {self.most}, not {value}")
        return value


@dataclass(frozen=True)
class Number(Kind):
    """A number of at least 0."""

    what: str = "a number"
    least = 0
    option = float

    def accepts(self, value: object) -> bool:
        return isinstance(value, int | float) and value >= 0

    def parse(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{self.what}, not {text!r}") from None


@dataclass(frozen=True)
class OneOf(Kind):
    """One of a few words, each with a sentence.

    Attributes:
        aliases: other words for some of them.
    """

    sentences: Mapping[str, str] = field()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def what(self) -> str:  # type: ignore[override]
        return f"one of {', '.join(self.sentences)}"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and self.aliases.get(value, value) in self.sentences

    def parse(self, text: str) -> str:
        word = self.aliases.get(text, text)
        if word not in self.sentences:
            raise ValueError(f"{self.what}, not {display_name(text)!r}")
        return word


class Size(Kind):
    """Width and height in pixels."""

    what = SIZE

    def accepts(self, value: object) -> bool:
        return is_size(value)

    def parse(self, text: str) -> tuple[int, int]:
        sides = text.lower().split("x")
        if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
            raise ValueError(f"512 or 768x512, not {display_name(text)!r}")
        return int(sides[0]), int(sides[-1])

    def text(self, value: tuple[int, int]) -> str:
        return "{}x{}".format(*value)


TEXT = Kind()


def always(solver: Solver) -> bool:
    """With every solver."""
    return True


def never(solver: Solver) -> bool:
    """With none."""
    return False


def where_fitted(solver: Solver) -> bool:
    """With those that are fitted to the guidance of generating."""
    return solver.is_fitted


@dataclass(frozen=True)
class Line:
    """Of the form.

    Attributes:
        place: among the others.
        sentence: under the form, while it has the focus; where its word has one, that is shown.
        empty: what nothing written stands for.
    """

    place: int
    sentence: str = ""
    empty: str = ""


@dataclass(frozen=True)
class Row:
    """A setting.

    Attributes:
        name: of the field that holds it, of its option and in files.
        default: None is left to the model, or to the machine.
        help: for the command line, without the default.
        line: of the form; None where the form has none.
        default_words: what the command line's help calls the default, where not by itself.
        called: its name on the form and in sentences, where that is another.
        offer: a sentence in the palette, which offers what has one, or words to choose from.
        is_generating: whether it is of generating alone.
        latents: with which solvers pictures have other latents under another of its values.
        needed: which solvers need it.
        is_kept: whether a session keeps it, and going back to a result restores it.
    """

    name: str
    default: Any
    kind: Kind = TEXT
    help: str = ""
    line: Line | None = None
    default_words: str = ""
    called: str = ""
    offer: str = ""
    is_generating: bool = False
    latents: Callable[[Solver], bool] = always
    needed: Callable[[Solver], bool] = always
    is_kept: bool = True

    @property
    def label(self) -> str:
        return self.called or self.name.replace("_", " ")

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"

    def parse(self, text: str) -> Any:
        """The value of a text; nothing written is None where that can be.

        Raises:
            ValueError: it cannot be used; the sentence names the setting.
        """
        if not text and self.default is None and self.kind is not TEXT:
            return None
        try:
            return self.kind.parse(text)
        except ValueError as error:
            raise ValueError(f"{self.label} must be {error}.") from None

    def read(self, value: Any) -> Any:
        """The value of plain JSON.

        Raises:
            ValueError: it cannot be used; the sentence names the setting.
        """
        if not self.kind.accepts(value) and not (value is None and self.default is None):
            raise ValueError(f"{self.label} must be {self.kind.what}, not {value!r}")
        return tuple(value) if isinstance(value, list) else value

    def text(self, value: object) -> str:
        """What `parse` reads the value from."""
        return "" if value is None else self.kind.text(value)

    def option_words(self, holder: object) -> list[str]:
        """The words that set it on the command line, none where a value holds the default."""
        value = getattr(holder, self.name)
        return [] if value in (None, self.default) else [self.flag, self.kind.text(value)]


def setting(default: Any, kind: Kind, help: str = "", line: Line | None = None, **row: Any) -> Any:
    """A dataclass's field that is a setting; `row` are the other attributes of its `Row`."""
    return field(default=default, metadata={"kind": kind, "help": help, "line": line, **row})


def rows(holder: type) -> tuple[Row, ...]:
    """The settings of a dataclass, in the order of its fields."""
    return tuple(
        Row(each.name, each.default, **each.metadata)
        for each in dataclasses.fields(holder)
        if each.metadata
    )


def form_rows(*holders: type) -> list[tuple[Row, Line]]:
    """The settings that the form shows, with its lines, in their order."""
    shown = [(row, row.line) for holder in holders for row in rows(holder) if row.line]
    return sorted(shown, key=lambda pair: pair[1].place)
