"""A large interchange of EANCOM D.96A ORDERS, made one message at a time: the same bytes for the same arguments.

Counts, references, check digits, line amounts and totals are right, so that a reader that judges finds nothing to
say. The text is French, in ISO 8859-1, and holds all four characters that are released. No random numbers: every
value follows from the number of the message and of the line.
"""

from __future__ import annotations

from collections.abc import Iterator

from edi_gateway.marketplace.identifiers import with_check_digit

BUYER, SUPPLIER = "3760000000017", "3760000001014"
REFERENCE = "BENCH0001"

MESSAGES_MAX = 999_999  # UNZ 0036 is n..6
LINES_MAX = 200_000  # of the LIN group of ORDERS D.96A

_FIRMS = ("Place de Marché SAS", "L'Épicerie du Port", "Maison Forêt + Lac", "Café à l'Étage: Gros")
_STREETS = ("12 rue de l'Église", "3 bis quai Nord", "Z.A. du Chêne: lot 7", "1 place d'Armes")
_TOWNS = (("Orléans", "45000"), ("Besançon", "25000"), ("Nîmes", "30000"), ("Saint-Étienne", "42000"))
_ARTICLES = ("Théière émaillée 1+1", "Crème brûlée x4", "Boîte à goûter: bleue", "Câble d'écran", "Où est-ce? le jeu")


def interchange(messages: int, lines: int) -> Iterator[bytes]:
    """The interchange in pieces: its header, each message, its trailer."""
    header = f"UNB+UNOC:3+{BUYER}:14+{SUPPLIER}:14+261122:0915+{REFERENCE}++++1+EANCOM"
    yield f"UNA:+.? '{header}'".encode("latin-1")
    for number in range(1, messages + 1):
        yield "".join(f"{segment}'" for segment in _order(number, lines)).encode("latin-1")
    yield f"UNZ+{messages}+{REFERENCE}'".encode("latin-1")


def segment_count(messages: int, lines: int) -> int:
    """How many segments `interchange` has, UNB and UNZ among them."""
    return messages * (17 + 7 * lines) + 2


def _order(number: int, lines: int) -> list[str]:
    note = f"Quai n° {number % 17}: sonner à l'entrée + attendre. Fermé? Appeler"
    segments = [
        f"UNH+{number}+ORDERS:D:96A:UN:EAN008",
        f"BGM+220+PO{number:08d}+9",
        "DTM+137:202611220915:203",
        "DTM+64:20261124:102",
        "DTM+63:20261127:102",
        f"FTX+DEL+++{_released(note)}",
        f"RFF+CT:CTR{number % 97:05d}",
        _party("BY", 1, number),
        f"NAD+SU+{SUPPLIER}::9",
        _party("DP", 2 + number % 9, number + 1),
        f"NAD+IV+{BUYER}::9",
        "RFF+VA:FR11123456782",
        "CUX+2:EUR:9",
    ]
    total = 0
    for line in range(1, lines + 1):
        line_segments, amount = _line(number, line)
        segments += line_segments
        total += amount
    segments += ["UNS+S", f"MOA+79:{_money(total)}", f"CNT+2:{lines}"]
    return [*segments, f"UNT+{len(segments) + 1}+{number}"]


def _line(message: int, number: int) -> tuple[list[str], int]:
    """The segments of one order line, and its net amount in cents."""
    article = (message * 7919 + number * 104_729) % 10_000_000
    quantity = 1 + (message + number) % 48
    price = 95 + (message * 31 + number * 17) % 9_900
    segments = [
        f"LIN+{number}++{with_check_digit(f'37601{article:07d}')}:EN",
        f"PIA+5+SKU-{article:07d}:SA",
        f"IMD+F++:::{_released(f'{_ARTICLES[article % len(_ARTICLES)]} n° {article}')}",
        f"QTY+21:{quantity}",
        f"MOA+203:{_money(quantity * price)}",
        f"PRI+AAA:{_money(price)}",
        "TAX+7+VAT+++:::20+S",
    ]
    return segments, quantity * price


def _party(qualifier: str, place: int, name: int) -> str:
    town, postcode = _TOWNS[name % len(_TOWNS)]
    firm, street = _FIRMS[name % len(_FIRMS)], _STREETS[name % len(_STREETS)]
    gln = with_check_digit(f"3760000{place:05d}")
    return f"NAD+{qualifier}+{gln}::9++{_released(firm)}+{_released(street)}+{_released(town)}++{postcode}+FR"


def _released(text: str) -> str:
    for character in "?'+:":  # the release character itself goes first
        text = text.replace(character, "?" + character)
    return text


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
