"""Numbers as files: CSV with a row for each, and JSON. The same numbers give the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latmix.images.png import write_whole


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a table, whole or not at all; its columns are the first row's, None is an empty cell.

    Raises:
        LatmixError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(text.getvalue().encode("utf-8"), path)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain JSON, whole or not at all.

    Raises:
        ValueError: it is not plain: NaN and infinity are not.
        LatmixError: it cannot be written.
    """
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    write_whole(text.encode("ascii"), path)
