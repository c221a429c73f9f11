"""The paper's experiments: what is measured, and the tables, charts and figures it is shown in.

Each experiment is a job (a generator of `Progress`) that returns plain numbers; `figures` and
`drawings` print them with matplotlib, an optional extra that only they import; `chart` draws them
as text. The command line calls these, and nothing else does.

Source: L&K (Landolsi & Kahl, arXiv 2505.07481) sections 3 to 5.
"""
