"""The palette's choices: every method, setting, model and theme by name, in effect at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from latmix.mixing.grid import methods, parse_method
from latmix.models.catalogue import CATALOGUE
from latmix.names import display_name
from latmix.session.choices import Choices
from latmix.session.fields import Row, Whole, rows
from latmix.session.session import Session
from latmix.tui.actions.choosing import take_model, take_settings
from latmix.tui.actions.making import take_method
from latmix.tui.actions.pictures import take_count
from latmix.tui.actions.program import take_theme, theme_names
from latmix.tui.explorer import Explorer

OFFERED = tuple(row for row in (*rows(Choices), *rows(Session)) if row.offer or row.kind.sentences)

COUNT = Row("n", 1, Whole(), offer="The first N pictures, equally.")

NUMBER = re.compile(r"\s*([a-z ]+?)\s+([0-9.]+)\s*", re.IGNORECASE)

Offer = tuple[str, Callable[[], object], str]
"""What it is called, what it does, and a sentence."""


class ChoiceProvider(Provider):
    """Offers values; commands are offered by the app."""

    @property
    def _explorer(self) -> Explorer:
        return cast("Explorer", self.app)

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
            yield f"Method {method}", partial(take_method, app, method), words
        for row in OFFERED:
            for word, words in row.kind.sentences.items():
                act = partial(take_settings, app, **{row.name: word})
                yield f"{row.label.capitalize()} {word}", act, words or row.offer
        for entry in CATALOGUE:
            yield f"Model {entry.name}", partial(take_model, app, entry.name), entry.note
        for theme in theme_names(app):
            yield f"Theme {display_name(theme)}", partial(take_theme, app, theme), "Colours."

    def _numbers(self, query: str) -> Iterator[Offer]:
        """The number that is being typed, where it can be used."""
        found = NUMBER.fullmatch(query)
        named, text = (found[1].lower(), found[2]) if found else ("", "")
        for row in (row for row in (*OFFERED, COUNT) if row.label == named):
            try:
                value = row.parse(text)
            except ValueError:
                continue
            act = partial(take_settings, self._explorer, **{row.name: value})
            if row is COUNT:
                act = partial(take_count, self._explorer, value)
            yield f"{named.capitalize()} {text}", act, row.offer
