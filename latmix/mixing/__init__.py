"""How latents are mixed: the grid of methods, the weights, the formulas and the statistics.

`norms`, `splits`, `grid` and `mixture` load no torch, so that the command line and the terminal UI
can name methods and edit weights before it is there. With torch, from the ground up: `summary` and
`gram` hold what is known of the latents, `weighting` what some weights make of it and how the
result is scaled; `formula` forms mixtures, `statistics`, `influence` and `live` say what they are.
Nothing here knows a model, a file or a screen.
"""
