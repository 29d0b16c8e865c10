"""Points two independent clients of the EG4 portal at a simulated one, and checks what they read.

    python3 portal_clients.py http://localhost:PORT USER PASSWORD [CONTROL_API]

With the address of the simulator's control API it also compares with the truth, and lets sessions expire. Needs the packages pylxpweb 0.9.40 and eg4_inverter_api 0.1.5. The base URL must name the host as `localhost`: their
HTTP library keeps no cookies of a bare IP address. Leaves with a status other than 0 if anything isn't as it should be.
"""

import asyncio
import json
import sys
import urllib.request

from eg4_inverter_api import EG4AuthError, EG4InverterAPI
from pylxpweb import LuxpowerClient
from pylxpweb.exceptions import LuxpowerAPIError, LuxpowerAuthError

failures = []


def check(what, holds, seen=None):
    """Prints one line about an expectation, and remembers if it doesn't hold."""
    print(f"{'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {seen!r}"))
    if not holds:
        failures.append(what)


def check_energy(name, runtime, load):
    """The powers that a client sees balance, up to what the inverter turns into heat."""
    supply = runtime.pToUser + runtime.ppv + runtime.pDisCharge
    rest = supply - runtime.pToGrid - runtime.pCharge - load
    check(f"{name}: powers balance up to losses", -5 <= rest <= 0.1 * supply + 200, rest)


async def with_pylxpweb(base_url, user, password, control):
    """Plants, devices, live values, battery and energy through strict models."""
    async with LuxpowerClient(user, password, base_url=base_url) as client:
        plants = await client.api.plants.get_plants()
        check("pylxpweb: one plant", plants.total == 1 and len(plants.rows) == 1, plants)
        devices = await client.api.devices.get_devices(plants.rows[0].plantId)
        check("pylxpweb: the overview has inverters", devices.total >= 1, devices.total)
        for device in devices.rows:
            serial = device.serialNum
            runtime = await client.api.devices.get_inverter_runtime(serial)
            check(f"pylxpweb {serial}: online", not runtime.lost and runtime.statusText == "normal", runtime)
            check(f"pylxpweb {serial}: soc", 0 <= runtime.soc <= 100, runtime.soc)
            check(f"pylxpweb {serial}: overview agrees", device.soc == f"{runtime.soc} %", device.soc)
            check(f"pylxpweb {serial}: voltage", 440 <= runtime.vBat <= 600, runtime.vBat)
            check(
                f"pylxpweb {serial}: signs of the battery",
                runtime.batPower == runtime.pCharge - runtime.pDisCharge,
                runtime.batPower,
            )
            xp = runtime.pLoad170 is None
            load = runtime.peps if xp else runtime.pLoad170
            check(f"pylxpweb {serial}: load", load > 0, load)
            check_energy(f"pylxpweb {serial}", runtime, load)
            battery = await client.api.devices.get_battery_info(serial)
            check(f"pylxpweb {serial}: battery agrees", battery.soc == runtime.soc, battery.soc)
            check(f"pylxpweb {serial}: modules", len(battery.batteryArray) == (0 if xp else 3), battery.batteryArray)
            for module in battery.batteryArray:
                check(f"pylxpweb {module.batteryKey}: soc", module.soc == battery.soc, module.soc)
                check(f"pylxpweb {module.batteryKey}: volts", 44 <= module.totalVoltage / 100 <= 60, module.totalVoltage)
            energy = await client.api.devices.get_inverter_energy(serial)
            check(f"pylxpweb {serial}: energy", energy.totalYielding >= energy.todayYielding >= 0, energy)
            if control:
                await under_control(client, serial, control)

    stranger = LuxpowerClient(user, password + "x", base_url=base_url)
    try:
        await stranger.login()
        check("pylxpweb: a wrong password is refused", False, "signed in")
    except (LuxpowerAPIError, LuxpowerAuthError) as error:
        check("pylxpweb: a wrong password is refused", "LOGIN_ERROR_DISMATCH" in str(error), error)
    finally:
        await stranger.close()


async def under_control(client, serial, control):
    """What the client reads is true, and it recovers from every expiry that it knows."""
    ask(control, "POST", "/portal/upload")
    truth = ask(control, "GET", "/house")["state"]
    client.clear_cache()
    runtime = await client.api.devices.get_inverter_runtime(serial)
    check(f"pylxpweb {serial}: soc is true", abs(runtime.soc - truth["soc_percent"]) <= 1, truth["soc_percent"])
    for expiry in ("html200", "status401", "redirect302"):
        ask(control, "PATCH", "/portal/faults", {"expiry": expiry})
        before = ask(control, "GET", "/portal/log")["counts"]["logins"]
        ask(control, "POST", "/portal/expire")
        client.clear_cache()
        again = await client.api.devices.get_inverter_runtime(serial)
        logins = ask(control, "GET", "/portal/log")["counts"]["logins"] - before
        check(f"pylxpweb {serial}: recovers from {expiry}", again.success and logins == 1, logins)
    ask(control, "DELETE", "/portal/faults")


def ask(control, method, path, body=None):
    """Calls the simulator's control API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{control}{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        text = reply.read()
    return json.loads(text) if text else None


async def with_eg4_inverter_api(base_url, user, password, _control):
    """The same through a client without models."""
    client = EG4InverterAPI(user, password, base_url=base_url)
    try:
        await client.login()
        inverters = client.get_inverters()
        check("eg4_inverter_api: inverters", len(inverters) >= 1, inverters)
        client.set_selected_inverter(inverterIndex=0)
        runtime = await client.get_inverter_runtime_async()
        check("eg4_inverter_api: soc", 0 <= runtime.soc <= 100, runtime.soc)
        check("eg4_inverter_api: status", runtime.statusText == "normal", runtime.statusText)
        battery = await client.get_inverter_battery_async()
        check("eg4_inverter_api: modules", battery.totalNumber == len(battery.battery_units), battery)
        check("eg4_inverter_api: voltage", 44 <= float(battery.totalVoltageText) <= 60, battery.totalVoltageText)
        energy = await client.get_inverter_energy_async()
        check("eg4_inverter_api: energy", energy.totalYielding >= energy.todayYielding, energy)
    finally:
        await client.close()

    stranger = EG4InverterAPI(user, password + "x", base_url=base_url)
    try:
        await stranger.login()
        check("eg4_inverter_api: a wrong password is refused", False, "signed in")
    except EG4AuthError as error:
        check("eg4_inverter_api: a wrong password is refused", True, error)
    finally:
        await stranger.close()


def main():
    """Runs both clients."""
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    base_url, user, password = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]
    control = sys.argv[4].rstrip("/") if len(sys.argv) == 5 else None
    with urllib.request.urlopen(f"{base_url}/WManage/web/login", timeout=10) as page:
        check("the portal is there", page.status == 200 and b"loginForm" in page.read())
    for clients in (with_pylxpweb, with_eg4_inverter_api):
        try:
            asyncio.run(asyncio.wait_for(clients(base_url, user, password, control), timeout=120))
        except Exception as error:  # whatever a client dies of is a failure of this one only
            check(f"{clients.__name__} runs through", False, error)
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
