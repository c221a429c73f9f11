"""The mixture's numbers."""
