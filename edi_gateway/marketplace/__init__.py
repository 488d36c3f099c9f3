"""The marketplace's records and their rules. Pure: no I/O, no clock."""
