"""How the scanner of asic-rs finds the miners of a network: one line of JSON. Argument: the range, like 127.0.9.0/24."""

import asyncio
import json
import sys
import time

from pyasic_rs import MinerFactory


async def main() -> None:
    factory = MinerFactory.from_subnet(sys.argv[1])
    began = time.monotonic()
    found = []
    async for miner in factory.scan_stream():
        found.append({"address": str(miner.ip), "kind": f"{miner.make} {miner.model}", "seconds": time.monotonic() - began})
    print(json.dumps({"found": found, "seconds": time.monotonic() - began}))


asyncio.run(main())
