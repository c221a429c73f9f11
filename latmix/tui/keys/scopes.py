"""Which bindings can be reached at the same time: for the user's keys, the help and the tests."""

from __future__ import annotations

from latmix.tui.app import ExploreApp
from latmix.tui.dialogs.dialog import Dialog
from latmix.tui.dialogs.folder import FolderDialog, FolderTree
from latmix.tui.dialogs.help import HelpDialog
from latmix.tui.dialogs.lists import FailuresDialog, ThemeDialog
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.model import ModelDialog
from latmix.tui.dialogs.reading import DifferencesDialog, NoticeDialog, NumbersDialog
from latmix.tui.dialogs.settings import SettingsDialog, WordChoice
from latmix.tui.listing.picture_list import PictureList
from latmix.tui.pictures.history_strip import HistoryStrip
from latmix.tui.pictures.variants import VariantsScreen

SCOPES: tuple[tuple[type, ...], ...] = (
    (ExploreApp, PictureList),
    (HistoryStrip,),
    (VariantsScreen,),
    (Dialog, DifferencesDialog),
    (Dialog, FailuresDialog),
    (Dialog, FolderDialog, FolderTree),
    (Dialog, HelpDialog),
    (Dialog, MethodDialog),
    (Dialog, ModelDialog),
    (Dialog, NoticeDialog),
    (Dialog, NumbersDialog),
    (Dialog, SettingsDialog, WordChoice),
    (Dialog, ThemeDialog),
)
"""The row of results has keys of its own before the program's; dialogs have no others at all."""
