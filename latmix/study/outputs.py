"""Where a study writes: one picture, its figures beside it as CSV and JSON, its cells in a folder.

All bear the picture's name, so that the same command finds what it has made before.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latmix.errors import UsageError
from latmix.images import check_writable
from latmix.names import display_name
from latmix.store.durable import write_durably, write_json_durably
from latmix.store.results import output_name


@dataclass(frozen=True)
class Outputs:
    """The files of a study.

    Attributes:
        picture: the sheet or figure.
    """

    picture: Path

    @property
    def table(self) -> Path:
        """The CSV."""
        return self.picture.with_suffix(".csv")

    @property
    def content(self) -> Path:
        """The JSON."""
        return self.picture.with_suffix(".json")

    @property
    def cells(self) -> Path:
        """The folder of the single pictures."""
        return self.picture.with_name(f"{self.picture.stem}-cells")

    def write(self, rows: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> None:
        """The CSV and the JSON, each whole or not at all.

        Raises:
            StoreError: one cannot be written.
        """
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_durably(self.table, lambda file: file.write(text.getvalue().encode("utf-8")))
        write_json_durably(self.content, content)


def find_outputs(
    named: Path | None, study: str, pictures: Sequence[Path], suffixes: Sequence[str] = (".png",)
) -> Outputs:
    """The files of a study: those named, else FOLDER-STUDY.png and so on here.

    Args:
        named: what -o says.
        pictures: the study's pictures, of which none may be written over.
        suffixes: of the pictures that can be written.

    Raises:
        UsageError: the name has another ending, or is one of the pictures.
        LatmixError: its folder is not there or cannot be written.
    """
    default = Path(output_name(pictures, study)).stem.rpartition("-n")[0]
    outputs = Outputs(named or Path(f"{default}.png"))
    shown = display_name(outputs.picture)
    if outputs.picture.suffix.lower() not in suffixes:
        raise UsageError(
            f"The output {shown} does not end in {' or '.join(suffixes)}.", "Name it so."
        )
    taken = {path.resolve() for path in pictures}
    for path in (outputs.picture, outputs.table, outputs.content):
        if check_writable(path) in taken:
            raise UsageError(f"The output {shown} is one of the pictures.", "Give it another name.")
    return outputs
