// Everybody can read and use it: contrast, names, keyboard, narrow and wide, light and dark.
import AxeBuilder from "@axe-core/playwright";
import { anotherPage, expect, live, test, visit, WAYS } from "./house";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

test("no rule of accessibility is broken at any width, in any theme", async ({ browser, open }) => {
  test.slow();
  const house = await open({ history: 0.5 });
  // With alerts, a latch, a refusal to confirm: as much on the page as there can be.
  await house.charge(28);
  await house.charge(50);
  await house.portal({ frozen: true });
  await house.pass(900);
  for (const { way, javaScriptEnabled } of WAYS) {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const [width, height] of [[390, 844], [768, 1024], [1440, 900]]) {
        const page = await anotherPage(browser, { colorScheme, viewport: { width, height } });
        // The examination itself is a script: only the page's own are kept away.
        if (!javaScriptEnabled) await page.route("**/*.js", (route) => route.abort());
        await page.goto(house.url);
        if (javaScriptEnabled) {
          await live(page);
          await page.locator("#chart").scrollIntoViewIfNeeded();
          await expect(page.locator("#chart canvas")).toHaveCount(2);
        }
        for (const summary of await page.locator("summary:visible").all()) await summary.click();
        const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
        const told = violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html) }));
        expect(told, `${way}, ${colorScheme}, ${width} px`).toEqual([]);
        await page.context().close();
      }
    }
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`no rule is broken by what stands in the place of a page, ${colorScheme}`, async ({ browser, open }) => {
    const house = await open({ history: 0 });
    const page = await anotherPage(browser, { colorScheme });
    for (const path of ["/offline", "/nothing-is-here"]) {
      for (const [width, height] of [[390, 844], [768, 1024], [1440, 900]]) {
        await page.setViewportSize({ width, height });
        await page.goto(house.url + path);
        const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
        expect(violations, `${path}, ${width} px`).toEqual([]);
      }
    }
    await page.context().close();
  });
}

for (const width of [320, 390, 768, 1440, 3840]) {
  test(`nothing is wider than a window of ${width} px, with text of twice the size too`, async ({ page, open }) => {
    const house = await open({ history: 0.1 });
    await page.setViewportSize({ width, height: 800 });
    await visit(page, house);
    for (const summary of await page.locator("summary:visible").all()) await summary.click();
    const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overhang()).toBeLessThanOrEqual(0);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    expect(await overhang()).toBeLessThanOrEqual(0);
  });
}

test("everything that can be touched is large enough for a finger", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await visit(page, house);
  for (const summary of await page.locator("summary:visible").all()) await summary.click();
  const small = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, select, summary, nav a, .steps label")]
      .map((element) => ({ text: element.innerText, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.height < 43.5 || box.width < 24))
      .map(({ text, box }) => `${text}: ${box.width} × ${box.height}`),
  );
  expect(small).toEqual([]);
});

test("it can be used by keyboard alone", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await house.full();
  await house.charge(80);
  await visit(page, house);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "To the content" })).toBeFocused();
  await page.getByRole("button", { name: "Switch off" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
});
