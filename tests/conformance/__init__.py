"""The AS2 conformance table: which item of the checklist is held by which test."""
