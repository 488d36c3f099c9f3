"""The directories as data: one JSON file each, and what trade practice adds to their code lists.

`d96a.json`, `d01b.json`: the UN directories D.96A and D.01B for the messages the gateway carries.
`syntax-3.json`, `syntax-4.json`: the service segments and CONTRL of syntax versions 3 and 4.
`additional-codes.json`: codes used in trade that a directory's own lists lack, by directory and element.
`eancom-1997.json`, `eancom-2002.json`: what EANCOM demands beyond them (see `messages/guideline.py`).

Only facts are kept: identifiers, status, repetition, formats, code values, structure. Notation:

- a *message* is one line of tags; ``!`` marks mandatory, ``*35`` the most repetitions, parentheses a
  segment group, whose first segment triggers it. Groups are numbered SG1, SG2, ... in reading order.
- a *segment* or *composite* is one line of element identifiers with the same two marks.
- an *element* is a format: ``an..35`` up to 35 characters, ``n3`` exactly three digits.
- a *code list* is one line of codes.
"""
