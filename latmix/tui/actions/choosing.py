"""What the keys do with models, settings and prompts: dialogs, and their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latmix.jobs.engine import JobFinished
from latmix.jobs.screen import choosing
from latmix.jobs.screen.choosing import Prompts
from latmix.names import display_name
from latmix.tui.dialogs.model import ModelDialog
from latmix.tui.dialogs.prompt import PromptAnswer, PromptDialog
from latmix.tui.dialogs.settings import SettingsDialog
from latmix.tui.explorer import Explorer


class Choosing(Explorer):
    """The commands that choose how pictures become latents and pictures again."""

    # Settings

    def action_edit_settings(self, focus: str = "steps") -> None:
        dialog = SettingsDialog(self.session.choices, self.session.draft_steps, focus)
        self.push_screen(dialog, self._settings_chosen)

    def _settings_chosen(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.take_settings(**values)

    def take_settings(self, **values: Any) -> None:
        """Choose settings by name, and say what that means for the latents."""
        before = self.session.choices
        drafts = values.pop("draft_steps", self.session.draft_steps)
        is_new = drafts != self.session.draft_steps
        self.session.draft_steps = drafts
        if not self.session.choose(**values) and not is_new:
            self.say("Nothing is changed.")
        elif before.same_latents(self.session.choices):
            self.changed("Other settings; the latents stay.")
        else:
            self.changed("Other settings: the pictures have other latents now; i finds them.")

    # Models

    def action_choose_model(self) -> None:
        current = self.work.setting.model if self.work.setting else self.session.model
        self.push_screen(ModelDialog(current), self.take_model)
        further = (current, self.config.model)
        self.work.ask("models", lambda: choosing.list_models(*further))

    def take_model(self, name: str | None) -> None:
        """Use another model from now on."""
        if name is None:
            return
        if self.work.setting is not None and name == self.work.setting.model:
            self.say(f"{display_name(name)} is in use already.")
            return
        self.say(f"looking at {display_name(name)}…")
        self.work.use_model(name)

    # Prompts

    def action_edit_prompt(self) -> None:
        """The template of all pictures, and the own prompt of the one under the cursor."""
        path = self.pictures.current
        mixed = [Path(key) for key in self.session.mixture.keys] if self.session.mixture else []
        self.push_screen(PromptDialog(self.session.choices.prompt, path), self._prompt_chosen)
        self.work.ask("prompts", lambda: choosing.read_prompts(path, mixed))

    def _prompt_chosen(self, answer: PromptAnswer | None) -> None:
        if answer is None:
            return
        if self.session.choose(prompt=answer.template):
            self.changed("Another prompt: the pictures have other latents now.")
        if answer.own is not None and answer.path is not None:
            path, own = answer.path, answer.own
            self.work.ask("sidecar", lambda: choosing.write_sidecar(path, own))

    def take_choice(self, event: JobFinished) -> None:
        """What a job about choices has found."""
        match event.result:
            case _ if not self.work.is_wanted(event):
                return
            case Prompts() as prompts if isinstance(self.screen, PromptDialog):
                self.screen.show_prompts(prompts)
            case tuple() as models if isinstance(self.screen, ModelDialog):
                self.screen.show_choices(models)
            case Path() as path:
                self.session.prompts_changed()
                self.work.forget_look_ups()
                name = display_name(path.with_suffix(".txt").name)
                self.changed(f"{name} says what {display_name(path.name)} shows.")
