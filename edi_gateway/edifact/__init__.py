"""Bytes, segments, interchanges; findings; acknowledgements.

In the order to read them:

    findings, rules                 what can be wrong, as values; the catalogue of this layer (S2xx)
    segment, run, verdict           what was read: segments, headers, messages; what was judged of it
    separators, characters          service characters and character sets: what is declared, what is meant
    tokens, wrapping, oddities      the text of segments: splitting it, lines that were broken, what is odd
    envelope, interchange, events   headers and trailers; one interchange while it is read; what is reported
    limits, reader, writer          bytes to events, to bounds that hold for any bytes, and back
    folding                         text that a character set cannot hold, in letters that it can
    contrl                          the syntax acknowledgement, made and understood
    pydifact                        our objects as pydifact's, for programs that use it
"""
