"""The documents of this repository: what they say is compared with the code, and their commands are run."""
