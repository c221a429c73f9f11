"""What the two halves of a method, norm target and mean split, have in common. Needs no torch."""

from __future__ import annotations


class Half:
    """One half of a method: a name, and words for people.

    Two are equal that are of one class and hold the same values.

    Attributes:
        name: as it stands in a method's name; of a class that gives none, the class's own.
        formula: what it computes.
        sentence: what it does, in words.
    """

    name: str = ""
    formula: str = ""
    sentence: str = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = vars(cls).get("name") or cls.__name__.lower()  # not that of its parent

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
