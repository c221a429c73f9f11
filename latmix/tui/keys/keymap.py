"""The user's own keys: the table `[keys]` of the configuration, by binding id.

    [keys]
    "job.generate" = "G,ctrl+g"
    "strip.mark" = "m"

Textual takes such a table, but drops what it does not know without a word, and takes a key away
from another command without one. So everything is checked here first: what cannot be used is named
in a sentence and left as it was, and the rest holds.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, format_key

from latmix.names import display_name

HELD = re.compile(r"((?:ctrl\+|alt\+|shift\+)*)(.+)")
"""Keys that are held, and the one that is pressed."""

KNOWN = frozenset(key.value for key in Keys) | REPLACED_KEYS.keys()

Scope = Sequence[type]
"""Classes whose bindings can be reached at the same time."""


@dataclass(frozen=True)
class Keymap:
    """What holds, by binding id, and a sentence for each entry that does not."""

    keys: Mapping[str, str]
    faults: tuple[str, ...] = ()

    def shown(self, binding_id: str, usual: str) -> str:
        """A command's keys as a person reads them; `usual` where the user has no others."""
        own = self.keys.get(binding_id)
        if own is None:
            return usual
        return "  ".join(format_key(key) for key in own.split(","))


def check_keymap(written: Mapping[str, str], scopes: Sequence[Scope]) -> Keymap:
    """What of a written table can be used.

    Args:
        written: keys by binding id, several separated by commas.
        scopes: all bindings there are; within one scope no key may have two meanings.
    """
    bindings = _by_id(scopes)
    faults: list[str] = []
    chosen: dict[str, str] = {}
    for name, text in written.items():
        if name not in bindings:
            near = difflib.get_close_matches(name, bindings, n=1)
            advice = f"did you mean {near[0]}?" if near else "`latmix keys` lists them."
            faults.append(f"[keys]: there is no command {display_name(name)}; {advice}")
            continue
        # At commas; a comma alone is the key.
        parts = [part.strip() for part in text.split(",") if part.strip()] or [text.strip()]
        keys = [_normalised(part) for part in parts]
        if None in keys:
            wrong = parts[keys.index(None)]
            faults.append(f"[keys]: {name} = {display_name(text)!r}: {wrong!r} is no key.")
        else:
            chosen[name] = ",".join(key for key in keys if key)
    while clash := _first_clash(chosen, scopes):
        name, key, other = clash
        del chosen[name]
        faults.append(
            f"[keys]: {name} cannot have {format_key(key)}, which is {other.description} "
            f"({other.id}); it keeps {', '.join(map(format_key, bindings[name].key.split(',')))}."
        )
    return Keymap(chosen, tuple(faults))


def _first_clash(
    chosen: Mapping[str, str], scopes: Sequence[Scope]
) -> tuple[str, str, Binding] | None:
    """An entry that must go, the key, and the command that has it."""
    for scope in scopes:
        taken: dict[str, Binding] = {}
        # The user's own come last, so that each is set against what is there.
        for binding in sorted(_bindings(scope), key=lambda b: b.id in chosen):
            for key in chosen.get(binding.id or "", binding.key).split(","):
                other = taken.setdefault(_normalised(key) or key, binding)
                if other.id != binding.id and binding.id in chosen:
                    return binding.id or "", key, other
    return None


def _bindings(scope: Iterable[type]) -> Iterator[Binding]:
    for place in scope:
        for binding in place.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield binding


def _by_id(scopes: Iterable[Scope]) -> dict[str, Binding]:
    return {b.id: b for scope in scopes for b in _bindings(scope) if b.id}


def _normalised(key: str) -> str | None:
    """The key as Textual calls it, or None where there is no such key."""
    if (split := HELD.fullmatch(key)) is None:
        return None
    held, bare = split.groups()
    if len(bare) == 1:
        [binding] = Binding.make_bindings([Binding("comma" if bare == "," else bare, "")])
        return held + binding.key
    if bare in KNOWN:
        return key
    try:
        unicodedata.lookup(bare.replace("_", " "))
    except KeyError:
        return None
    return key


@dataclass(frozen=True)
class KeyRow:
    """A command's id, its keys as they are now, and what it does."""

    id: str
    keys: str
    what: str


def key_rows(keymap: Keymap, scopes: Sequence[Scope]) -> list[KeyRow]:
    """Every binding once, in the order of the scopes."""
    return [
        KeyRow(name, keymap.keys.get(name, binding.key), binding.tooltip or binding.description)
        for name, binding in _by_id(scopes).items()
    ]
