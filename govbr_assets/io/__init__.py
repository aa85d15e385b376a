"""The machine: files at rest, temporary files, memory, and work done in parallel."""
