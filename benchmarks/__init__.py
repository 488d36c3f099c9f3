"""Measurements of the gateway beside its peers, in one run on one machine: `python -m benchmarks NAME [--json]`.

    python -m benchmarks                 the names
    python -m benchmarks as2             progress and a table
    python -m benchmarks as2 --json      progress on stderr, then one JSON document on stdout

Figures are medians and carry their unit in their name (`receive_per_s`, `peak_rss_mb`). What counts is `ratios`: a peer
ran in the same run, on the same machine, on the same input. A peer that cannot run is listed with the reason.

    __main__.py     the table of names, the command line
    result.py       the shape of what a benchmark gives
    <name>.py       one benchmark: `run(arguments, say) -> Result`
"""
