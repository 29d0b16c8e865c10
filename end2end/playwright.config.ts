// The tests run the real program with its demo house, each with a house of its own, whose time stands still until the
// test moves it. `cargo xtask test` says by the environment where the program, the page and the browser are.
import { defineConfig } from "@playwright/test";

const { CHROMIUM = "/usr/bin/chromium" } = process.env;

export default defineConfig({
  testDir: "tests",
  // Each worker has a browser and a program of its own.
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: !!process.env.CI,
  // Far longer than the slowest machine needs; a test that hangs is a finding.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 390, height: 844 },
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
