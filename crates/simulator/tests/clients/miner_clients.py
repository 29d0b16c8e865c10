"""Points two independent clients of WhatsMiners at a simulated one, and checks both directions.

    python3 miner_clients.py CONTROL_API_URL

What the clients read is held against what the machine does in truth, and what they write against what it does then; the
simulator's control API tells the truth. Takes the first miner of the simulation, whatever its firmware, with the vendor's
passwords, and stops simulated time, so that nothing depends on how fast this runs. Needs the packages of
requirements.txt. Leaves with a status other than 0 if anything isn't as it should be.
"""

import asyncio
import faulthandler
import json
import logging
import sys
import urllib.request

from checks import Checks
from pyasic.device.algorithm.hashrate.unit.sha256 import SHA256Unit
from pyasic.errors import APIError
from pyasic.miners.backends.btminer import BTMinerV2, BTMinerV3
from pyasic.rpc.btminer import BTMinerRPCAPI
from whatsminer import WhatsminerAccessToken, WhatsminerAPI

V2_PASSWORD = "admin"
V3_PASSWORD = "super"
RATED_WATTS = 3600
# Longer than any ramp, in simulated seconds.
RAMP_SECONDS = 2400
# One of the clients has no deadlines of its own.
GIVE_UP_SECONDS = 120


class Simulator:
    """The control API of a simulation, and its first miner."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.call("PUT", "/time", {"scale": 0})
        miner = self.call("GET", "/miners")[0]
        self.id, self.profile = miner["id"], miner["profile"]
        self.v2, self.v3 = address(miner["v2"]), address(miner["v3"])
        # Simulated time jumps ahead of the clients' clocks, by which they renew their tokens and sign their writes.
        tokens = {"table": {"max": 32, "ttl_seconds": 10**9}}
        self.faults(tokens=tokens, v3_clock_tolerance_seconds=10**9)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            content = reply.read()
        return json.loads(content) if content else None

    def truth(self):
        return self.call("GET", f"/miners/{self.id}")["truth"]

    def last_write(self):
        requests = self.call("GET", f"/miners/{self.id}/log")["requests"]
        return [request for request in requests if request["write"]][-1]

    def faults(self, **change):
        self.call("PATCH", f"/miners/{self.id}/faults", change)

    def jump(self, seconds):
        self.call("POST", "/time/jump", {"seconds": seconds})

    def settled(self):
        """Puts the miner to its rated power, ramp finished."""
        self.call("POST", f"/miners/{self.id}/truth", {"stable": {"limit_watts": RATED_WATTS}})
        # The averages that it tells need some time at that power.
        self.jump(RAMP_SECONDS)


def address(text):
    """Host and port of IP:PORT."""
    if text is None:
        return None
    host, port = text.rsplit(":", 1)
    return host, int(port)


def v2_summary(reply):
    """The newest firmware has it flat."""
    return reply["Msg"] if "Msg" in reply else reply["SUMMARY"][0]


def v2_is_off(reply):
    """Whether the `status` reply says that mining is switched off."""
    return reply["Msg"].get("mineroff", reply["Msg"].get("btmineroff")) == "true"


def terahash(rates):
    """The sum of pyasic's hash rates, in TH/s."""
    return sum(float(rate.into(SHA256Unit.TH)) for rate in rates if rate is not None)


