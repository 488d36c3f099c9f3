"""What is kept: tables, units of work, payloads, the event log, migrations. Nothing here decides anything.

Reading order: `base` (column types), `database` (unit of work; where SQLite and PostgreSQL differ), `events` (the
hash-chained log), `payloads`, then the tables: `transmissions`, `partnerships`, `documents`, `business`. `schema` is
all of them; `migrate` brings a database to them.
"""
