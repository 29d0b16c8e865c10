"""Lets the scanners of two other projects look for miners in a range of addresses.

    python3 scanners.py RANGE

Prints a line of JSON: for each what it found, and in how many seconds. Needs the packages of requirements.txt.
"""

import asyncio
import json
import logging
import sys
import time
import warnings

from pyasic.network import MinerNetwork
from pyasic_rs import MinerFactory


async def timed(scan):
    begun = time.monotonic()
    found = await scan
    seconds = time.monotonic() - begun
    return {"seconds": seconds, "found": sorted(str(miner.ip) for miner in found if miner is not None)}


async def main(range):
    return {
        "pyasic": await timed(MinerNetwork.from_subnet(range).scan()),
        "asic-rs": await timed(MinerFactory.from_subnet(range).scan()),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
