"""The real program, asked whatever its own description allows and forbids.

    described.py PROGRAM LOG

Schemathesis reads the OpenAPI description and makes up calls: no reply may be a failure of the server, every reply has a
status, a content type and members that the description names, and what the description forbids is refused. The calls are the
same every time. The program runs its demo house, with the door guarded, on this machine only.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

PASSWORD = "sunny side up"
# The stream of events never ends; it has its own tests.
ENDLESS = "/api/events"
# What the description allows may still be refused for what is known only at the moment: an id that no miner has, a
# power that this miner can't hold, a stretch of time that ends before it begins.
NOT_ASKED = "positive_data_acceptance"
EXAMPLES = "20"


def begin(program: str, data: str, log) -> tuple[subprocess.Popen, str, str]:
    """Starts the program. It, where it answers, and the code with which it is taken over."""
    command = [program, "--demo", "--sign-in", "--port", "0", "--history", "0.1", "--data", data]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    said = running.stdout.readline() + running.stdout.readline()
    url = re.search(r"http://[^/\s]+", said)
    code = re.search(r"with the code (\S+)", said)
    if not (url and code):
        running.kill()
        raise SystemExit(f"the program didn't say where it answers and how it is taken over: {said!r}")
    return running, url[0], code[1]


def token(url: str, code: str) -> str:
    """Takes the house over, and makes a token that may control the miners."""
    browser = requests.Session()
    claim = {"code": code, "password": PASSWORD, "then": "/account"}
    browser.post(f"{url}/claim", data=claim, timeout=30).raise_for_status()
    made = browser.post(f"{url}/account/tokens/make", data={"name": "tests", "scope": "control"}, timeout=30)
    made.raise_for_status()
    return re.search(r"wmc_[0-9A-Za-z]+", made.text)[0]


def ask(url: str, shown: str, scratch: str) -> int:
    command = [
        *(sys.executable, "-B", "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {shown}"),
        *("--exclude-path", ENDLESS, "--exclude-checks", NOT_ASKED),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES),
        "--generation-deterministic",
        # A token may change so much a second: whoever is told to wait waits, and asks the same again.
        *("--rate-limit", "auto", "--continue-on-failure", "--no-color", "--warnings", "off"),
    ]
    # What it remembers of a run goes where it is forgotten.
    return subprocess.run(command, check=False, cwd=scratch).returncode


def main() -> int:
    program, log = sys.argv[1:]
    with tempfile.TemporaryDirectory() as data, Path(log).open("w") as said:
        running, url, code = begin(program, data, said)
        try:
            return ask(url, token(url, code), data)
        finally:
            running.terminate()
            running.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
