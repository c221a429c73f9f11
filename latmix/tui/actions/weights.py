"""What the keys do with weights: on the picture under the cursor, or on the marked ones."""

from __future__ import annotations

import random
from pathlib import Path

from latmix.names import display_name
from latmix.tui.actions.chosen import about, chosen, edit, on_current
from latmix.tui.explorer import Explorer
from latmix.tui.keys.command import Area
from latmix.tui.messages import BarPulled

AREA = Area("Weights")

FINE = 0.01
COARSE = 0.1

SEEDS = 10_000
"""Seeds of random weights are below this: short enough to read out."""


@AREA.command("weight.less", "h,left", "h/l  ← →", "A little less weight", footer="weight")
def less(explorer: Explorer) -> None:
    """Take 0.01 from the picture under the cursor; the others keep their proportions."""
    _nudge(explorer, -FINE)


@AREA.command("weight.more", "l,right", "l  →", "A little more weight")
def more(explorer: Explorer) -> None:
    """Add 0.01 to the picture under the cursor."""
    _nudge(explorer, FINE)


@AREA.command("weight.much_less", "H,shift+left", "H  shift+←", "Less weight")
def much_less(explorer: Explorer) -> None:
    """Take 0.1 from the picture under the cursor."""
    _nudge(explorer, -COARSE)


@AREA.command("weight.much_more", "L,shift+right", "L  shift+→", "More weight")
def much_more(explorer: Explorer) -> None:
    """Add 0.1 to the picture under the cursor."""
    _nudge(explorer, COARSE)


def _nudge(explorer: Explorer, amount: float) -> None:
    if key := on_current(explorer, folds=True):
        edit(explorer, explorer.session.nudge(key, amount), _stuck(explorer, key))


@AREA.command("weight.set", "enter", "enter  1-9 .", "Type a weight")
def type_weight(explorer: Explorer) -> None:
    """Type 0.3 or 30 (percent), then enter; escape leaves it as it was."""
    pictures = explorer.pictures
    if not (key := on_current(explorer, folds=True)):
        return
    if pictures.entry is None:
        pictures.start_entry()
    elif (weight := pictures.end_entry()) is None:
        explorer.bell()
    else:
        edit(explorer, explorer.session.set_weight(key, weight), _stuck(explorer, key))


@AREA.command("weight.mute", "0", "0", "Mute")
def mute(explorer: Explorer) -> None:
    """No weight on the picture under the cursor."""
    if explorer.pictures.entry is not None:
        explorer.pictures.action_type("0")
    elif keys := chosen(explorer):
        edit(explorer, explorer.session.mute(*keys), about(explorer, keys, "muted"))


@AREA.command("weight.solo", "s", "s", "Solo")
def solo(explorer: Explorer) -> None:
    """All the weight on the picture under the cursor."""
    if key := on_current(explorer):
        edit(explorer, explorer.session.set_weight(key, 1.0))


def pull(explorer: Explorer, pulled: BarPulled) -> None:
    """The mouse pulls a bar, which is one edit: each of its places takes that of the one before."""
    session, held = explorer.session, explorer.session.choices
    before, after = explorer.pulled
    if pulled.is_first:
        before = held
    elif held is after and held is not before:
        session.undo()
    edit(explorer, session.set_weight(str(pulled.path), pulled.weight))
    explorer.pulled = before, session.choices


@AREA.command("mix.equalise", "equals_sign", "=", "Equal weights")
def equalise(explorer: Explorer) -> None:
    """The same weight on every picture of the mixture."""
    keys = chosen(explorer) if explorer.pictures.marked else []
    said = about(explorer, keys, "equal") or "Equal weights."
    edit(explorer, explorer.session.equalise(*keys), said)


@AREA.command("mix.randomise", "x", "x", "Random weights")
def randomise(explorer: Explorer) -> None:
    """Weights drawn uniformly (Dirichlet) with a new seed, which is shown and kept."""
    seed = random.randrange(SEEDS)
    edit(explorer, explorer.session.randomise(seed), f"Random weights, seed {seed}.")


@AREA.command("weight.pin", "asterisk", "*", "Pin")
def pin(explorer: Explorer) -> None:
    """Keep the weight of the picture under the cursor while others are edited, or no longer."""
    mixture = explorer.session.mixture
    keys = [key for key in chosen(explorer) if mixture and key in mixture]
    if not keys or mixture is None:
        explorer.say("Only pictures of the mixture can be pinned: space takes one in.")
        return
    what = "no longer pinned" if mixture.pinned.issuperset(keys) else "pinned"
    said = about(explorer, keys, what) or f"{display_name(Path(keys[0]).name)} {what}."
    edit(explorer, explorer.session.pin(*keys), said)


def _stuck(explorer: Explorer, key: str) -> str:
    """Why a weight cannot go further."""
    mixture = explorer.session.mixture
    others = set(mixture.keys) - {key} if mixture else set()
    if mixture is None or not mixture.pinned & others:
        return ""
    return "Pinned pictures keep their weight." if others <= mixture.pinned else ""
