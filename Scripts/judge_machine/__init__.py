"""The cases of Scripts/judge-machine.py and how they are run."""
