"""How pyasic's own scanner finds the miners of a network: one line of JSON. Argument: the range, like 127.0.9.0/24."""

import asyncio
import json
import logging
import sys
import time

from pyasic.network import MinerNetwork


async def main() -> None:
    logging.disable(logging.CRITICAL)
    network = MinerNetwork.from_subnet(sys.argv[1])
    began = time.monotonic()
    found = []
    async for miner in network.scan_network_generator():
        if miner is not None:
            found.append({"address": str(miner.ip), "kind": type(miner).__name__, "seconds": time.monotonic() - began})
    print(json.dumps({"found": found, "seconds": time.monotonic() - began}))


asyncio.run(main())
