"""What every test shares."""

pytest_plugins = ["tests.conformance.plugin", "tests.interop.peers"]
