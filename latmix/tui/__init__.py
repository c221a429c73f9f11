"""The terminal UI, `latmix explore`. Only the command line calls it, through `run`.

It draws the session and posts intentions: no maths, no files, no torch in this room. Importing it
loads no Textual either.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latmix.errors import LatmixError, StoreError
from latmix.names import display_name
from latmix.process import leave_at_once, logging_to
from latmix.session import saved
from latmix.session.choices import USUAL_COUNT
from latmix.session.machine import Machine
from latmix.session.session import Session

if TYPE_CHECKING:
    from latmix.config import Config
    from latmix.tui.app import ExploreApp
    from latmix.tui.start import Start

CLOSE_SECONDS = 0.5
"""How long the end waits without a word for the step at work."""


@dataclass(frozen=True)
class ExploreOptions:
    """How `latmix explore` was called.

    Attributes:
        folder: None resumes, or else opens the working folder.
        count: pictures of a new mixture.
        choices: fields of `session.Choices` that were given.
        fresh: do not resume.
    """

    folder: Path | None = None
    recursive: bool = False
    count: int = USUAL_COUNT
    model: str = "auto"
    machine: Machine = field(default_factory=Machine)
    choices: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    mouse: bool = True


def run(options: ExploreOptions) -> int:
    """Run the terminal UI until it is left; returns the exit code.

    Raises:
        LatmixError: there is no terminal to draw on, or the configuration cannot be read.
    """
    check_terminal()
    from latmix.config import load_config

    config = load_config()
    with logging_to(config.log_file):
        from latmix.tui.pictures.pixels import find_pixels
        from latmix.tui.terminal.escapes import keep_escapes

        keep_escapes()
        start = replace(make_start(options, config), pixels=find_pixels())
        from latmix.tui.app import ExploreApp

        app = ExploreApp(start)
        app.run(mouse=options.mouse)
        _close(app)
    return app.return_code or 0


def check_terminal() -> None:
    """Textual would draw on anything; what cannot show it is refused here.

    Raises:
        LatmixError: stdin or stderr is no terminal, or the terminal can only print.
    """
    hint = "Without a terminal: latmix centroid FOLDER, latmix mix FOLDER, latmix stats FOLDER."
    for name, stream in (("stdin", sys.stdin), ("stderr", sys.stderr)):
        if stream is None or not stream.isatty():
            raise LatmixError(f"latmix explore needs a terminal, and {name} is not one.", hint)
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        raise LatmixError("latmix explore cannot draw on this terminal (TERM=dumb).", hint)


def make_start(options: ExploreOptions, config: Config) -> Start:
    """The session to begin with, resumed where there is one for this folder.

    Reads the configuration's small files: call it before the screen is up.
    """
    from latmix.jobs.screen.studio import Studio
    from latmix.tui.keys.keymap import check_keymap
    from latmix.tui.keys.scopes import SCOPES
    from latmix.tui.start import Start
    from latmix.tui.terminal.themes import load_themes

    earlier, notes = _saved_session(config)
    keymap = check_keymap(config.keys, SCOPES)
    folder = options.folder.resolve() if options.folder is not None else None
    if folder is not None and not folder.is_dir():
        raise LatmixError(f"There is no folder {display_name(folder)}.", "Check the path given.")
    resumes = not options.fresh and bool(earlier.folder) and folder in (None, earlier.folder)
    session = earlier if resumes else Session(theme=earlier.theme)
    if not resumes and not options.fresh:
        session.results, session.marked = earlier.results, earlier.marked
        session.arranged = earlier.arranged
    session.machine = options.machine
    vars(session).update(config.settings)
    session.recursive = options.recursive or session.recursive
    session.choices = replace(session.choices, **options.choices)
    if options.model != "auto" or not resumes:
        session.model = options.model
    return Start(
        config=config,
        session=session,
        studio=Studio(config, session.model, options.machine),
        themes=load_themes(),
        folder=session.folder if resumes else folder or _working_folder(),
        count=options.count,
        is_resumed=resumes,
        is_plain=bool(os.environ.get("NO_COLOR")),
        keymap=keymap,
        notes=(*notes, *keymap.faults),
    )


def _saved_session(config: Config) -> tuple[Session, tuple[str, ...]]:
    """The saved session, or an empty one; one that is damaged is put aside and named."""
    session = Session(theme="")
    try:
        saved.resume(session, config.session_file)
    except StoreError as error:
        aside, said = config.session_file.with_name("session-damaged.json"), error.message
        with suppress(OSError):
            config.session_file.replace(aside)
            said += f" It is kept as {aside.name}."
        return Session(theme=""), (said,)
    return session, ()


def _working_folder() -> Path | None:
    """The working folder where pictures lie in it."""
    from latmix.images.folders import SUFFIXES

    try:
        with os.scandir() as found:
            here = any(entry.name.lower().endswith(SUFFIXES) for entry in found)
    except OSError:
        return None
    return Path.cwd() if here else None


def _close(app: ExploreApp) -> None:
    """Save, and give the step at work the time to end: then finished latents are written."""
    try:
        saved.save(app.session, app.config.session_file)
    except (LatmixError, ValueError) as error:
        print(f"latmix: the session is not saved: {error}", file=sys.stderr)
    if made := list(app.choices_of):
        from latmix.names import plural

        said = f"made {plural(len(made), 'picture')}, the last is {display_name(made[-1])}"
        print(f"latmix: {said}", file=sys.stderr)
    if app.engines.close(CLOSE_SECONDS):
        return
    code = app.return_code or 0
    if app.work.is_inverting:
        print("latmix: keeping what is finished; ctrl+c leaves at once", file=sys.stderr)
        try:
            while not app.engines.close(CLOSE_SECONDS):
                pass
        except KeyboardInterrupt:
            code = 130
        else:
            return
    leave_at_once(code)
