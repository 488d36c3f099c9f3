"""Documents through the gateway: what arrives as bytes, what it does to orders, what leaves."""
