"""`latmix diff`: what differs between two results."""

from __future__ import annotations

from pathlib import Path

from latmix.mixing.grid import DEFAULT_METHOD
from tests.support.command import QUICK, answer, cli, refused


def test_two_results_are_compared_by_their_recipes(folder: Path, tmp_path: Path) -> None:
    left, right = tmp_path / "left.png", tmp_path / "right.png"
    cli("centroid", folder, "-n", "2", "-o", left, *QUICK)
    cli("centroid", folder, "-n", "2", "--method", "lin/0", "-o", right, *QUICK)
    assert answer(cli("diff", left, right, "--json")) == [
        {"name": "method", "left": DEFAULT_METHOD, "right": "lin/0"}
    ]
    shown = cli("diff", left, right)
    assert shown.stdout.split() == [
        "what",
        "left.png",
        "right.png",
        "method",
        DEFAULT_METHOD,
        "lin/0",
    ]
    same = cli("diff", left, left)
    assert (same.exit_code, same.stdout) == (0, "")
    assert "the same" in same.stderr
    refused(cli("diff", left, folder / "face-0.png"), 1, "carries no recipe")
