"""How a picture can be brought to a size: the words alone, for those who need no pixels."""

FITS = ("crop", "pad", "stretch")
