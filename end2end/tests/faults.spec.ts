// Everything that can be wrong with the demo house, on a page of its own.
import AxeBuilder from "@axe-core/playwright";
import { type Page, WAYS, anotherPage, expect, test, visit } from "./house";

const PATH = "/demo/faults";
const HUMAN = "Portal asks whether one is human";

const fault = (page: Page, name: string) => page.getByRole("switch", { name, exact: true });

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("every fault is switched from a page that the panel leads to, and the long list stays where it was left", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await visit(page, house);
      const demo = page.getByRole("complementary", { name: "Demo house" });
      await demo.getByText("Time and faults").click();
      await expect(demo.getByText(HUMAN), "too much for every document").toHaveCount(0);
      await demo.getByRole("link", { name: "All faults" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Faults");
      expect(await page.getByRole("switch").count()).toBeGreaterThan(60);
      const now = page.getByRole("region", { name: "What is wrong now" }).getByRole("paragraph");
      await expect(now).toHaveText("Nothing is wrong.");

      await fault(page, HUMAN).click();
      await expect(fault(page, HUMAN)).toHaveAttribute("aria-checked", "true");
      await expect(page).toHaveURL(/#portal_captcha$/);
      await expect(fault(page, HUMAN)).toBeInViewport();
      await expect(now).toHaveText(`${HUMAN}.`);

      await expect(page.getByRole("link", { name: "The whole house" })).toHaveAttribute("href", "/");
      await visit(page, house);
      await demo.getByText("Time and faults").click();
      await expect(demo).toContainText(`${HUMAN}.`);
      await demo.getByRole("button", { name: "Mend everything" }).click();
      await expect(demo).not.toContainText(`${HUMAN}.`);

      await page.goto(house.url + PATH);
      await expect(fault(page, HUMAN)).toHaveAttribute("aria-checked", "false");
      for (const name of [HUMAN, "Thick clouds"]) {
        await fault(page, name).click();
        await expect(fault(page, name)).toHaveAttribute("aria-checked", "true");
      }
      await fault(page, HUMAN).click();
      await expect(now).toHaveText("Thick clouds.");
      await page.getByRole("button", { name: "Mend everything" }).click();
      await expect(now).toHaveText("Nothing is wrong.");
    });
  });
}

test("the page of the faults has no faults that a machine can find, and nothing too wide or too small", async ({ browser, open }) => {
  const house = await open({ history: 0 });
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [width, height] of [[320, 640], [1440, 900]]) {
      const page = await anotherPage(browser, { colorScheme, viewport: { width, height } });
      await page.goto(house.url + PATH);
      await fault(page, "Thick clouds").click();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations, `${colorScheme}, ${width} px`).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const small = await page.locator("main button, main a").evaluateAll((elements) =>
        elements.filter((element) => element.getBoundingClientRect().height <= 43.5).map((element) => element.textContent),
      );
      expect(small).toEqual([]);
      await page.context().close();
    }
  }
});
