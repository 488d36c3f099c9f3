"""`python -m edi_gateway` is the command `edi-gateway`."""

from edi_gateway.cli import main

if __name__ == "__main__":
    main()
