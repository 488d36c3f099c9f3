"""A simulated vendor: real keys, real AS2, the same engine in the other role.

`warehouse` says what is on the shelves, `answers` decides (pure: order and stock in, documents out), `vendor` is the
table of handlers that makes a gateway a vendor, `process` runs it.
"""
