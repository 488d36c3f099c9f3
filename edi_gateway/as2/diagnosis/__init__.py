"""Why a transmission failed, in words, from nothing but the kept bytes: read `message` for what came in, `receipt` for
the MDNs that came back, `signature` for both. `catalogue` holds every reason in English and French.
"""

from edi_gateway.as2.diagnosis.catalogue import Code, Language
from edi_gateway.as2.diagnosis.message import Case, explain_headers, explain_message
from edi_gateway.as2.diagnosis.receipt import SentCase, explain_receipt
from edi_gateway.as2.diagnosis.value import Diagnosis, Known, Standing, Switch, diagnosed, named

__all__ = [
    "Case",
    "Code",
    "Diagnosis",
    "Known",
    "Language",
    "SentCase",
    "Standing",
    "Switch",
    "diagnosed",
    "explain_headers",
    "explain_message",
    "explain_receipt",
    "named",
]
