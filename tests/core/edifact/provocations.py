"""For each rule of the catalogue, a file that breaks it."""

from __future__ import annotations

from edi_gateway.edifact.reader import ReaderLimits
from tests.core.edifact.readings import BODY, ORDER, UNB, UNH, order

UNG = "UNG+ORDERS+A+B+261122:0450+G1+UN+D:96A'"
MESSAGE = f"{UNH}{BODY}UNT+4+1'"
GROUP = f"{UNG}{MESSAGE}UNE+1+G1'"

SMALL = ReaderLimits(
    segment_bytes_max=200,
    message_segments_max=10,
    message_bytes_max=400,
    interchange_messages_max=2,
    file_interchanges_max=2,
    barren_bytes_max=100_000,
)
BEYOND_SMALL = {"S208", "S209", "S235", "S237", "S239", "S270"}
"""The rules that are broken by what is too much for these limits."""

PROVOCATIONS: dict[str, str | bytes] = {
    "S201": "",
    "S202": "<order/>",
    "S203": "DOC+1'" + ORDER,
    "S204": ORDER + "-- \nsent by mail",
    "S205": b"\xef\xbb\xbf" + ORDER.encode(),
    "S206": ORDER.encode("utf-16"),
    "S207": ORDER.replace("'", "’").encode(),
    "S208": ORDER + "x" * 200_000,
    "S209": ORDER * 3,
    "S211": "UNA:X.? '" + ORDER.replace("UNB+", "UNBX", 1),
    "S212": "UNA:+.+ '" + ORDER,
    "S213": "UNA:+.?  " + ORDER,
    "S214": ORDER.replace("'", "\n"),
    "S215": "\n".join(ORDER[begin : begin + 30] for begin in range(0, len(ORDER), 30)),
    "S221": ORDER.replace("PO1", "PO\n1"),
    "S222": ORDER.replace("PO1", "é").encode(),
    "S223": ORDER.replace("PO1", "€").encode("cp1252"),
    "S224": ORDER.replace("UNOC", "UNOA").replace("PO1", "po1"),
    "S225": ORDER.replace("UNOC", "UNOY").replace("PO1", "é"),
    "S226": ORDER.replace("PO1", "P?O1"),
    "S227": ORDER[: ORDER.index("+9'")] + "?",
    "S231": ORDER[:-1],
    "S232": ORDER.replace("+9'", "+9''"),
    "S233": ORDER.replace("BGM", "bgm"),
    "S234": ORDER.replace("BGM", " BGM"),
    "S235": order(f"FTX+{'x' * 300}'"),
    "S236": ORDER[: ORDER.index("+9'")],
    "S237": order("FTX+A'" * 12),
    "S238": order("'" * 120 + BODY, segments=4),
    "S239": order(f"FTX+{'x' * 150}'" * 3),
    "S241": UNB + UNH + BODY + "UNZ+1+REF1'",
    "S242": ORDER.replace("UNT+4", "UNT+5"),
    "S243": ORDER.replace("UNT+4+1", "UNT+4+2"),
    "S244": UNB + MESSAGE + MESSAGE + "UNZ+2+REF1'",
    "S251": UNB + UNG + MESSAGE + "UNZ+1+REF1'",
    "S252": UNB + GROUP.replace("UNE+1", "UNE+2") + "UNZ+1+REF1'",
    "S253": UNB + GROUP.replace("UNE+1+G1", "UNE+1+G2") + "UNZ+1+REF1'",
    "S254": UNB + UNG + "UNE+0+G1'" + "UNZ+1+REF1'",
    "S255": UNB + GROUP.replace("UNH+1+ORDERS", "UNH+1+INVOIC") + "UNZ+1+REF1'",
    "S256": UNB + GROUP + GROUP.replace("UNH+1", "UNH+2").replace("UNT+4+1", "UNT+4+2") + "UNZ+2+REF1'",
    "S261": UNB + MESSAGE,
    "S262": ORDER.replace("UNZ+1", "UNZ+2"),
    "S263": ORDER.replace("UNZ+1+REF1", "UNZ+1+REF2"),
    "S264": UNB + "UNZ+0+REF1'",
    "S265": UNB + GROUP + MESSAGE + "UNZ+1+REF1'",
    "S266": UNB + MESSAGE + BODY + "UNZ+1+REF1'",
    "S267": ORDER.replace("UNOC", "UNOZ"),
    "S268": ORDER.replace("UNOC:3", "UNOC:7"),
    "S269": MESSAGE,
    "S270": UNB + MESSAGE * 3 + "UNZ+3+REF1'",
    "S271": ORDER.replace("3012345000004", ""),
    "S272": ORDER.replace("REF1", "R" * 15),
    "S273": ORDER.replace(":0450", ":450"),
    "S275": ORDER.replace("D:96A:UN", "D:96A:"),
    "S276": ORDER.replace("UNZ+1+REF1", "UNZ+1+REF1+X"),
    "S277": ORDER.replace("REF1'", "REF1+++Z'", 1),
    "S278": ORDER.replace("261122", "261322"),
    "S274": ORDER.replace(":0450", ":04h0"),
}
