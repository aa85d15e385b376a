"""The same days into the same dataset by this project and by what somebody would pick instead.

- `programs`: one program a peer, which publishes one day; what all of them are given is in `programs/news.py`.
- `environments`: the packages of each, pinned; `environment` installs them.
- `bench` runs the cases, `repo` says what is on the Hub then, `readers` loads it, `table` prints what came of it.
"""
