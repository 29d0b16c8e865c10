"""Points two independent clients of Bitaxes at simulated ones, and checks both directions.

    python3 axeos_clients.py CONTROL_API_URL

What the clients read is held against what the devices do in truth, and what they write against what the devices do then;
the simulator's control API tells the truth. Takes every Bitaxe and NerdQAxe of the simulation, each of which has to listen
on port 80 of an address of its own, since both clients know no other port; and stops simulated time, so that nothing
depends on how fast this runs. Needs the packages of requirements.txt. Leaves with a status other than 0 if anything isn't
as it should be.
"""

import asyncio
import faulthandler
import json
import logging
import sys
import urllib.request
import warnings

import pyasic
from checks import Checks
from pyasic.device.algorithm.hashrate.unit.sha256 import SHA256Unit
from pyasic.errors import APIError
from pyasic_rs import MinerFactory
from pyasic_rs.data import HashRateUnit, OperatingState

# Longer than any ramp or restart, in simulated seconds.
SETTLED_SECONDS = 90
# How far a hash rate that is told may be from the true one: it is noisy, before 2.11 very much so.
NOISE = 0.25
GIVE_UP_SECONDS = 120


class Simulator:
    """The control API of a simulation."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.call("PUT", "/time", {"scale": 0})

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            content = reply.read()
        return json.loads(content) if content else None

    def devices(self):
        return [Device(self, told) for told in self.call("GET", "/axeos")]

    def jump(self, seconds):
        self.call("POST", "/time/jump", {"seconds": seconds})


class Device:
    """One device of the simulation."""

    def __init__(self, simulator, told):
        self.simulator = simulator
        self.id, self.profile = told["id"], told["profile"]
        self.host, port = told["addr"].rsplit(":", 1)
        if port != "80":
            sys.exit(f"{self.id} listens on port {port}: the clients know port 80 only")
        self.is_nerd = self.profile.startswith("nerd")
        self.can_pause = self.profile.endswith("-2.15.0")

    def truth(self):
        return self.simulator.call("GET", f"/axeos/{self.id}")["truth"]

    def mac(self):
        return f"02:00:00:00:A0:{int(self.id.rsplit('-', 1)[1]):02X}"

    def family(self):
        return self.profile.split("-")[0].capitalize()

    def commands(self):
        requests = self.simulator.call("GET", f"/axeos/{self.id}/log")["requests"]
        return [request["path"] for request in requests if request["method"] != "GET"]

    def settle(self):
        self.simulator.call("POST", f"/axeos/{self.id}/truth", "mining")
        self.simulator.jump(SETTLED_SECONDS)


def noisy(checks, what, seen, truth):
    holds = seen is not None and abs(seen - truth) <= NOISE * truth
    checks.that(what, holds, f"{seen!r} instead of about {truth!r}")


async def with_pyasic_rs(checks, device):
    """Recognising, reading, and pausing where the firmware can be paused."""
    name = f"pyasic-rs {device.profile}"
    device.settle()
    miner = await MinerFactory().get_miner(device.host)
    checks.that(f"{name}: is recognised", miner is not None, miner)
    if miner is None:
        return
    data, truth = await miner.get_data(), device.truth()
    checks.equal(f"{name}: MAC", data.mac, device.mac())
    if not device.is_nerd:
        checks.equal(f"{name}: model", data.device_info.model, device.family())
    checks.near(f"{name}: power", data.wattage, truth["watts"])
    noisy(checks, f"{name}: hash rate", terahash(data), truth["hashrate_ths"])
    checks.equal(f"{name}: whether it can be paused", miner.supports_pause, device.can_pause)
    if not device.can_pause:
        return
    await in_state(checks, f"{name}: it mines", miner, OperatingState.Mining)
    checks.that(f"{name}: pause is acknowledged", await miner.pause())
    device.simulator.jump(SETTLED_SECONDS)
    truth = device.truth()
    checks.that(f"{name}: pause stops it", truth["paused"] and truth["phase"] == "stopped", truth)
    data = await miner.get_data()
    await in_state(checks, f"{name}: it says so", miner, OperatingState.Paused)
    checks.that(f"{name}: and hashes nothing", terahash(data) in (None, 0.0), terahash(data))
    # A Gamma tells its offset, an Ultra what it measures.
    checks.near(f"{name}: and tells little power", data.wattage, 5.0 if device.family() == "Gamma" else truth["watts"])
    checks.that(f"{name}: resume is acknowledged", await miner.resume())
    device.simulator.jump(SETTLED_SECONDS)
    checks.equal(f"{name}: resume starts it", device.truth()["phase"], "mining")
    await in_state(checks, f"{name}: and it says so", miner, OperatingState.Mining)
    checks.equal(f"{name}: commands", device.commands(), ["/api/system/pause", "/api/system/resume"])


async def in_state(checks, what, miner, state):
    seen = await miner.get_operating_state()
    checks.that(what, isinstance(seen, state), seen)


def terahash(data):
    """pyasic-rs's hash rate, in TH/s."""
    if data.hashrate is None:
        return None
    return float(data.hashrate.as_unit(HashRateUnit.TeraHash).value)


async def with_pyasic(checks, device):
    """Recognising, reading and restarting. It can't pause, and doesn't know NerdOS."""
    name = f"pyasic {device.profile}"
    device.settle()
    miner = await pyasic.get_miner(device.host)
    if device.is_nerd:
        checks.equal(f"{name}: is none of its miners", miner, None)
        return
    checks.that(f"{name}: is recognised", miner is not None, miner)
    if miner is None:
        return
    truth = device.truth()
    checks.equal(f"{name}: model", (await miner.get_data()).model, device.family())
    checks.equal(f"{name}: MAC", await miner.get_mac(), device.mac())
    checks.near(f"{name}: power", await miner.get_wattage(), truth["watts"])
    rate = float((await miner.get_hashrate()).into(SHA256Unit.TH))
    noisy(checks, f"{name}: hash rate", rate, truth["hashrate_ths"])
    checks.equal(f"{name}: uptime", await miner.get_uptime(), truth["uptime_seconds"])
    try:
        checks.that(f"{name}: restart is acknowledged", await miner.reboot())
    except APIError as error:
        # It reads JSON only, and firmware before 2.13 answers in plain text.
        checks.that(f"{name}: restart is acknowledged", "will restart shortly" in str(error), error)
    device.simulator.jump(SETTLED_SECONDS)
    again = device.truth()
    restarted = again["reboots"] == truth["reboots"] + 1 and again["uptime_seconds"] < truth["uptime_seconds"]
    checks.that(f"{name}: restart restarts it", restarted, again)


async def run(checks, devices):
    for device in devices:
        await with_pyasic_rs(checks, device)
        await with_pyasic(checks, device)


def main():
    """Runs both clients against every device."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faulthandler.dump_traceback_later(GIVE_UP_SECONDS, exit=True)
    # What a client logs of a device that it doesn't know is expected here.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    checks = Checks()
    devices = Simulator(sys.argv[1]).devices()
    checks.that("there are devices", devices, devices)
    asyncio.run(run(checks, devices))
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
