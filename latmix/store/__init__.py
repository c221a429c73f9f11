"""Latents on disk, kept by content (`latents` is the door). Importing it loads no torch.

From the ground: the file format (`shards`), reading it with every row checked (`reading`), the
folder of a space (`folders`), where each row lies (`index`), a space open for use (`space`,
`companions`), checking and tidying them all (`upkeep`, `packing`).
"""
