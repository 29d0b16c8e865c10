// The pictures that a browser shows when it offers to install the page. The manifest tells their sizes.
import { anotherPage, test, visit } from "../tests/house";

const PICTURES = [
  { name: "narrow", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
  { name: "wide", viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 },
];

test("install pictures", async ({ browser, open }) => {
  // 17:40 in New Mexico.
  const house = await open({ start: "2026-06-23T23:40:00Z", history: 1.1 });
  for (const { name, ...options } of PICTURES) {
    const page = await anotherPage(browser, { ...options, colorScheme: "light" });
    await visit(page, house, "/?range=24h");
    // A house of one's own has no switches for its time.
    await page.evaluate(() => document.querySelector<HTMLElement>(".demo")!.style.setProperty("display", "none"));
    await page.screenshot({ path: `../public/install/${name}.png` });
    await page.context().close();
  }
});
