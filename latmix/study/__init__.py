"""The paper's experiments: many mixtures at once, what they look like, and the numbers.

Each is a job like any other: a generator that yields `Progress`, never prints, and keeps what it
has finished. Source of the experiments: Landolsi & Kahl, *Addressing degeneracies in latent
interpolation for diffusion models*, arXiv 2505.07481 ("L&K").
"""
