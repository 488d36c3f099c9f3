"""What a gateway refuses to start with. Other refusals come where a secret is read: a short or simple one, and a file
of secrets that everybody may read (`config.load`, `secret_files`, `keys.passphrase`).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

from edi_gateway.config import Config


class UnsafeStart(Exception):
    """The gateway would not be safe; the text says why and what to do, a line for each reason."""


def refuse_unsafe(config: Config) -> None:
    """Raise UnsafeStart where a gateway of this configuration must not begin."""
    if reasons := list(_reasons(config)):
        raise UnsafeStart("\n".join(reasons))


def _reasons(config: Config) -> Iterator[str]:
    named = config.key_passphrase is not None or config.key_file is not None
    if not named and not is_loopback(config.host):
        yield (
            f"no secret is configured, and others reach {config.host}: name a file outside data_dir that holds the "
            "passphrase of our keys (EDI_GATEWAY_KEY_FILE), or set EDI_GATEWAY_KEY_PASSPHRASE"
        )
    for folder in (config.data_dir, config.data_dir / "keys"):
        if _everybody_writes(folder):
            yield f"{folder}: everybody may write to it; chmod 700 {folder}"
    for network in filter(None, map(str.strip, config.reverse_proxy.addresses.split(","))):
        if ip_network(network).prefixlen == 0:
            yield f"reverse_proxy.addresses = {network} believes everybody; name the proxies alone"


def _everybody_writes(folder: Path) -> bool:
    return folder.is_dir() and bool(folder.stat().st_mode & stat.S_IWOTH)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches the name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
