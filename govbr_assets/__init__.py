"""Publishes a PostgreSQL table of news as a Hugging Face dataset: new rows only, one shard a day, never twice."""
