// The journal: it can be narrowed and paged through by its address, and every entry leads to its place on the chart.
import AxeBuilder from "@axe-core/playwright";
import { type Page } from "@playwright/test";
import { WAYS, anotherPage, expect, test } from "./house";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [[390, 844], [768, 1024], [1440, 900]] as const;

const entries = (page: Page) => page.locator(".day li");
const did = (page: Page) => page.locator(".day h3").allInnerTexts();
const places = async (page: Page) => entries(page).evaluateAll((found) => found.map(({ id }) => id));

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("an entry says what was done, why, from which readings, and what became of it", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(55);
      await house.pass(900);
      await page.goto(`${house.url}/decisions`);
      await expect(page).toHaveTitle("Decisions · Demo house");
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decisions");
      await expect(page.getByRole("heading", { level: 2, name: "Sunday 21 June" })).toBeVisible();
      const down = entries(page).filter({ hasText: "100 →to 60 %" }).first();
      await expect(down).toContainText("Going down to 60 % since the battery fell to 55 %.");
      await expect(down).toContainText("Ladder");
      await expect(down).toContainText(/seen to work after \d+ (s|min)/);
      await expect(down).toContainText(/Battery55\s%, said at 14:\d\d, \d+ s old/);
      await expect(down).toContainText(/Minerdrew 3\.\d+\skW, set to 100\s%/);
    });

    test("what is shown is in the address, and back leads back", async ({ page, open }) => {
      const house = await open({ history: 1 });
      await page.goto(`${house.url}/decisions`);
      const all = await entries(page).count();
      const choice = (name: string) => page.getByRole("button", { name, exact: true });
      await expect(choice("Everything")).toHaveAttribute("aria-pressed", "true");

      await choice("Commands").click();
      await expect(page).toHaveURL(/[?&]about=commands/);
      await expect(choice("Commands")).toHaveAttribute("aria-pressed", "true");
      const commands = await did(page);
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.length).toBeLessThan(all);
      expect(commands).not.toContain("Nothing sent");

      await page.getByLabel("Day").fill("2026-06-20");
      await page.getByRole("button", { name: "Show" }).click();
      await expect(page).toHaveURL(/day=2026-06-20&about=commands/);
      await expect(page.getByRole("heading", { level: 2 })).toHaveText("Saturday 20 June");
      await expect(page.getByLabel("Day")).toHaveValue("2026-06-20");

      await page.getByLabel("Day").fill("2026-06-01");
      await page.getByLabel("Day").press("Enter");
      await expect(page.getByText("Nothing of this kind was decided in this time.")).toBeVisible();
      await page.goBack();
      await expect(page.getByRole("heading", { level: 2 })).toHaveText("Saturday 20 June");
      await page.goBack();
      expect(await did(page)).toEqual(commands);
      await page.goBack();
      await expect(entries(page)).toHaveCount(all);
    });

    test("pages lead to older entries and back, each entry once", async ({ page, request, open }) => {
      const house = await open();
      // All at one instant, as the house's time stands still.
      for (let pair = 0; pair < 30; pair++) {
        await request.post(`${house.url}/api/autocontrol/disable`);
        await request.post(`${house.url}/api/autocontrol/enable`);
      }
      await page.goto(`${house.url}/decisions`);
      const first = await places(page);
      expect(first).toHaveLength(50);
      const pages = page.getByRole("navigation", { name: "Pages of the journal" });
      await expect(pages.getByRole("link")).toHaveText(["Older"]);
      await pages.getByRole("link", { name: "Older" }).click();
      await expect(page).toHaveURL(/before=/);
      const second = await places(page);
      expect(second.filter((place) => first.includes(place))).toEqual([]);
      await expect(pages.getByRole("link", { name: "Newest" })).toBeVisible();
      await pages.getByRole("link", { name: "Newer" }).click();
      await expect(page).toHaveURL(/after=/);
      expect(await places(page)).toEqual(first);
      await page.goBack();
      expect(await places(page)).toEqual(second);
    });
  });
}

