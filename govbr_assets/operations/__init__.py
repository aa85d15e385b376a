"""What can be done to a published dataset, one folder or file each. No Dagster."""
