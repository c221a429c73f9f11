"""Pictures that were made, with the recipes that make them again."""
