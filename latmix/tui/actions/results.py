"""What the keys do with results: look, mark, compare their recipes, go back to one, export."""

from __future__ import annotations

from pathlib import Path

from latmix.jobs.engine import JobFinished
from latmix.jobs.screen import history
from latmix.jobs.screen.history import Compared, Looked, Revisited
from latmix.mixing.mixture import mixture_of
from latmix.names import display_name, plural
from latmix.tui.dialogs.differences import DifferencesDialog
from latmix.tui.dialogs.text_entry import ExportDialog
from latmix.tui.explorer import Explorer
from latmix.tui.messages import ResultChosen, StripWanted
from latmix.tui.pictures.history_strip import HistoryStrip
from latmix.tui.pictures.picture_pane import Result

NO_RESULTS = "No results yet: g makes one."


class Results(Explorer):
    """The commands on results, and what comes back from their jobs."""

    # Looking

    def action_look(self, by: int) -> None:
        """Look at a newer (positive) or older result."""
        results = self.session.results
        if not results:
            self.say(NO_RESULTS)
            return
        shown = self.session.shown
        at = results.index(shown) if shown in results else len(results) - 1
        if shown is not None and self.pane.shows_mixture:
            at = max(0, min(len(results) - 1, at + by))
        self.look_at(results[at])

    def look_at(self, path: Path) -> None:
        """Show a result in the pane."""
        self.session.look_at(path)
        self.pane.turn(to_mixture=True)
        self.work.read_result(path)
        self.history.show()
        at = len(self.session.results) - self.session.results.index(path)
        self.say(f"result {at} of {len(self.session.results)}: {display_name(path.name)}")
        self.save_soon()

    def on_result_chosen(self, message: ResultChosen) -> None:
        self.look_at(message.path)

    def on_strip_wanted(self, message: StripWanted) -> None:
        paths = message.paths
        self.work.ask("strip", lambda: history.read_strip(paths))

    def action_switch_pane(self) -> None:
        """Between the pictures and the results."""
        there = self.history.has_focus
        if there or not self.session.results:
            self.pictures.focus()
            if not self.session.results:
                self.say(NO_RESULTS)
        else:
            self.history.focus()
            self.action_look(0)
        self.session.view["pane"] = "results" if self.session.results and not there else "pictures"
        self.save_soon()

    def action_mark_result(self) -> None:
        path = self.session.shown
        if path is None:
            self.say(NO_RESULTS)
            return
        is_marked = self.session.mark(path)
        self.history.show()
        self.say(
            f"{'Marked' if is_marked else 'Unmarked'} {display_name(path.name)}; "
            f"{plural(len(self.session.marked), 'result')} marked: E exports, d compares."
        )
        self.save_soon()

    # Comparing recipes

    def action_compare_recipes(self) -> None:
        """What differs between the result looked at and another: the marked one, or the older."""
        pair = self._pair()
        if pair is None:
            self.say("Two results are needed to compare: g makes one, + marks one.")
            return
        left, right = pair
        self.work.ask("diff", lambda: history.compare_results(left, right))

    def _pair(self) -> tuple[Path, Path] | None:
        results, shown = self.session.results, self.session.shown
        others = [path for path in self.session.marked if path != shown]
        if shown is None and len(others) > 1:
            return others[-2], others[-1]
        if shown is None:
            return None
        if others:
            return others[-1], shown
        at = results.index(shown)
        if len(results) < 2:
            return None
        return (results[at - 1], shown) if at else (shown, results[1])

    # Export

    def action_export_results(self) -> None:
        chosen = self.session.marked or ([self.session.shown] if self.session.shown else [])
        if not chosen:
            self.say(NO_RESULTS)
            return
        there = self.session.view.get("export") or str(Path.cwd() / "latmix-results")
        self.push_screen(ExportDialog(len(chosen), there), self._export_to)

    def _export_to(self, folder: str | None) -> None:
        if not folder:
            return
        self.session.view["export"] = folder
        paths = list(self.session.marked or [self.session.shown or Path()])
        place = Path(folder).expanduser().absolute()
        self.work.ask("export", lambda: history.export_results(paths, place))

    # Going back

    def action_restore_result(self) -> None:
        """Back to the pictures, weights and settings that the result looked at was made from."""
        path = self.session.shown
        if path is None:
            self.say(NO_RESULTS)
            return
        places = list(self.session.pictures)
        self.say(f"looking for the pictures of {display_name(path.name)}…")
        self.work.ask("revisit", lambda: history.revisit(path, places))

    def _take_revisited(self, there: Revisited) -> None:
        known = {str(path) for path in self.session.pictures}
        if all(str(path) in known for path in there.weights):
            self.restore(there)
        else:
            self.open_to_restore(there)

    def open_to_restore(self, there: Revisited) -> None:
        """Open the folder of a result's pictures, and go back to it then."""
        raise NotImplementedError

    def restore(self, there: Revisited) -> None:
        """Take a result's state; its pictures are in the folder that is open."""
        session = self.session
        weights = {str(path): weight for path, weight in there.weights.items()}
        session.choose(mixture=mixture_of(weights), **there.choices.kept())
        shown = display_name(there.path.name)
        self.pane.turn(to_mixture=True)
        said = f"Back to what {shown} was made from; u undoes it."
        setting = self.work.setting
        if setting is not None and there.model != setting.model:
            said += f" It was made by {display_name(there.model)}: M chooses the model."
        self.changed(said)

    # Taking

    def take_history(self, event: JobFinished) -> None:
        """What a job on results has found."""
        match event.result:
            case _ if not self.work.is_wanted(event):
                return
            case Looked() as looked if looked.path == self.session.shown:
                choices = self.choices_of.get(looked.path)
                self.pane.take_result(Result(looked.path, looked.picture, choices))
                self.pane.compare(self.session.choices)
                self.pane.turn(to_mixture=True)
            case Compared() as compared:
                self.push_screen(DifferencesDialog(compared))
            case Revisited() as there:
                self._take_revisited(there)
            case dict() as pictures:
                self.history.take_pictures(pictures)
            case list() as copied if copied:
                folder = display_name(copied[0].parent)
                self.copy(str(copied[0].parent))
                said = f"{plural(len(copied), 'result')} in {folder} (its path is copied)."
                self.say(said)
                self.notify(said, markup=False)

    @property
    def history(self) -> HistoryStrip:
        return self.screen_stack[0].query_one(HistoryStrip)

    def copy(self, text: str) -> None:
        raise NotImplementedError
