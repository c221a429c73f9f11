"""The paper's experiments: many mixtures at once, what they look like, and the numbers.

Each is a job like any other: a generator that yields `Progress`, never prints, keeps what it has
finished and returns plain numbers. The modules called `..._figure` draw them with matplotlib, an
optional extra, in the look of `figures`; `chart` draws them as text, `sheet` as a contact sheet.

Source of the experiments: Landolsi & Kahl, *Addressing degeneracies in latent interpolation for
diffusion models*, arXiv 2505.07481 ("L&K").
"""
