"""What happens, step by step. The services own the transactions; everything they need comes in as a `Gateway` (`app`).

A transmission: `receive` (T1), `dispatch` (T3, T4), `settle` (receipts), `sweep` (what was left behind), `states` (the
tables of states), `tasks` (what runs in the background). A document: `survey` and `unpack` (T2), `take_in`,
`compose`, and the books `order_book`, `stock_book`, `invoice_book` under the rules of `marketplace_side`.
Acknowledgements: `acknowledge` (their CONTRL), `refuse` (our APERAK), `refused` (their APERAK).
`partnerships`, `keys` and `onboarding`: with whom, and with which keys.
"""
