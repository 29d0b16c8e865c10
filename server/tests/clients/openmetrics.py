"""Reads the controller's metrics as a collector does, and holds them against its API.

    python3 openmetrics.py CONTROLLER_URL

The parser is the reference's own. A controller whose battery and first miner are read is wanted; which tick is told is
looked at before and after, so that both tell the same moment. Needs the packages of requirements.txt beside the
simulator's clients. Leaves with a status other than 0 if anything isn't as it should be.
"""

import json
import sys
import time
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

GIVE_UP_SECONDS = 120
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# Metric of the battery, member of /api/battery/status, what one unit of the API is.
BATTERY = (
    ("wm_controller_battery_state_of_charge_ratio", "soc_percent", 0.01),
    ("wm_controller_battery_pv_power_watts", "pv_power_w", 1),
    ("wm_controller_battery_load_power_watts", "load_power_w", 1),
    ("wm_controller_battery_grid_power_watts", "grid_power_w", 1),
    ("wm_controller_battery_power_watts", "battery_net_w", 1),
    ("wm_controller_battery_voltage_volts", "voltage_v", 1),
)
# The same of the miner and /api/miner/status.
MINER = (
    ("wm_controller_miner_power_watts", "power_w", 1),
    ("wm_controller_miner_power_set_watts", "power_set_w", 1),
    ("wm_controller_miner_power_limit_watts", "power_limit_w", 1),
    ("wm_controller_miner_base_power_watts", "base_w", 1),
    ("wm_controller_miner_hash_rate_hashes_per_second", "hashrate_ths", 1e12),
    ("wm_controller_miner_ambient_temperature_celsius", "ambient_c", 1),
    ("wm_controller_miner_chip_max_temperature_celsius", "chip_max_c", 1),
)

passed = failed = 0


def that(what, holds, seen):
    """Counts an expectation, and prints one that doesn't hold."""
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {what}: {seen!r}")


def get(url, path):
    with urllib.request.urlopen(url.rstrip("/") + path, timeout=30) as reply:
        return reply.read().decode(), reply.headers


def api(url, path):
    return json.loads(get(url, path)[0])


def one_moment(url):
    """Metrics, battery and miner of the same tick, once both devices are known."""
    begun = time.monotonic()
    while time.monotonic() - begun < GIVE_UP_SECONDS:
        before = api(url, "/api/system/status")["tick"]
        metrics, headers = get(url, "/metrics")
        battery = api(url, "/api/battery/status")["status"]
        miner = api(url, "/api/miner/status")["status"]
        known = battery["soc_percent"] is not None and miner["power_w"] is not None
        if known and before == api(url, "/api/system/status")["tick"]:
            return metrics, headers, battery, miner
        time.sleep(0.5)
    sys.exit("the controller doesn't read its devices")


def main(url):
    text, headers, battery, miner = one_moment(url)
    that("content type", headers["content-type"] == CONTENT_TYPE, headers["content-type"])
    families = list(text_string_to_metric_families(text))
    samples = {}
    for family in families:
        that(f"{family.name} is explained", bool(family.documentation), family.documentation)
        that(f"{family.name} is named for its unit", family.name.endswith(family.unit), family.unit)
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    for metric, member, unit in BATTERY + MINER:
        expected = (battery if (metric, member, unit) in BATTERY else miner)[member]
        seen = [sample.value for sample in samples.get(metric, [])]
        if expected is None:
            that(f"{metric}, which isn't known, is left out", seen == [], seen)
        else:
            near = len(seen) == 1 and abs(seen[0] - expected * unit) <= 1e-9 * abs(seen[0])
            that(metric, near, (seen, expected))
    state = {sample.labels["state"]: sample.value for sample in samples["wm_controller_miner_state"]}
    that("the miner is in one state", sum(state.values()) == 1 and state[miner["state"]] == 1, state)
    info = [sample.labels for sample in samples["wm_controller_miner_info"]]
    that("the miner's name", info[0]["name"] == miner["name"], info)
    for name in ["lateness", "duration"]:
        classes = samples[f"wm_controller_control_loop_{name}_seconds_bucket"]
        that(f"{name} is classed", classes[-1].labels["le"] == "+Inf" and classes[-1].value > 0, classes)
    print(f"openmetrics: {passed} as expected, {failed} not; {len(families)} families")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
