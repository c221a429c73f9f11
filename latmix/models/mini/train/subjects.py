"""What each emoji shows: its name in words, its category, and which emoji count as the same one.

Names are the Unicode CLDR short names of `emojibase-data` (MIT). Needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from latmix.models.mini.train.packages import Package

NAMES = Package(
    package="emojibase-data",
    version="17.0.0",
    licence="MIT",
    integrity="sha512-Yvgb5AWoHViHV/gq1qr5ZAarcBip+B27/ZLRsUJkbgAEaLlZ"
    "/fof9g882LTpmEpyhBNEC0m2SEmItljHsTygjA==",
)
NAMES_MEMBER = "package/en/data.json"
GROUPS_MEMBER = "package/meta/groups.json"

CATEGORIES = {
    "face": "a face",
    "heart": "a heart",
    "animal": "an animal",
    "food": "food",
    "drink": "a drink",
    "plant": "a plant",
    "hand": "a hand",
    "person": "a person",
    "vehicle": "a vehicle",
    "place": "a place",
    "sky": "the sky",
    "clock": "a clock",
    "clothing": "clothing",
    "game": "a game",
    "music": "music",
    "object": "an object",
    "symbol": "a symbol",
    "flag": "a flag",
}
"""Category -> how a caption tells it."""

PAINTED = {"face": 2.0, "heart": 2.0, "animal": 2.0, "food": 2.0, "drink": 1.0, "plant": 1.0}
"""Categories that the denoiser learns, and how often it draws their pictures. All 18, with three
times the names, asked for more training than a processor can give: 75,000 pictures left blobs."""

SEEN = {"person": 0.7, "flag": 0.25}
"""How often the autoencoder draws a picture of a category, where not 1: flags are alike."""

UPRIGHT = frozenset({"flag", "symbol", "clock"})
"""Categories with writing or a sense of direction, which a mirror would spoil."""

SHOWN = frozenset({"2764", "1f600", "1f602", "1f436", "1f431", "1f34e"})
"""Emoji of the documentation's prompts, which are never held out."""

HELD_OUT_SHARE = 0.05

# The first pattern that the start of an emojibase subgroup matches decides.
_CATEGORY_OF = (
    ("cat-face|monkey-face|animal", "animal"),
    ("face", "face"),
    ("heart", "heart"),
    ("hand|body-parts", "hand"),
    ("person|family", "person"),
    ("plant", "plant"),
    ("food", "food"),
    ("drink", "drink"),
    ("transport-(ground|water|air)", "vehicle"),
    ("place|hotel", "place"),
    ("sky", "sky"),
    ("time", "clock"),
    ("clothing", "clothing"),
    ("sport|game|award", "game"),
    ("sound|music", "music"),
    ("flag|country-flag|subdivision-flag", "flag"),
    (
        "emotion|transport-sign|warning|arrow|religion|zodiac|av-symbol|gender|math|punctuation"
        "|currency|other-symbol|keycap|alphanum|geometric",
        "symbol",
    ),
)

# Words in -s that are one thing, and plurals that end otherwise.
_SINGULAR = re.compile(r"(ss|us|is|lens|gas|christmas)$")
_PLURAL = re.compile(r"(people|men|women|children|feet|teeth)$")


@dataclass(frozen=True)
class Subject:
    """One emoji, whoever drew it.

    Attributes:
        code: code points as lower-case hex joined by "-", without variation selectors.
        name: in words, with its article: "a red heart".
        category: a key of `CATEGORIES`.
        identity: the same for emoji that differ only in gender or skin tone.
    """

    code: str
    name: str
    category: str
    identity: str

    @property
    def is_held_out(self) -> bool:
        """Whether it is kept out of training, decided by its identity alone."""
        return is_held_out(self.identity)


def plain_code(code: str) -> str:
    """Code points as lower-case hex without variation selectors, which the sets treat unalike."""
    parts = re.split("[-_ ]", code.lower())
    return "-".join(part.zfill(4) for part in parts if part != "fe0f")


def identity_of(code: str) -> str:
    """The code without skin tone and gender: man, woman and person are one."""
    code = re.sub(r"-1f3f[b-f]", "", plain_code(code))
    code = re.sub(r"-200d-(2640|2642)$", "", code)
    return re.sub(r"1f468|1f469", "1f9d1", code)


def is_held_out(identity: str, share: float = HELD_OUT_SHARE) -> bool:
    """A fixed pseudo-random choice of identities, the same on every machine."""
    if identity in SHOWN:
        return False
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def category_of(subgroup: str) -> str:
    """The category of an emojibase subgroup."""
    return next((c for pattern, c in _CATEGORY_OF if re.match(pattern, subgroup)), "object")


def in_words(label: str) -> str:
    """A CLDR name as a caption tells it: "flag: France" -> "the flag of france"."""
    name = re.sub(r"\s*\(.*?\)", "", label.lower().replace("’", "'")).strip()
    before, colon, after = name.partition(": ")
    if colon and before == "flag":
        return f"the flag of {after}"
    if colon and before == "keycap":
        return f"the keycap {after}"
    if colon and "," not in after:
        name = f"{before} with {after}"
    return f"{article(name)} {name}".strip()


def article(name: str) -> str:
    """The indefinite article that a name takes, "" for a plural or a number."""
    head = re.split(" (?:with|of|in|on|at|and|without) ", name)[0].split()[-1]
    is_plural = _PLURAL.match(head) or (head.endswith("s") and not _SINGULAR.search(head))
    if name[0].isdigit() or is_plural:
        return ""
    return "an" if name[0] in "aeiou" and not re.match("uni|eu|one|us", name) else "a"


def read_subjects(files: Mapping[str, bytes]) -> dict[str, Subject]:
    """The subjects by code, skin tones left out, from the two files of the names package."""
    subgroups: dict[str, str] = json.loads(files[GROUPS_MEMBER])["subgroups"]
    subjects = {}
    for entry in json.loads(files[NAMES_MEMBER]):
        subgroup = subgroups.get(str(entry.get("subgroup")))
        if subgroup is None:
            continue
        code = plain_code(entry["hexcode"])
        category = category_of(subgroup)
        subjects[code] = Subject(code, in_words(entry["label"]), category, identity_of(code))
    return subjects
