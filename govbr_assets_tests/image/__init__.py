"""The image, built and run without Docker, for `make image`: as root, on a Debian machine.

`build` makes it, `container` runs commands in it as a container engine would. `make test` leaves this folder out, for
the build alone takes minutes.
"""
