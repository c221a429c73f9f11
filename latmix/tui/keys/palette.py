"""The palette's choices: every method, setting, model and theme by name, in effect at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from latmix.mixing.grid import methods, parse_method
from latmix.models.catalogue import CATALOGUE
from latmix.names import display_name
from latmix.session.choices import Choices
from latmix.session.fields import Row, Whole, rows
from latmix.session.session import Session

if TYPE_CHECKING:
    from latmix.tui.actions.actions import Actions

OFFERED = tuple(row for holder in (Choices, Session) for row in rows(holder) if row.offer)

COUNT = Row("n", 1, Whole(), offer="The first N pictures, equally.")

NUMBER = re.compile(r"\s*([a-z ]+?)\s+([0-9.]+)\s*", re.IGNORECASE)

Offer = tuple[str, Callable[[], object], str]
"""What it is called, what it does, and a sentence."""


class ChoiceProvider(Provider):
    """Offers values; commands are offered by the app."""

    @property
    def _explorer(self) -> Actions:
        return cast("Actions", self.app)

    async def discover(self) -> Hits:
        """With nothing typed, a hint that choices can be typed too."""
        yield DiscoveryHit(
            "Type a choice: method, steps 20, n 16, solver, theme, model",
            lambda: None,
            help="Every method, setting, model and theme is found by its name.",
        )

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        words_typed = query.lower().split()
        for name, act, words in (*self._numbers(query), *self._offers()):
            # There are many choices: letters strewn over a name do not find them, as they do
            # commands, which would else be hidden among them.
            score = matcher.match(name)
            if score > 0 and all(word in name.lower() for word in words_typed):
                yield Hit(score, matcher.highlight(name), act, help=words)

    def _offers(self) -> Iterator[Offer]:
        app = self._explorer
        for method in methods():
            words = parse_method(method).sentence
            yield f"Method {method}", partial(app.take_method, method), words
        for row in OFFERED:
            for word, words in row.kind.words().items():
                act = partial(app.take_settings, **{row.name: word})
                yield f"{row.label.capitalize()} {word}", act, words or row.offer
        for entry in CATALOGUE:
            yield f"Model {entry.name}", partial(app.take_model, entry.name), entry.note
        for theme in app.theme_names():
            yield f"Theme {display_name(theme)}", partial(app.take_theme, theme), "Colours."

    def _numbers(self, query: str) -> Iterator[Offer]:
        """The number that is being typed, where it can be used."""
        found = NUMBER.fullmatch(query)
        named, text = (found[1].lower(), found[2]) if found else ("", "")
        for row in (row for row in (*OFFERED, COUNT) if row.label == named):
            try:
                value = row.parse(text)
            except ValueError:
                continue
            act = partial(self._explorer.take_settings, **{row.name: value})
            if row is COUNT:
                act = partial(self._explorer.take_count, value)
            yield f"{named.capitalize()} {text}", act, row.offer
