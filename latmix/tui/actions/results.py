"""What the keys do with results: look, mark, compare their recipes, go back to one, export."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from pathlib import Path

from latmix.jobs.screen import history
from latmix.jobs.screen.history import Revisited
from latmix.mixing.mixture import mixture_of
from latmix.names import display_name, plural
from latmix.tui.actions.folders import open_folder
from latmix.tui.dialogs.folder import FolderChosen
from latmix.tui.dialogs.reading import DifferencesDialog
from latmix.tui.dialogs.text_entry import ExportDialog
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area, given

AREA = Area("Results")

NO_RESULTS = "No results yet: g makes one."
SHOWN = attrgetter("session.shown")


@AREA.command("result.older", "less_than_sign", "< >", "An older result")
def older(explorer: Explorer) -> None:
    """Look at the result made before the one shown; > at the one made after it."""
    _look(explorer, -1)


@AREA.command("result.newer", "greater_than_sign", ">", "A newer result")
def newer(explorer: Explorer) -> None:
    """Look at the result made after the one shown."""
    _look(explorer, 1)


def _look(explorer: Explorer, by: int) -> None:
    """Look at a newer (positive) or older result."""
    results, shown = explorer.session.results, explorer.session.shown
    if not results:
        explorer.say(NO_RESULTS)
        return
    at = results.index(shown) if shown in results else len(results) - 1
    if shown is not None and explorer.pane.shows_mixture:
        at = max(0, min(len(results) - 1, at + by))
    look_at(explorer, results[at])


def look_at(explorer: Explorer, path: Path) -> None:
    """Show a result in the pane."""
    session = explorer.session
    session.look_at(path)
    explorer.pane.turn(to_mixture=True)
    explorer.read_result(path)
    explorer.history.show()
    at = len(session.results) - session.results.index(path)
    explorer.say(f"result {at} of {len(session.results)}: {display_name(path.name)}")
    explorer.save_soon()


@AREA.command("result.pane", "w", "w", "Pictures or results", opens=True)
def switch_pane(explorer: Explorer) -> None:
    """Move between the pictures and the row of results; there the arrows look at others."""
    session, there = explorer.session, explorer.history.has_focus
    if there or not session.results:
        explorer.pictures.focus()
        if not session.results:
            explorer.say(NO_RESULTS)
    else:
        explorer.history.focus()
        _look(explorer, 0)
    session.view["pane"] = "results" if session.results and not there else "pictures"
    explorer.save_soon()


@AREA.command("result.mark", "plus", "+", "Mark the result")
@given(SHOWN, NO_RESULTS)
def mark(explorer: Explorer, path: Path) -> None:
    """Mark the result shown, to export it or to compare it with another."""
    session = explorer.session
    is_marked = session.mark(path)
    explorer.history.show()
    explorer.say(
        f"{'Marked' if is_marked else 'Unmarked'} {display_name(path.name)}; "
        f"{plural(len(session.marked), 'result')} marked: E exports, d compares."
    )
    explorer.save_soon()


def _pair(explorer: Explorer) -> tuple[Path, Path] | None:
    results, shown = explorer.session.results, explorer.session.shown
    others = [path for path in explorer.session.marked if path != shown]
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


@AREA.command("result.differences", "d", "d", "Differences")
@given(_pair, "Two results are needed to compare: g makes one, + marks one.")
def compare_recipes(explorer: Explorer, pair: tuple[Path, Path]) -> None:
    """What differs between the result shown and the marked one, or else the one before it."""
    explorer.ask(
        "diff",
        partial(history.compare_results, *pair),
        lambda found: explorer.push_screen(DifferencesDialog(*pair, found)),
    )


@AREA.command("result.restore", "r", "r", "Back to the result")
@given(SHOWN, NO_RESULTS)
def restore(explorer: Explorer, path: Path) -> None:
    """Back to the pictures, weights, method and settings that the result was made from."""
    places = list(explorer.session.pictures)
    explorer.say(f"looking for the pictures of {display_name(path.name)}…")
    work = partial(history.revisit, path, places)
    explorer.ask("revisit", work, partial(_take_revisited, explorer))


def _take_revisited(explorer: Explorer, there: Revisited) -> None:
    known = {str(path) for path in explorer.session.pictures}
    take_state = partial(_take_state, explorer, there)
    if all(str(path) in known for path in there.weights):
        take_state()
    else:
        open_folder(explorer, FolderChosen(there.folder, there.recursive), take_state)


def _take_state(explorer: Explorer, there: Revisited) -> None:
    """Take a result's state; its pictures are in the folder that is open."""
    weights = {str(path): weight for path, weight in there.weights.items()}
    explorer.session.choose(mixture=mixture_of(weights), **there.choices.kept())
    explorer.pane.turn(to_mixture=True)
    said = f"Back to what {display_name(there.path.name)} was made from; u undoes it."
    used = explorer.jobs.working_model
    if used is not None and there.model != used.model:
        said += f" It was made by {display_name(there.model)}: M chooses the model."
    explorer.changed(said)


def _marked_or_shown(explorer: Explorer) -> list[Path]:
    session = explorer.session
    return list(session.marked) or ([session.shown] if session.shown else [])


@AREA.command("result.export", "E", "E", "Export results", opens=True)
@given(_marked_or_shown, NO_RESULTS)
def export(explorer: Explorer, paths: list[Path]) -> None:
    """Copy the marked results, or the one shown, into a folder."""
    session = explorer.session
    there = session.view.get("export") or str(Path.cwd() / "latmix-results")

    def take(folder: str) -> None:
        session.view["export"] = folder
        place = Path(folder).expanduser().absolute()
        work = partial(history.export_results, paths, place)
        explorer.ask("export", work, partial(_take_exported, explorer))

    explorer.open(ExportDialog(len(paths), there), take)


def _take_exported(explorer: Explorer, copied: list[Path]) -> None:
    place = copied[0].parent
    explorer.copy(str(place))
    said = f"{plural(len(copied), 'result')} in {display_name(place)} (its path is copied)."
    explorer.say(said)
    explorer.notify(said, markup=False)
