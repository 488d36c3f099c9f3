"""HTTP: `as2` (the endpoint of our partners), `health`, `api`; `app` puts them together, `server` serves them.

`process` is the whole program: database, work and server, until it is told to stop.
"""
