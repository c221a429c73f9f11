"""Every command of the terminal UI: the one table that keys, footer, help and palette come from."""

from __future__ import annotations

from textual.binding import Binding

from latmix.tui.keys.command import Command

FINE = 0.01
COARSE = 0.1


WEIGHTS, PICTURES, MAKING, PROGRAM = "Weights", "Pictures", "Making", "Program"
RESULTS = "Results"

COMMANDS: tuple[Command, ...] = (
    Command(
        "weight.less", "h,left", f"nudge(-{FINE})", "h/l  ← →", "A little less weight",
        "Take 0.01 from the picture under the cursor; the others keep their proportions.",
        WEIGHTS, footer="weight",
    ),
    Command(
        "weight.more", "l,right", f"nudge({FINE})", "l  →", "A little more weight",
        "Add 0.01 to the picture under the cursor.", WEIGHTS,
    ),
    Command(
        "weight.much_less", "H,shift+left", f"nudge(-{COARSE})", "H  shift+←", "Less weight",
        "Take 0.1 from the picture under the cursor.", WEIGHTS,
    ),
    Command(
        "weight.much_more", "L,shift+right", f"nudge({COARSE})", "L  shift+→", "More weight",
        "Add 0.1 to the picture under the cursor.", WEIGHTS,
    ),
    Command(
        "weight.set", "enter", "type_weight", "enter  1-9 .", "Type a weight",
        "Type 0.3 or 30 (percent), then enter; escape leaves it as it was.", WEIGHTS,
    ),
    Command(
        "weight.mute", "0", "mute", "0", "Mute",
        "No weight on the picture under the cursor.", WEIGHTS,
    ),
    Command(
        "weight.solo", "s", "solo", "s", "Solo",
        "All the weight on the picture under the cursor.", WEIGHTS,
    ),
    Command(
        "mix.equalise", "equals_sign", "equalise", "=", "Equal weights",
        "The same weight on every picture of the mixture.", WEIGHTS,
    ),
    Command(
        "mix.randomise", "x", "randomise", "x", "Random weights",
        "Weights drawn uniformly (Dirichlet) with a new seed, which is shown and kept.", WEIGHTS,
    ),
    Command(
        "weight.pin", "asterisk", "pin", "*", "Pin",
        "Keep the weight of the picture under the cursor while others are edited, or no longer.",
        WEIGHTS,
    ),
    Command(
        "bookmark.set", "B", "bookmark", "B", "Set a bookmark",
        "Keep these weights, method and prompt to come back to; again removes it.", WEIGHTS,
    ),
    Command(
        "bookmark.previous", "left_square_bracket", "go_to_bookmark(-1)", "[ ]",
        "Previous bookmark", "To the bookmark before the last one come to; ] to the next.",
        WEIGHTS,
    ),
    Command(
        "bookmark.next", "right_square_bracket", "go_to_bookmark(1)", "]", "Next bookmark",
        "To the bookmark after the last one come to.", WEIGHTS,
    ),
    Command(
        "weights.copy", "C", "copy_weights", "C", "Copy the weights",
        "Copy the weights as CSV; text pasted into the window, CSV or -w words, sets them.",
        WEIGHTS,
    ),
    Command(
        "weights.load", "I", "load_weights", "I", "Weights from a file",
        "Take the weights of a CSV file, as latmix mix --weights does.", WEIGHTS,
    ),
    Command(
        "weights.export", "X", "export", "X", "Write to a file",
        "Write the weights as CSV, or the paths of the marked pictures.", WEIGHTS,
    ),
    Command(
        "history.undo", "u,ctrl+z", "undo", "u  ctrl+z", "Undo",
        "Back to the weights, method, N or prompt before the last change.", WEIGHTS,
    ),
    Command(
        "history.redo", "ctrl+y,U", "redo", "ctrl+y  U", "Redo",
        "Forward again after an undo.", WEIGHTS,
    ),
    Command(
        "folder.open", "f", "open_folder", "f", "Open a folder",
        "Choose a folder of pictures, or built-in ones.", PICTURES,
    ),
    Command(
        "mix.count", "n,N", "choose_count", "n  N", "Choose N",
        "How many pictures to mix: the first N of the folder, with equal weights.", PICTURES,
    ),
    Command(
        "mix.toggle", "space", "toggle_picture", "space", "In or out",
        "Take the picture under the cursor into the mixture, or out of it.", PICTURES,
    ),
    Command(
        "list.filter", "slash", "filter", "/", "Filter",
        "Show the pictures that have these words in their name; escape shows all again.", PICTURES,
    ),
    Command(
        "list.order", "O", "order", "O", "Order",
        "By name or weight; by norm or influence once the pictures are inverted.", PICTURES,
    ),
    Command(
        "list.mark", "a", "mark", "a", "Mark",
        "Mark the picture and move down: space, 0, = and * are then for all marked ones.", PICTURES,
    ),
    Command(
        "list.mark_all", "A", "mark_all", "A", "Mark all or none",
        "Mark all pictures that are shown, or none if any is marked.", PICTURES,
    ),
    Command(
        "list.paths", "Y", "copy_paths", "Y", "Copy paths",
        "Copy the paths of the marked pictures, or of the one under the cursor.", PICTURES,
    ),
    Command(
        "list.group", "Z", "group", "Z", "Group by folder",
        "Show each folder's pictures under its name, with their number.", PICTURES,
    ),
    Command(
        "list.fold", "z", "fold", "z", "Fold a folder",
        "Hide the pictures of the folder under the cursor, or show them again.", PICTURES,
    ),
    Command(
        "list.pictures", "T", "small_pictures", "T", "Small pictures",
        "Show a small picture beside each name, or none.", PICTURES,
    ),
    Command(
        "list.failures", "F", "show_failures", "F", "Pictures left out",
        "Those that could not be used, with the reasons, to try again.", PICTURES,
    ),
    Command(
        "picture.open", "o", "open_picture", "o", "Open in the viewer",
        "Open the picture shown in the system's viewer; without one, its path is copied.", PICTURES,
    ),
    Command(
        "picture.flip", "v", "flip_view", "v", "Mixture or input",
        "Show the picture of the mixture, or the one under the cursor.", PICTURES,
    ),
    Command(
        "job.invert", "i", "invert", "i", "Invert",
        "Find the latents of the mixture's pictures; each is made once and kept.",
        MAKING, footer="invert",
    ),
    Command(
        "job.generate", "g", "generate", "g", "Generate",
        "Make the picture of the mixture; inverts first where that is needed.",
        MAKING, footer="generate",
    ),
    Command(
        "job.cancel", "escape", "cancel_job", "esc", "Stop",
        "Stop the job after its call of the network; what was finished is kept.",
        MAKING, footer="stop",
    ),
    Command(
        "job.pause", "P", "pause_job", "P", "Pause or go on",
        "Let the job at work wait; again lets it go on.", MAKING,
    ),
    Command(
        "job.interrupt", "ctrl+c", "interrupt", "ctrl+c", "Stop",
        "The same as escape; never ends the program.", MAKING,
    ),
    Command(
        "mix.method", "m", "choose_method", "m", "Choose the method",
        "The grid of norm targets and mean splits, with what each does.", MAKING, footer="method",
    ),
    Command(
        "job.compare", "c", "compare_methods", "c", "Compare methods",
        "Drafts by up to six methods at the same weights, side by side; enter takes one.", MAKING,
    ),
    Command(
        "job.sweep", "S", "sweep_count", "S", "Sweep over N",
        "Drafts of the first 2, 4, 8, ... pictures of the mixture, by its method.", MAKING,
    ),
    Command(
        "mix.numbers", "V", "show_numbers", "V", "All the numbers",
        "The mixture's statistics in full, and what each of its pictures does to it.", MAKING,
    ),
    Command(
        "job.drafts", "D", "toggle_drafts", "D", "Drafts on or off",
        "Follow every change with a picture of few steps; g makes it in full.", MAKING,
    ),
    Command(
        "prompt.edit", "p", "edit_prompt", "p", "Edit the prompt",
        "What the pictures show, for all or for the picture under the cursor alone.", MAKING,
    ),
    Command(
        "settings.edit", "comma", "edit_settings", ",", "Settings",
        "Steps, guidance, solver, size, fit, negative prompt, and the steps of drafts.", MAKING,
    ),
    Command(
        "model.choose", "M", "choose_model", "M", "Choose the model",
        "The models on this machine, and what fetching another would cost.", MAKING,
    ),
    Command(
        "command.copy", "y", "copy_command", "y", "Copy as a command",
        "Show and copy the shell command that makes this mixture.", MAKING,
    ),
    Command(
        "result.older", "less_than_sign", "look(-1)", "< >", "An older result",
        "Look at the result made before the one shown; > at the one made after it.", RESULTS,
    ),
    Command(
        "result.newer", "greater_than_sign", "look(1)", ">", "A newer result",
        "Look at the result made after the one shown.", RESULTS,
    ),
    Command(
        "result.pane", "w", "switch_pane", "w", "Pictures or results",
        "Move between the pictures and the row of results; there the arrows look at others.",
        RESULTS,
    ),
    Command(
        "result.mark", "plus", "mark_result", "+", "Mark the result",
        "Mark the result shown, to export it or to compare it with another.", RESULTS,
    ),
    Command(
        "result.differences", "d", "compare_recipes", "d", "Differences",
        "What differs between the result shown and the marked one, or else the one before it.",
        RESULTS,
    ),
    Command(
        "result.restore", "r", "restore_result", "r", "Back to the result",
        "Back to the pictures, weights, method and settings that the result was made from.",
        RESULTS,
    ),
    Command(
        "result.export", "E", "export_results", "E", "Export results",
        "Copy the marked results, or the one shown, into a folder.", RESULTS,
    ),
    Command(
        "program.help", "question_mark,f1", "show_help", "?  f1", "Help",
        "All keys.", PROGRAM, footer="help",
    ),
    Command(
        "program.theme", "t", "choose_theme", "t", "Theme",
        "Choose the colours; seen at once, and kept.", PROGRAM,
    ),
    Command(
        "program.quit", "q", "quit", "q", "Quit",
        "End at once, also in the middle of a job; everything is kept for the next start.",
        PROGRAM, footer="quit",
    ),
)  # fmt: skip

LIST_KEYS = (
    ("j/k  ↓ ↑", "Down, up"),
    ("pgup pgdn home end", "A page, the first, the last"),
    ("tab  shift+tab", "The next, the previous picture of the mixture"),
)
"""Keys of the list itself, for the help."""


def bindings() -> list[Binding]:
    """Of the app."""
    return [command.binding() for command in COMMANDS]
