"""CONTRL: the acknowledgement of an interchange's syntax. It is defined by the syntax itself, not by a directory.

Partners write its version as ``2:2`` (EANCOM 1997), ``D:3`` (EANCOM 2002, syntax 3), ``4:1`` (syntax 4) and
otherwise; 0052 = 4 means the table of syntax 4, all else that of syntax 3.
"""

from __future__ import annotations

from edi_gateway.messages._type import Dependency, MessageType

TYPE = MessageType(
    type="CONTRL",
    name_en="Syntax acknowledgement",
    name_fr="Accusé de syntaxe",
    service_directories={"4": "syntax-4", "": "syntax-3"},
    acknowledges=True,
    # The segment in error (0013, 0135) needs an error code (0085), the place in it (S011) needs the segment.
    dependencies=(
        Dependency("UCI", 7, 6),
        Dependency("UCI", 8, 7),
        Dependency("UCF", 7, 6),
        Dependency("UCF", 8, 7),
        Dependency("UCM", 6, 5),
        Dependency("UCM", 7, 6),
        # A message (0062 and S009) or a package (0800 and S020): each needs its other half.
        Dependency("UCM", 2, 3),
        Dependency("UCM", 3, 2),
        Dependency("UCM", 9, 8),
    ),
)
