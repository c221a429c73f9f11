"""Find, read, fit and write pictures. Every room may call this; it knows no models and no torch.

Pictures come from strangers: a file may be cut short, lie about its size, or be no picture. All
reading is of regular files only, with the size checked before a pixel is decoded, and everything
that goes wrong with one picture is a `PictureError`, so that the others can still be used.
Pixels come out one way whatever went in: RGB, 8 bits, upright, sRGB, without transparency.
"""
