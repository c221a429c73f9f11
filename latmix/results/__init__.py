"""Pictures that were made, with the recipes that make them again.

A recipe, written into a PNG and read back (`recipes`); what differs between two (`differences`);
what a result's file is called (`names`). Building a recipe from a run is for the jobs.
"""
