"""Optional packages of other libraries that are here but do not fit."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from latmix.models.parts import hide_unfit


@pytest.mark.parametrize(
    ("content", "is_there"),
    [("FITS = True", True), ("raise RuntimeError('operator nms does not exist')", False)],
    ids=["fits", "does not"],
)
def test_a_package_that_cannot_be_imported_is_taken_for_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, is_there: bool
) -> None:
    (tmp_path / "latmix_optional.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        hide_unfit("latmix_optional")
        assert (importlib.util.find_spec("latmix_optional") is not None) == is_there
        if not is_there:
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module("latmix_optional")
    finally:
        sys.modules.pop("latmix_optional", None)


def test_what_is_not_installed_stays_so() -> None:
    hide_unfit("latmix_that_nobody_has")
    assert "latmix_that_nobody_has" not in sys.modules
