"""EDI gateway of a marketplace."""
