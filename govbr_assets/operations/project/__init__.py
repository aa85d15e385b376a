"""A projection kept equal to its full dataset, file by file.

`mirror` knows which files of both belong together, `files` makes and compares them, and `plan` decides what a commit
does. Two repos cannot change in one commit: the projection follows, and each of its commits names what it mirrors.
"""