def with_whatsminer(checks, simulator):
    """V2 through the client without models: the tokens and the encryption are its own."""
    name = f"whatsminer {simulator.profile}"
    host, port = simulator.v2
    simulator.settled()
    # It can't read the NUL that old firmware ends its mining replies with.
    simulator.faults(trailing_nul=False)
    token = WhatsminerAccessToken(ip_address=host, port=port, admin_password=V2_PASSWORD)

    def read(command):
        return WhatsminerAPI.get_read_only_info(token, command)

    def write(command, **params):
        return WhatsminerAPI.exec_command(token, command, additional_params=params)

    before = simulator.truth()
    summary = v2_summary(read("summary"))
    checks.near(f"{name}: power", summary["Power"], before["watts"])
    checks.equal(f"{name}: elapsed", int(summary["Elapsed"]), before["elapsed_seconds"])
    checks.equal(f"{name}: pools", len(read("pools")["POOLS"]), 2)
    checks.that(f"{name}: is on", not v2_is_off(read("status")))

    stranger = WhatsminerAccessToken(ip_address=host, port=port, admin_password=V2_PASSWORD + "x")
    try:
        WhatsminerAPI.exec_command(stranger, "power_off", additional_params={"respbefore": "true"})
        checks.that(f"{name}: a wrong password is refused", False, "accepted")
    except Exception as error:  # it raises nothing more special
        checks.that(f"{name}: a wrong password is refused", "enc json load err" in str(error), error)
    checks.that(f"{name}: a wrong password changes nothing", simulator.truth()["service_on"], simulator.truth())

    checks.equal(f"{name}: power_off is acknowledged", write("power_off", respbefore="true")["Code"], 131)
    checks.equal(f"{name}: power_off arrives", simulator.last_write()["params"], {"respbefore": "true"})
    simulator.jump(120)
    off = simulator.truth()
    checks.that(f"{name}: power_off stops it", not off["service_on"] and off["watts"] < 50, off)
    checks.that(f"{name}: and it says so", v2_is_off(read("status")))

    checks.equal(f"{name}: power_on is acknowledged", write("power_on")["Code"], 131)
    checks.that(f"{name}: power_on starts it", simulator.truth()["service_on"], simulator.truth())
    checks.that(f"{name}: and it says so", not v2_is_off(read("status")))
    simulator.jump(RAMP_SECONDS)

    reply = write("adjust_power_limit", power_limit="2400")
    if simulator.profile == "g1":
        checks.equal(f"{name}: firmware of 2021 knows no power limit", reply["Code"], 14)
        checks.equal(f"{name}: nor has one", simulator.truth()["target_watts"], RATED_WATTS)
    else:
        checks.equal(f"{name}: adjust_power_limit is acknowledged", reply["Code"], 131)
        checks.equal(f"{name}: the limit is stored", simulator.truth()["limit_watts"], 2400)
        checks.that(f"{name}: it restarts", simulator.truth()["restarts"] > before["restarts"], simulator.truth())
        simulator.jump(RAMP_SECONDS)
        checks.near(f"{name}: it settles at the limit", simulator.truth()["watts"], 2400)
        checks.near(f"{name}: and says so", v2_summary(read("summary"))["Power"], 2400)
    simulator.faults(trailing_nul=None)


async def with_pyasic_v2(checks, simulator):
    """V2 through pyasic: its commands, and on firmware that it reads by V2, what it makes of the replies."""
    name = f"pyasic V2 {simulator.profile}"
    host, port = simulator.v2
    simulator.settled()
    before = simulator.truth()
    rpc = BTMinerRPCAPI(host, port=port, api_ver="2.0.5")
    rpc.pwd = V2_PASSWORD

    summary = v2_summary(await rpc.summary())
    checks.near(f"{name}: power in the summary", summary["Power"], before["watts"])
    checks.that(f"{name}: is on", not v2_is_off(await rpc.status()))
    checks.equal(f"{name}: boards", len((await rpc.edevs())["DEVS"]), 3)
    checks.that(f"{name}: power supply", (await rpc.get_psu())["Msg"]["model"].startswith("P2"))
    if simulator.profile != "g3":
        # Its V2 backend reads no flat summary: newer firmware it asks by V3.
        miner = BTMinerV2(host)
        miner.rpc.port, miner.rpc.pwd = port, V2_PASSWORD
        # A class of pyasic for this very model would say so.
        miner.expected_hashboards = 3
        checks.near(f"{name}: power", await miner.get_wattage(), before["watts"])
        checks.near(f"{name}: hash rate", terahash([await miner.get_hashrate()]), before["hashrate_ths"])
        checks.that(f"{name}: mines", await miner.is_mining() is True)
        checks.equal(f"{name}: MAC", await miner.get_mac(), "02:00:00:00:00:01")
        boards = terahash([board.hashrate for board in await miner.get_hashboards()])
        checks.near(f"{name}: hash rate of the boards", boards, before["hashrate_ths"])
        checks.equal(f"{name}: pools", len(await miner.get_pools()), 2)

    await rpc.set_power_pct(60)
    checks.equal(f"{name}: the percentage arrives", simulator.last_write()["params"], {"percent": "60"})
    checks.equal(f"{name}: the percentage is set", simulator.truth()["percent"], 60)
    simulator.jump(30)
    checks.near(f"{name}: the power follows", simulator.truth()["watts"], 0.6 * RATED_WATTS)
    checks.equal(f"{name}: without a restart", simulator.truth()["restarts"], before["restarts"])

    await rpc.power_off(respbefore=True)
    simulator.jump(120)
    off = simulator.truth()
    checks.that(f"{name}: power_off stops it", not off["service_on"] and off["watts"] < 50, off)
    checks.that(f"{name}: and it says so", v2_is_off(await rpc.status()))
    await rpc.power_on()
    checks.that(f"{name}: power_on starts it", simulator.truth()["service_on"], simulator.truth())
    simulator.jump(RAMP_SECONDS)
    checks.near(f"{name}: back at full power", simulator.truth()["watts"], RATED_WATTS)
    starts = simulator.truth()["starts"]
    await rpc.restart()
    checks.equal(f"{name}: restart_btminer restarts it", simulator.truth()["starts"], starts + 1)

    async def refused(what, client, message):
        try:
            await client.power_off(respbefore=True)
            checks.that(f"{name}: {what}", False, "accepted")
        except APIError as error:
            checks.that(f"{name}: {what}", message in str(error), error)
        checks.that(f"{name}: {what}, and nothing changes", simulator.truth()["service_on"], simulator.truth())

    simulator.faults(writes_disabled=True)
    await refused("writes can be switched off at the miner", rpc, "can't access write cmd")
    simulator.faults(writes_disabled=False)
    stranger = BTMinerRPCAPI(host, port=port, api_ver="2.0.5")
    stranger.pwd = V2_PASSWORD + "x"
    await refused("a wrong password is refused", stranger, "enc json load err")


