"""Optional packages of other libraries that are here but do not fit."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from latmix.models.parts import without_unfit


@pytest.mark.parametrize(
    ("content", "is_there"),
    [("FITS = True", True), ("raise RuntimeError('operator nms does not exist')", False)],
    ids=["fits", "does not"],
)
def test_a_package_that_cannot_be_imported_is_taken_for_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, is_there: bool
) -> None:
    name = f"latmix_optional_{is_there}"
    (tmp_path / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with without_unfit(name):
            assert (importlib.util.find_spec(name) is not None) == is_there
            if not is_there:
                with pytest.raises(ModuleNotFoundError):
                    importlib.import_module(name)
        assert importlib.util.find_spec(name) is not None, "to others it is as it was"
    finally:
        sys.modules.pop(name, None)


def test_what_is_not_installed_stays_so() -> None:
    with without_unfit("latmix_that_nobody_has"):
        assert "latmix_that_nobody_has" not in sys.modules


def test_a_model_is_loaded_and_used_beside_a_torchvision_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('no nms')")
    (tmp_path / "torchvision-0.1.dist-info").mkdir()
    about = "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1\n"
    (tmp_path / "torchvision-0.1.dist-info" / "METADATA").write_text(about)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import latmix, torch\n"
        "for name in ('mini', 'mini-flow'):\n"
        "    model = latmix.load_model(name, device='cpu')\n"
        "    latmix.generate(model, torch.randn(*model.source.latent_shape((64, 64))), steps=1)\n"
        "print('torchvision' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
