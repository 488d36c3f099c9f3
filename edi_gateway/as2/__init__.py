"""The AS2 protocol (RFC 4130, 5402, 6017, 6362, 3798): bytes in, values out, no input or output of its own.

Reading order: `disposition`, `mic`, `fields` and `headers` (the words of the protocol), `receipt` (what the sender
asks for), `mime` (entities over a stream), `relationship` (who, with which keys at which date), `inbound` (open what
came, with `layers` and `verification`; `opened` holds what comes out), `outbound` (seal what goes), `attachments`
(several documents in one), `mdn` (compose receipts), `report` (read them), `settlement` (judge them), `errors`.
`algorithms`, `certificates` and `cms` hold the cryptography. Nothing is imported here: each name stands in the module
that the examples show.

Bodies are binary streams that the caller gives; scratch space comes from `spool`, a callable that returns an
empty, seekable, writable binary stream which this package closes (except the one that it hands back).

Receiving::

    from edi_gateway.as2.errors import As2Refusal, RelationshipFault
    from edi_gateway.as2.headers import Headers, read_request
    from edi_gateway.as2.inbound import open_report, open_transmission
    from edi_gateway.as2.mdn import compose
    from edi_gateway.as2.opened import Opened, OpenedReport, Refused
    from edi_gateway.as2.outbound import seal
    from edi_gateway.as2.relationship import DatedKey, Relationship
    from edi_gateway.as2.settlement import Outcome, Sent, judge

    headers = Headers(pairs)                               # of the HTTP request, names in any case
    try:
        request = read_request(headers)                    # -> Request
    except As2Refusal as refusal:                          # .disposition .explanation .diagnosis .request
        ...                                                # .request is None: no receipt possible, HTTP 400
    relationship = ...                                     # by (request.as2_from, request.as2_to), or None:
                                                           # answer with disposition.UNKNOWN_TRADING_RELATIONSHIP
    match open_transmission(request, headers, body, relationship, spool, now):
        case Opened() as opened:                           # .payload .size .content_type .filename .mic .digests
            ...                                            # .signed_with .encrypted_with .compressed .notes
        case Refused() as refused:                         # .disposition .explanation .mic .diagnosis
            ...
        case OpenedReport() as receipt:                    # an asynchronous MDN: .report .trust .signer .diagnosis
            settlement = judge(receipt, sent)

    if request.receipt is not None:                        # answer in the response, or POST to .receipt.delivery_url
        mdn = compose(request, relationship, disposition, mic, explanation, message_id=..., now=now)
        # -> SealedMdn(headers: tuple[tuple[str, str], ...], body: bytes, message_id, signed_with)

Sending::

    sealed = seal(payload, relationship, message_id=..., now=now, filename=..., spool=spool, async_mdn_url=None)
    # -> Sealed(headers, body: BinaryIO at 0, length, digests: Mapping[Digest, bytes], mic, sent: Sent, ...)
    receipt = open_report(headers_of_the_response, body, relationship, spool, now)  # OpenedReport | Refused
    settlement = judge(receipt, sent)                      # -> Settlement(outcome, disposition, mic, explanation)

    # What must be kept of a transmission to judge its receipt later; the names as in As2Policy of *that* time:
    sent = Sent(message_id=..., as2_from=..., as2_to=..., digests=..., receipt_signed=True, mic_required=True)
    # mic.digests_to_text(digests) -> dict[str, str] and mic.digests_from_text(...) store and read the table

Relationships::

    Relationship.of(policy: As2Policy, our_keys: Iterable[PrivateKey | DatedKey]) -> Relationship
    # loads the PEM certificates of the policy once; keep it, do not build it per message
    relationship.signing_key(now), .decryption_keys(), .verifying_certificates(), .encryption_certificates_at(now)
    relationship.allows_delivery_to(url)                   # asynchronous receipts go nowhere else

`RelationshipFault` is ours: no valid key or certificate at that date. Answer 5xx and alert; the partner resends.

`Settlement.outcome` is an `Outcome`: ACKNOWLEDGED, ACKNOWLEDGED_WITH_WARNING (positive), REFUSED (negative),
MIC_WRONG, MIC_MISSING, UNSIGNED, UNTRUSTED, NOT_OURS. `.outcome.is_positive`, `.outcome.is_terminal` (the
receipt decides the transmission; the others change no state), `.explanation` says why in words.
"""