async def with_pyasic_v3(checks, simulator):
    """V3 through pyasic: framing and tokens are its own."""
    name = f"pyasic V3 {simulator.profile}"
    host, port = simulator.v3
    simulator.settled()
    before = simulator.truth()
    miner = BTMinerV3(host)
    miner.rpc.port, miner.rpc.pwd = port, V3_PASSWORD

    checks.near(f"{name}: power", await miner.get_wattage(), before["watts"])
    checks.near(f"{name}: hash rate", terahash([await miner.get_hashrate()]), before["hashrate_ths"])
    checks.equal(f"{name}: power limit", await miner.get_wattage_limit(), RATED_WATTS)
    checks.equal(f"{name}: MAC", await miner.get_mac(), "02:00:00:00:00:01")
    boards = terahash([board.hashrate for board in await miner.get_hashboards()])
    checks.near(f"{name}: hash rate of the boards", boards, before["hashrate_ths"])
    info = (await miner.rpc.get_device_info())["msg"]
    checks.equal(f"{name}: is on", info["miner"]["working"], "true")

    checks.that(f"{name}: stop is acknowledged", await miner.stop_mining())
    stop = simulator.last_write()
    seen = (stop["protocol"], stop["command"], stop["params"], stop["effect"])
    checks.equal(f"{name}: stop arrives", seen, ("v3", "set.miner.service", "stop", "applied"))
    simulator.jump(120)
    off = simulator.truth()
    checks.that(f"{name}: stop stops it", not off["service_on"] and off["watts"] < 50, off)
    info = (await miner.rpc.get_device_info())["msg"]
    checks.equal(f"{name}: and it says so", info["miner"]["working"], "false")

    checks.that(f"{name}: start is acknowledged", await miner.resume_mining())
    checks.that(f"{name}: start starts it", simulator.truth()["service_on"], simulator.truth())
    simulator.jump(RAMP_SECONDS)

    checks.that(f"{name}: a limit is acknowledged", await miner.set_power_limit(2500))
    checks.equal(f"{name}: the limit is stored", simulator.truth()["limit_watts"], 2500)
    simulator.jump(RAMP_SECONDS)
    checks.near(f"{name}: it settles at the limit", simulator.truth()["watts"], 2500)
    checks.near(f"{name}: and says so", await miner.get_wattage(), 2500)
    starts = simulator.truth()["starts"]
    checks.that(f"{name}: restart is acknowledged", await miner.restart_backend())
    checks.equal(f"{name}: restart restarts it", simulator.truth()["starts"], starts + 1)

    miner.rpc.pwd = V3_PASSWORD + "x"
    reply = await miner.rpc.set_miner_service("stop")
    checks.equal(f"{name}: a wrong password is refused", reply["code"], -4)
    checks.that(f"{name}: and changes nothing", simulator.truth()["service_on"], simulator.truth())


def main():
    """Runs every client that the miner has a protocol for."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faulthandler.dump_traceback_later(GIVE_UP_SECONDS, exit=True)
    # What a client logs of a refusal is expected here.
    logging.disable(logging.CRITICAL)
    checks = Checks()
    simulator = Simulator(sys.argv[1])
    with_whatsminer(checks, simulator)
    asyncio.run(with_pyasic_v2(checks, simulator))
    if simulator.v3:
        asyncio.run(with_pyasic_v3(checks, simulator))
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