test("the hour that is there twice says which it is, and the day has both", async ({ page, open }) => {
  // 01:10 in New Mexico, before the clocks are put back at 2.
  const house = await open({ start: "2026-11-01T07:10:00Z", history: 0.1 });
  await house.full();
  await house.pass(3600);
  await house.charge(60);
  await house.pass(300);
  for (const day of ["2026-10-31", "2026-11-02"]) {
    await page.goto(`${house.url}/decisions?day=${day}`);
    await expect(page.locator(".day time", { hasText: /M[DS]T/ })).toHaveCount(0);
  }
  await page.goto(`${house.url}/decisions?day=2026-11-01`);
  await expect(page.getByRole("heading", { level: 2 })).toHaveText("Sunday 1 November");
  await expect(page.locator(".day time", { hasText: /^01:\d\d:\d\d MDT$/ }).first()).toBeVisible();
  const down = entries(page).filter({ hasText: "Going down to 60 %" }).last();
  await expect(down.locator("time")).toHaveText(/^01:\d\d:\d\d MST$/);
  await expect(down.locator("time")).toHaveAttribute("datetime", /^2026-11-01T08:/);
});

test("an entry leads to its place on the chart, and the site's name to the dashboard", async ({ page, open }) => {
  const house = await open({ history: 0.5 });
  await page.goto(`${house.url}/decisions?about=commands`);
  const entry = entries(page).first();
  const instant = Date.parse((await entry.locator("time").getAttribute("datetime"))!);
  await entry.getByRole("link", { name: /^On the chart/ }).click();
  await expect(page).toHaveURL(`${house.url}/?range=6h&at=${instant}#chart`);
  await page.goBack();
  await page.getByRole("banner").getByRole("link", { name: "Demo house" }).click();
  await expect(page).toHaveURL(`${house.url}/`);
});

test("what an address says that can't be is as if it weren't said", async ({ page, open }) => {
  const house = await open({ history: 0.5 });
  await page.goto(`${house.url}/decisions`);
  const all = await places(page);
  page.on("dialog", () => expect("a script").toBe("never run"));
  const evil = encodeURIComponent(`"><script>alert(1)</script>`);
  const response = await page.goto(`${house.url}/decisions?miner=${evil}&about=${evil}&day=${evil}&before=${evil}`);
  expect(response?.status()).toBe(200);
  expect(await places(page)).toEqual(all);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decisions");
});

test("no rule of accessibility is broken at any width, in any theme", async ({ browser, open }) => {
  test.slow();
  const house = await open({ history: 0.5 });
  // Something that failed, too: the longest words there are.
  await house.full();
  await house.minerFaults({ writes: "acknowledge_only" });
  await house.charge(28);
  await house.pass(600);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [width, height] of WIDTHS) {
      const page = await anotherPage(browser, { colorScheme, viewport: { width, height } });
      for (const path of ["/decisions", "/decisions?day=2026-01-01"]) {
        await page.goto(house.url + path);
        const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
        const told = violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html) }));
        expect(told, `${path}, ${colorScheme}, ${width} px`).toEqual([]);
      }
      await page.context().close();
    }
  }
});

for (const width of [320, 390, 768, 1440, 3840]) {
  test(`nothing is wider than a window of ${width} px, and a finger can touch it`, async ({ page, open }) => {
    const house = await open({ history: 0.5 });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(`${house.url}/decisions`);
    const small = await page.locator("button, select, input, header a, nav a, .when a").evaluateAll((found) =>
      found
        .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.height < 43.5 || box.width < 24)
        .map(({ text, box }) => `${text}: ${box.width} × ${box.height}`),
    );
    expect(small).toEqual([]);
    const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overhang()).toBeLessThanOrEqual(0);
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    expect(await overhang()).toBeLessThanOrEqual(0);
  });
}

test("it can be used by keyboard alone", async ({ page, open }) => {
  const house = await open({ history: 0.5 });
  await page.goto(`${house.url}/decisions`);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "To the content" })).toBeFocused();
  await page.getByRole("button", { name: "Commands" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/about=commands/);
});
