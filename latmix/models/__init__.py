"""The networks: what a model is, where it is found, and how each family is loaded.

`source` finds and checks a model's files without torch; `protocol` says what a loaded model does;
one file a family does it. `mini/` is the built-in model: an ordinary Stable Diffusion folder.
Nothing here knows how a trajectory is integrated, stored or shown.
"""
