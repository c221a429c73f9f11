"""What a user has open and has chosen: settings, weights, undo, what is saved. No torch."""
