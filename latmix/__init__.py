"""latmix: explore mixtures of diffusion latents that do not degenerate.

Importing it costs nothing: each public name loads its room, and torch, when it is first used.

    import latmix
    model = latmix.load_model("mini")
    latents = latmix.invert(model, ["a.png", "b.png", "c.png"])
    picture = latmix.generate(model, latmix.mix(latents))[0]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latmix.errors import LatmixError
    from latmix.mixing.formula import mix
    from latmix.mixing.grid import Method, methods
    from latmix.mixing.mixture import Mixture
    from latmix.mixing.norms import Norm
    from latmix.mixing.splits import Split
    from latmix.models.loading import load_model
    from latmix.sampling.pictures import generate, invert

    __version__: str

__all__ = [
    "LatmixError",
    "Method",
    "Mixture",
    "Norm",
    "Split",
    "__version__",
    "generate",
    "invert",
    "load_model",
    "methods",
    "mix",
]

_ROOMS = {
    "LatmixError": "latmix.errors",
    "Method": "latmix.mixing.grid",
    "Mixture": "latmix.mixing.mixture",
    "Norm": "latmix.mixing.norms",
    "Split": "latmix.mixing.splits",
    "generate": "latmix.sampling.pictures",
    "invert": "latmix.sampling.pictures",
    "load_model": "latmix.models.loading",
    "methods": "latmix.mixing.grid",
    "mix": "latmix.mixing.formula",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("latmix")
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'latmix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
