"""Jobs of the running program: what was asked, and what became of it."""
