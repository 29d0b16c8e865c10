// At every width, in every theme, alive or not: everything that can be pressed is there, whole, and under nothing else.
import { WAYS, anotherPage, expect, live, test } from "./house";

const SIZES = [[390, 844], [768, 1024], [1440, 900]] as const;
const PAGES = ["/?range=6h", "/miners/miner?range=6h", "/decisions", "/devices", "/settings", "/account", "/api", "/demo/faults"];
/** What can be pressed. The way past the header, and the button that Enter presses, are there for keyboards only. */
const PRESSED = "a[href]:not(.skip), button:enabled:not([aria-hidden]), select, summary, input:not([type=hidden])";

for (const { way, javaScriptEnabled } of WAYS) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`${way}, ${colorScheme}: everything can be pressed and does what it says`, async ({ browser, open }) => {
      test.slow();
      const house = await open({ history: 0.3 });
      await house.full();
      await house.charge(80);
      for (const [width, height] of SIZES) {
        const page = await anotherPage(browser, { colorScheme, javaScriptEnabled, viewport: { width, height } });
        for (const path of PAGES) {
          await page.goto(house.url + path);
          if (javaScriptEnabled && path.includes("?range=")) {
            await live(page);
            await page.locator("#chart").scrollIntoViewIfNeeded();
            await expect(page.locator("#chart canvas")).toHaveCount(2);
          }
          const pressed = await page.locator(PRESSED).filter({ visible: true }).all();
          expect(pressed.length, path).toBeGreaterThan(2);
          for (const element of pressed) await element.click({ trial: true, timeout: 20_000 });
        }
        await page.goto(`${house.url}/?range=6h`);
        const sun = page.locator("#chart").getByRole("button", { name: "Sun" });
        await sun.click();
        await expect(sun).toHaveAttribute("aria-pressed", "false");
        await page.getByRole("link", { name: "24h", exact: true }).click();
        await expect(page.locator("figcaption")).toContainText("the last 24 hours");
        await page.locator(".steps label", { hasText: "50" }).click();
        await page.getByRole("button", { name: "Hold" }).click();
        await expect(page.getByRole("main")).toContainText(/50\s%/);
        await page.context().close();
      }
    });
  }
}
