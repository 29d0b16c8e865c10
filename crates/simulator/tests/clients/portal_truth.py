"""Holds what independent clients of the EG4 portal read against what the simulated house does.

    python3 portal_truth.py PORTAL_URL CONTROL_API_URL

`portal_clients.py` checks that the clients understand the portal at all; this one, that they understand the right
values: it puts the house into one state after the other by the control API, lets the inverter upload, and compares.
Needs the packages of requirements.txt, the demo account, one inverter, and the portal's address with `localhost`. Leaves
with a status other than 0 if anything isn't as it should be.
"""

import asyncio
import faulthandler
import json
import sys
import urllib.request

from eg4_inverter_api import EG4InverterAPI
from pylxpweb import LuxpowerClient

USER = PASSWORD = "demo"
GIVE_UP_SECONDS = 120
# Night with a discharging battery, noon with a charging one, a battery near the emergency threshold.
HOUSES = (
    {"soc": 74, "pv": 0, "load": 900, "hold_soc": True},
    {"soc": 43, "pv": 9000, "load": 400, "hold_soc": True},
    {"soc": 31, "pv": 2500, "load": 1500, "hold_soc": True},
)

passed = failed = 0


def near(what, seen, expected, within):
    """Counts a value that is at most `within` from what it should be, and prints one that isn't."""
    global passed, failed
    if seen is not None and abs(float(seen) - expected) <= within:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {what}: {seen!r} instead of {expected!r}, up to {within}")


def control(url, method, path, body=None):
    """A call of the control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url.rstrip("/") + path, data, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        content = reply.read()
    return json.loads(content) if content else None


def compare(who, runtime, truth):
    """Powers in whole watts, the state of charge in whole percent."""
    near(f"{who}: soc", runtime.soc, truth["soc_percent"], 0.5)
    near(f"{who}: solar power", runtime.ppv, truth["pv"], 1)
    near(f"{who}: charging", runtime.pCharge, max(truth["battery"], 0), 1)
    near(f"{who}: discharging", runtime.pDisCharge, max(-truth["battery"], 0), 1)
    near(f"{who}: import", runtime.pToUser, max(truth["grid"], 0), 1)
    near(f"{who}: export", runtime.pToGrid, max(-truth["grid"], 0), 1)
    near(f"{who}: battery voltage", runtime.vBat / 10, truth["voltage"], 0.1)


def uploaded(api, house):
    """Puts the house into a state and lets the inverter upload it. The state."""
    control(api, "PATCH", "/house", house)
    # An upload is told apart from the one before by its time, in whole seconds.
    control(api, "POST", "/time/jump", {"seconds": 10})
    control(api, "POST", "/portal/upload")
    return control(api, "GET", "/house")["state"]


async def with_pylxpweb(portal, api):
    """Reads every house through strict models."""
    async with LuxpowerClient(USER, PASSWORD, base_url=portal) as client:
        plants = await client.api.plants.get_plants()
        devices = await client.api.devices.get_devices(plants.rows[0].plantId)
        serial = devices.rows[0].serialNum
        for number, house in enumerate(HOUSES, 1):
            truth = uploaded(api, house)
            # It keeps answers for a while.
            client.clear_cache()
            compare(f"pylxpweb, house {number}", await client.api.devices.get_inverter_runtime(serial), truth)
            battery = await client.api.devices.get_battery_info(serial)
            for soc in [battery.soc] + [module.soc for module in battery.batteryArray]:
                near(f"pylxpweb, house {number}: soc of the battery", soc, truth["soc_percent"], 0.5)


async def with_eg4_inverter_api(portal, api):
    """The same through a client without models."""
    client = EG4InverterAPI(USER, PASSWORD, base_url=portal)
    try:
        await client.login()
        client.set_selected_inverter(inverterIndex=0)
        for number, house in enumerate(HOUSES, 1):
            truth = uploaded(api, house)
            compare(f"eg4_inverter_api, house {number}", await client.get_inverter_runtime_async(), truth)
            battery = await client.get_inverter_battery_async()
            for module in battery.battery_units:
                near(f"eg4_inverter_api, house {number}: soc of a module", module.soc, truth["soc_percent"], 0.5)
    finally:
        await client.close()


def main():
    """Runs both clients."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    faulthandler.dump_traceback_later(GIVE_UP_SECONDS, exit=True)
    portal, api = sys.argv[1:]
    control(api, "PUT", "/time", {"scale": 0})
    asyncio.run(with_pylxpweb(portal, api))
    asyncio.run(with_eg4_inverter_api(portal, api))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
