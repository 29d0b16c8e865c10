"""Counting of expectations, for the scripts beside this one."""


class Checks:
    """Counts expectations, and prints those that don't hold."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def that(self, what, holds, seen=None):
        """`seen` is what to print if it doesn't hold."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {what}: {seen!r}")

    def equal(self, what, seen, expected):
        self.that(what, seen == expected, f"{seen!r} instead of {expected!r}")

    def near(self, what, seen, expected):
        """Within 5 %: what a device measures is noisy."""
        holds = seen is not None and abs(float(seen) - expected) <= 0.05 * abs(expected)
        self.that(what, holds, f"{seen!r} instead of about {expected!r}")
