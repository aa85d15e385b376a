"""Decisions: which runs are wanted now. Sensors ask them at each tick, `in_process.mend` one after another in one go.

Each reads what is known, asks a rule of `core`, and returns runs to be requested. When to ask, where state is kept
between two questions, and who executes the runs belong to whoever asks.
"""
