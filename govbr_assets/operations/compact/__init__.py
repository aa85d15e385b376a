"""Compaction: the shards of closed days and files of any origin into one sorted file a year, in small memory."""
