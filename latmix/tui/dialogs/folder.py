"""The folder tree: only folders, with the number of pictures in each, and the built-in ones.

It asks for a folder's subfolders, and is given them when they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from latmix.jobs.engine import Engine, Job
from latmix.jobs.screen.browsing import FolderEntry, list_folders
from latmix.names import display_name, plural
from latmix.tui.dialogs.dialog import Dialog, error_line
from latmix.tui.keys.binding import key, up_and_down

BUILT_IN = "built-in pictures"


@dataclass(frozen=True)
class FolderChosen:
    """A folder to open; `prompt` is what its pictures show, where that is known."""

    folder: Path
    recursive: bool
    prompt: str | None = None


class FolderTree(Tree[FolderEntry | None]):
    """A tree whose branches are filled when they are opened; None is the built-in pictures'."""

    BINDINGS = [
        *up_and_down("folder", "cursor"),
        key("folder.expand", "right,l", "expand", "Open the branch", "Show the subfolders."),
        key("folder.collapse", "left,h", "collapse", "Close the branch",
            "Hide the subfolders, or go to the folder above."),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__("")
        self.show_root = False
        self.auto_expand = False
        self.guide_depth = 2

    def action_expand(self) -> None:
        if self.cursor_node is not None:
            self.cursor_node.expand()

    def action_collapse(self) -> None:
        node = self.cursor_node
        if node is not None and node.is_expanded and node.allow_expand:
            node.collapse()
        elif node is not None and node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)

    def render_label(
        self, node: TreeNode[FolderEntry | None], base_style: Style, style: Style
    ) -> Text:
        sign = ("▾ " if node.is_expanded else "▸ ") if node.allow_expand else "  "
        # A click on the sign opens the branch, one on the name takes the folder.
        label = Text(style=base_style).append(sign, Style.from_meta({"toggle": True}))
        label.append_text(node.label if isinstance(node.label, Text) else Text(str(node.label)))
        label.stylize(style)
        return label


class FolderDialog(Dialog[FolderChosen]):
    """Choose a folder of pictures."""

    TITLE_TEXT = "Folder"
    KEYS_TEXT = "enter opens it   r with its subfolders   → ← branch   backspace up   esc leaves"
    BINDINGS = [
        key("folder.recursive", "r", "take(True)", "With subfolders",
            "Open the folder with all its subfolders."),
        key("folder.higher", "backspace", "higher", "Up", "Begin one folder higher."),
    ]  # fmt: skip

    def __init__(self, start: Path, engine: Engine) -> None:
        """start: the folder that the tree begins at; engine: reads subfolders."""
        super().__init__(classes="wide")
        self._start, self._engine = start, engine
        self._tree = FolderTree()

    def contents(self) -> ComposeResult:
        yield self._tree
        yield error_line()

    def begin(self) -> None:
        self._fill()
        self._tree.focus()

    def _fill_branch(self, node: TreeNode[FolderEntry | None], entries: list[FolderEntry]) -> None:
        """Fill a branch that was opened."""
        if not self.is_attached:
            return
        node.remove_children()
        for entry in entries:
            node.add(_label(entry), entry, allow_expand=entry.has_folders)
        node.allow_expand = bool(entries)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[FolderEntry | None]) -> None:
        if not event.node.is_root and not event.node.children:
            entry = event.node.data
            read = partial(list_folders, entry.path if entry else None)
            fill = partial(self._fill_branch, event.node)
            self._engine.submit(Job("list", read, fill, self.say))

    def on_tree_node_selected(self, event: Tree.NodeSelected[FolderEntry | None]) -> None:
        entry = event.node.data
        if entry is None or entry.pictures == 0:
            event.node.toggle()
            if entry is not None:
                self.say("No pictures lie in that folder itself; r opens its subfolders'.")
        else:
            self.action_take(False)

    def action_take(self, recursive: bool) -> None:
        node = self._tree.cursor_node
        if node is not None and node.data is not None:
            self.dismiss(FolderChosen(node.data.path, recursive, node.data.prompt))

    def action_higher(self) -> None:
        if self._start.parent != self._start:
            self._start = self._start.parent
            self._fill()

    def _fill(self) -> None:
        self._tree.clear()
        here = FolderEntry(self._start, display_name(self._start), None, True)
        node = self._tree.root.add(Text(display_name(self._start)), here, expand=False)
        node.expand()
        self._tree.root.add(Text(BUILT_IN), None, expand=False).expand()
        self._tree.move_cursor(node)


def _label(entry: FolderEntry) -> Text:
    label = Text(entry.name)
    if entry.pictures:
        label.append(f"  {plural(entry.pictures, 'picture')}", style="dim")
    return label
