"""The picture on the right, the mixture's or the one under the cursor, and a line that says which.

While a job runs the mixture's side shows how far it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from latmix.names import display_name
from latmix.session.choices import Choices
from latmix.tui.line import Line
from latmix.tui.pictures.thumbnail import Thumbnail

NO_FOLDER = "No folder is open: f chooses one."
NO_RESULT = (
    "No picture of the mixture yet:\ng makes it.\n\n"
    "h and l change a weight, m the method; the numbers below follow."
)


@dataclass(frozen=True)
class Result:
    """A picture that was made, and the choices it was made with (None of an earlier start)."""

    path: Path
    image: Image.Image
    choices: Choices | None


class PicturePane(Vertical):
    """Knows both pictures and which is shown."""

    def __init__(self, pixels: type[Widget] | None = None) -> None:
        """pixels: a widget that shows its `image` better than half-blocks can, if there is one."""
        super().__init__(id="pane")
        self.tooltip = "The mixture's picture, or the one under the cursor: v turns."
        self._pixels: Any = pixels(id="pixels") if pixels is not None else None
        self.shows_mixture = False
        self._result: Result | None = None
        self._preview: Image.Image | None = None
        self._preview_name = ""
        self._draft: tuple[Image.Image, Choices] | None = None
        self._is_outdated = False
        self._input: Path | None = None
        self._input_image: Image.Image | None = None
        self._input_fault = ""

    def compose(self) -> ComposeResult:
        yield Thumbnail()
        if self._pixels is not None:
            yield self._pixels
        yield Line(id="caption")

    def on_mount(self) -> None:
        self._draw()

    @property
    def path(self) -> Path | None:
        """Of the picture that is shown, if it is in a file."""
        if self.shows_mixture:
            return self._result.path if self._result and not self._draft else None
        return self._input

    @property
    def image(self) -> Image.Image | None:
        """What is shown."""
        return self.query_one(Thumbnail).image

    def show_input(self, path: Path | None, fault: str = "") -> None:
        """Turn to a picture of the folder; its thumbnail comes later, or never with a fault."""
        if path != self._input:
            self._input, self._input_image = path, None
        self._input_fault = fault
        self._draw()

    def turn(self, to_mixture: bool) -> None:
        self.shows_mixture = to_mixture
        self._draw()

    def take_thumbnail(self, path: Path, image: Image.Image) -> None:
        """A picture was read that was under the cursor."""
        if path == self._input:
            self._input_image = image
            self._draw()

    def take_fault(self, path: Path, fault: Exception) -> None:
        """It cannot be read."""
        if path == self._input:
            self.show_input(path, str(fault))

    def take_preview(self, image: Image.Image | None, name: str = "") -> None:
        """What the job at work has so far, and how to call that; None when it has ended."""
        self._preview, self._preview_name = image, name
        self._draw()

    def take_result(self, result: Result | None) -> None:
        """The mixture's picture."""
        self._result, self._preview, self._draft = result, None, None
        self._draw()

    def take_draft(self, image: Image.Image, choices: Choices, name: str) -> None:
        """A quick picture of these choices; it goes when the mixture's own comes."""
        self._draft, self._preview_name = (image, choices), name
        self.turn(to_mixture=True)

    def compare(self, choices: Choices) -> None:
        """Say whether the result is of these choices; a draft of others goes."""
        if self._draft is not None and self._draft[1] != choices:
            self._draft = None
        made = self._result.choices if self._result else None
        self._is_outdated = made is not None and made != choices
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        image, words, caption = self._mixture() if self.shows_mixture else self._picture()
        self.query_one(Thumbnail).show(image, Text(words, justify="center"))
        if self._pixels is not None:
            self._pixels.display = image is not None
            self.query_one(Thumbnail).display = image is None
            if self._pixels.image is not image:
                self._pixels.image = image
        self.query_one(Line).show_line(caption)

    def _mixture(self) -> tuple[Image.Image | None, str, str]:
        if self._preview is not None:
            return self._preview, "", self._preview_name
        if self._draft is not None:
            return self._draft[0], "", self._preview_name
        if self._result is None:
            return None, NO_RESULT, ""
        older = "older; g makes it anew: " if self._is_outdated else "mixture: "
        return self._result.image, "", older + display_name(self._result.path.name)

    def _picture(self) -> tuple[Image.Image | None, str, str]:
        if self._input is None:
            return None, self._input_fault or NO_FOLDER, ""
        name = display_name(self._input.name)
        if self._input_fault:
            return None, f"✗ {self._input_fault}", name
        return self._input_image, "", name
