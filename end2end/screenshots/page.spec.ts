// The page at the end of a June afternoon, as a phone and a desk show it.
import { anotherPage, test, visit } from "../tests/house";

const WIDTHS = { phone: [390, 844], desk: [1440, 900] } as const;

test("pictures", async ({ browser, open }) => {
  // 17:40 in New Mexico.
  const house = await open({ start: "2026-06-23T23:40:00Z", history: 3 });
  for (const [name, [width, height]] of Object.entries(WIDTHS)) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await anotherPage(browser, { colorScheme, viewport: { width, height } });
      await visit(page, house, "/?range=24h");
      await page.screenshot({ path: `../docs/screenshots/${name}-${colorScheme}.png`, fullPage: true });
      await page.context().close();
    }
  }
});
