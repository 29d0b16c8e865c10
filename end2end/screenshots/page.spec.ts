// The page at the end of a June afternoon, as a phone and a desk show it.
import { anotherPage, test, visit } from "../tests/house";

const WIDTHS = { phone: [390, 844], desk: [1440, 900] } as const;

test("pictures", async ({ browser, open }) => {
  // 17:40 in New Mexico.
  const house = await open({ start: "2026-06-23T23:40:00Z", history: 1.1 });
  for (const [name, [width, height]] of Object.entries(WIDTHS)) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await anotherPage(browser, { colorScheme, viewport: { width, height } });
      await visit(page, house, "/?range=24h");
      await page.locator("#chart").scrollIntoViewIfNeeded();
      await page.locator("#chart canvas").nth(1).waitFor();
      await page.evaluate(() => scrollTo(0, 0));
      // A window as high as the page: what is fixed to its edge stands at the end.
      const whole = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: whole });
      await page.screenshot({ path: `../docs/screenshots/${name}-${colorScheme}.png` });
      await page.context().close();
    }
  }
});
