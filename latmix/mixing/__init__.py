"""How latents are mixed: the grid of methods, the weights, the formulas and the statistics.

`grid` and `mixture` are plain Python, so that the command line and the terminal UI can name methods
and edit weights before torch is loaded; `formula`, `summary` and `statistics` compute with torch.
Nothing here knows a model, a file or a screen.
"""
