"""Commands, their keys, and where both are found."""
