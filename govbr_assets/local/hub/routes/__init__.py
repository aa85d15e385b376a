"""The Hub's HTTP routes, a file to each kind of thing: repos, trees, files, commits, and the two ways of uploading."""
