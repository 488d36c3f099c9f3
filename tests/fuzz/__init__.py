"""Coverage-guided fuzzing of everything that reads what a stranger sends: `make fuzz`.

`targets` says what is called with the bytes and what may come of it; `run` is one target in a process of its own,
driven by atheris (libFuzzer); `python -m tests.fuzz` runs the targets in turn and counts. The kept seeds run in the
ordinary tests too (`test_seeds`), without atheris.
"""
