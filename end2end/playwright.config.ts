// The tests run the real program with its demo house, each with a house of its own, whose time stands still until the
// test moves it. `cargo xtask test` says by the environment where the program, the page and the browser are.
//
// Everybody's run is at a phone's width in light colours; `everywhere.spec.ts` tries at every width and in both themes what
// these can break. EVERYWHERE=1 runs every test at all of them, which takes six times as long; one of them by itself:
//
//     EVERYWHERE=1 cargo xtask browser -- --project="1440 dark"
import { defineConfig } from "@playwright/test";

const { CHROMIUM = "/usr/bin/chromium", EVERYWHERE } = process.env;

const SIZES = [
  { width: 390, height: 844 },
  { width: 768, height: 1024 },
  { width: 1440, height: 900 },
];
const everywhere = SIZES.flatMap((viewport) =>
  (["light", "dark"] as const).map((colorScheme) => ({
    name: `${viewport.width} ${colorScheme}`,
    use: { viewport, colorScheme },
  })),
);

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
  projects: EVERYWHERE ? everywhere : everywhere.slice(0, 1),
  use: {
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
