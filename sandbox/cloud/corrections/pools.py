"""Addresses, one after the other from a block."""

import ipaddress
from typing import Any


def next_address(backend: Any, block: str, taken: set[str | None]) -> str:
    """The next of the block that is free; one that was released is not handed out again at once."""
    pool = ipaddress.ip_network(block)
    last_of = backend.__dict__.setdefault("last_addresses", {})
    last = last_of.get(block, 0)
    for step in range(1, pool.num_addresses):
        index = (last + step) % pool.num_addresses
        if 0 < index < pool.num_addresses - 1 and str(pool[index]) not in taken:
            last_of[block] = index
            return str(pool[index])
    raise RuntimeError(f"no address is left in {block}")
