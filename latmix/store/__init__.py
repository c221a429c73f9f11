"""What latmix keeps on disk: latents by content (`latents`), results with recipes (`results`).

`durable` writes a file so that it is either there in full or not there at all. Importing this
package, or `latents`, loads no torch.
"""
