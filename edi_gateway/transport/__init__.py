"""The way out: `address` says which addresses we connect to, `http` POSTs once, bounded in time and size."""
