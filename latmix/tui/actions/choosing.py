"""What the keys do with numbers, drafts, prompts, settings and models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from latmix.jobs.screen import choosing
from latmix.names import display_name, plural
from latmix.session import shell
from latmix.tui.dialogs.model import ModelDialog
from latmix.tui.dialogs.prompt import PromptAnswer, PromptDialog
from latmix.tui.dialogs.reading import NoticeDialog, NumbersDialog
from latmix.tui.dialogs.settings import SettingsDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area

AREA = Area("Making")


@AREA.command("mix.numbers", "V", "V", "All the numbers", opens=True)
def show_numbers(explorer: Explorer) -> None:
    """The mixture's statistics in full, and what each of its pictures does to it."""
    session, found = explorer.session, explorer.panel.statistics
    latents, inversion, live = session.latents, session.inversion, session.latents.live
    if found is None or inversion is None or live is None:
        explorer.say("No numbers yet: i inverts the pictures of the mixture.")
        return
    paths, weights = [row.path for row in inversion.rows], latents.weights_by_row()
    inputs = latents.inputs() if live.is_instant else None
    explorer.push_screen(NumbersDialog(found, session.choices.method, paths, weights, inputs))


@AREA.command("job.drafts", "D", "D", "Drafts on or off")
def toggle_drafts(explorer: Explorer) -> None:
    """Follow every change with a picture of few steps; g makes it in full."""
    session = explorer.session
    session.drafts = not session.drafts
    steps = plural(session.draft_steps, "step")
    explorer.changed(
        f"Every change is followed by a draft of {steps} now; D stops that."
        if session.drafts
        else "No drafts any more; D brings them back, g makes a picture."
    )


@AREA.command("prompt.edit", "p", "p", "Edit the prompt", opens=True)
def edit_prompt(explorer: Explorer) -> None:
    """What the pictures show, for all or for the picture under the cursor alone."""
    session, path = explorer.session, explorer.pictures.current
    mixed = [Path(key) for key in session.mixture.keys] if session.mixture else []
    dialog = PromptDialog(session.choices.prompt, path)
    explorer.open(dialog, partial(_take_prompt, explorer, path))
    explorer.ask("prompts", lambda: choosing.read_prompts(path, mixed), dialog.show_prompts)


def _take_prompt(explorer: Explorer, path: Path | None, answer: PromptAnswer) -> None:
    if explorer.session.choose(prompt=answer.template):
        explorer.changed("Another prompt: the pictures have other latents now.")
    if answer.own is None or path is None:
        return

    def take(_: None) -> None:
        explorer.session.prompts_changed()
        explorer.jobs.forget_look_ups()
        name = display_name(path.with_suffix(".txt").name)
        explorer.changed(f"{name} says what {display_name(path.name)} shows.")

    explorer.ask("sidecar", partial(choosing.write_sidecar, path, answer.own), take)


@AREA.command("settings.edit", "comma", ",", "Settings", opens=True)
def edit_settings(explorer: Explorer) -> None:
    """Steps, guidance, solver, size, fit, negative prompt, and the steps of drafts."""
    dialog = SettingsDialog(explorer.session)
    explorer.open(dialog, lambda values: take_settings(explorer, **values))


def take_settings(explorer: Explorer, **values: Any) -> None:
    """Choose settings by name, and say what that means for the latents."""
    session, before = explorer.session, explorer.session.choices
    if not session.choose(**values):
        explorer.say("Nothing is changed.")
    elif before.same_latents(session.choices):
        explorer.changed("Other settings; the latents stay.")
    else:
        explorer.changed("Other settings: the pictures have other latents now; i finds them.")


@AREA.command("model.choose", "M", "M", "Choose the model", opens=True)
def choose_model(explorer: Explorer) -> None:
    """The models on this machine, and what fetching another would cost."""
    used = explorer.jobs.working_model
    current = used.model if used else explorer.session.model
    dialog = ModelDialog(current)
    explorer.open(dialog, partial(take_model, explorer))
    further = (current, explorer.config.model)
    explorer.ask("models", lambda: choosing.list_models(*further), dialog.show_choices)


def take_model(explorer: Explorer, name: str) -> None:
    """Use another model from now on."""
    used = explorer.jobs.working_model
    if used is not None and name == used.model:
        explorer.say(f"{display_name(name)} is in use already.")
    else:
        explorer.say(f"looking at {display_name(name)}…")
        explorer.jobs.use_model(name)


@AREA.command("command.copy", "y", "y", "Copy as a command", opens=True)
def copy_command(explorer: Explorer) -> None:
    """Show and copy the shell command that makes this mixture."""
    command = shell.command(explorer.session)
    explorer.copy(command)
    explorer.push_screen(NoticeDialog("The same from the shell (copied)", command))
