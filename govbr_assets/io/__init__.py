"""The machine: storage, temporary files, memory, threads, deadlines, settings and the environment."""
