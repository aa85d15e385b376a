"""Arrow in, Arrow out: rules that need neither Dagster, nor a network, nor a clock."""
