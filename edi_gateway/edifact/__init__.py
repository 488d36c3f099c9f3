"""Bytes, segments, interchanges; findings; acknowledgements."""
