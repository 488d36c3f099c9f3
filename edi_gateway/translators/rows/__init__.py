"""The segments that the messages share, each tied to fields in one place for both directions.

Every class here is a row of a record's table (`_machinery.RecordMapping`): the table of qualifiers that it
is given says which value goes to which field, and is used to read and to write. Element numbers count as in
`Segment.get`: the first data element after the tag is 1.
"""
