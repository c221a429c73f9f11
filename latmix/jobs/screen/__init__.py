"""What a screen asks for: short jobs and long ones, for a front end that must not wait."""
