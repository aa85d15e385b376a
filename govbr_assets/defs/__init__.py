"""All of Dagster, and nothing else: assets, checks, sensors, jobs, resources. They are listed in `definitions`."""
