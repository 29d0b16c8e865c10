// Who may change something: everybody looks, whoever changes something has signed in, and who did is told.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { type House, WAYS, anotherPage, expect, test, visit } from "./house";

const PASSWORD = "sunny side up";

/** Takes over a house that nobody has taken over yet. */
async function takeOver(page: Page, house: House): Promise<void> {
  await page.goto(`${house.url}/sign-in`);
  await page.getByLabel("Code").fill(house.code.toLowerCase().replace("-", " "));
  await page.getByLabel(/New password/).fill(PASSWORD);
  await page.getByRole("button", { name: "Take over" }).click();
}

/** Takes out what the browser notes of a reply that says no, or that takes away what is kept. */
function forgetRefusals(said: string[]): void {
  said.splice(0, said.length, ...said.filter((line) => !/status of 401|Clear-Site-Data/.test(line)));
}

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a new house is taken over with its code, and then controlled", async ({ page, open, said }) => {
      const house = await open({ isGuarded: true });
      await house.full();
      await visit(page, house);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 100 %");
      await expect(page.getByRole("button", { name: "Switch off" })).toHaveCount(0);
      await page.getByRole("link", { name: "Sign in" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Take over this controller");
      await page.getByLabel("Code").fill("AAAA-AAAA");
      await page.getByLabel(/New password/).fill(PASSWORD);
      await page.getByRole("button", { name: "Take over" }).click();
      await expect(page.getByRole("alert")).toHaveText("That isn't right.");
      await takeOver(page, house);
      await expect(page).toHaveURL(`${house.url}/`);
      await page.getByRole("button", { name: "Switch off" }).click();
      await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
      await house.pass(60);
      expect((await house.truth()).phase).toBe("off");
      forgetRefusals(said);
    });

    test("whoever is led to the door comes back to where they were", async ({ page, browser, open, said }) => {
      const house = await open({ isGuarded: true, history: 0 });
      const owner = await anotherPage(browser, {});
      await takeOver(owner, house);
      await page.goto(`${house.url}/account`);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
      await signIn(page, "sunny side down");
      await expect(page.getByRole("alert")).toHaveText("That isn't right.");
      await signIn(page);
      await expect(page).toHaveURL(`${house.url}/account`);
      const browsers = page.getByRole("region", { name: "Browsers that are signed in" });
      await expect(browsers.getByRole("listitem")).toHaveCount(2);

      await browsers.getByRole("button", { name: "End all others" }).click();
      await expect(browsers.getByRole("listitem")).toHaveCount(1);
      await owner.goto(`${house.url}/account`);
      await expect(owner.getByRole("heading", { level: 1 })).toHaveText("Sign in");
      await owner.context().close();

      await browsers.getByRole("button", { name: "Sign out" }).click();
      await expect(page).toHaveURL(`${house.url}/`);
      await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
      forgetRefusals(said);
    });

    test("a token is shown once, does what it may, and is taken back", async ({ page, request, open }) => {
      const house = await open({ isGuarded: true, history: 0 });
      await takeOver(page, house);
      await page.goto(`${house.url}/account`);
      await page.getByLabel("Name").fill("<b>Home</b> automation");
      await page.getByLabel("May").selectOption("control");
      await page.getByRole("button", { name: "Make a token" }).click();
      const token = (await page.locator(".token").textContent())!;
      const off = () =>
        request.post(`${house.url}/api/miner/power_off`, { headers: { authorization: `Bearer ${token}` } });
      expect((await off()).status()).toBe(202);
      const programs = page.getByRole("region", { name: "Programs with a token" });
      await page.goto(`${house.url}/account`);
      await expect(page.locator(".token")).toHaveCount(0);
      await expect(programs.getByRole("listitem")).toContainText("<b>Home</b> automation");
      await expect(programs.getByRole("listitem")).toContainText("used last");
      await expect(page.getByRole("region", { name: "What was changed" })).toContainText("POST /api/miner/power_off");
      await programs.getByRole("button", { name: "Take back" }).click();
      await expect(programs).toContainText("None yet.");
      expect((await off()).status()).toBe(401);
    });

    test("another password signs everybody else out", async ({ page, browser, open, said }) => {
      const house = await open({ isGuarded: true, history: 0 });
      const other = await anotherPage(browser, {});
      await takeOver(other, house);
      await page.goto(`${house.url}/account`);
      await signIn(page);
      await page.getByLabel("The one so far").fill("wrong enough");
      await page.getByLabel(/The new one/).fill("something else");
      await page.getByRole("button", { name: "Change" }).click();
      await expect(page.getByRole("alert")).toHaveText("That isn't right.");
      await page.getByLabel("The one so far").fill(PASSWORD);
      await page.getByLabel(/The new one/).fill("something else");
      await page.getByRole("button", { name: "Change" }).click();
      await expect(page.getByText("The password is another one now.")).toBeVisible();
      await other.goto(`${house.url}/account`);
      await signIn(other);
      await expect(other.getByRole("alert")).toHaveText("That isn't right.");
      await signIn(other, "something else");
      await expect(other.getByRole("heading", { level: 1 })).toHaveText("Access");
      await other.context().close();
      forgetRefusals(said);
    });
  });
}

test("no rule of accessibility is broken at the door and behind it", async ({ browser, page, open }) => {
  test.slow();
  const house = await open({ isGuarded: true, history: 0 });
  const examine = async (page: Page, what: string) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of [[320, 700], [390, 844], [768, 1024], [1440, 900]]) {
        await page.setViewportSize({ width, height });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const told = violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }));
        expect(told, `${what}, ${colorScheme}, ${width} px`).toEqual([]);
        const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overhang, `${what}, ${width} px`).toBeLessThanOrEqual(0);
      }
    }
  };
  await page.goto(`${house.url}/claim`);
  await examine(page, "claim");
  await takeOver(page, house);
  await page.goto(`${house.url}/account`);
  await page.getByLabel("Name").fill("A script");
  await page.getByRole("button", { name: "Make a token" }).click();
  await examine(page, "account");
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`${house.url}/sign-in`);
  await examine(stranger, "sign-in");
  await stranger.context().close();
});

test("no file, page or table holds a secret", async ({ page, open, said }) => {
  const house = await open({ isGuarded: true });
  await takeOver(page, house);
  await expect(page).toHaveURL(`${house.url}/`);
  await page.goto(`${house.url}/account`);
  await page.getByLabel("Name").fill("tests");
  await page.getByRole("button", { name: "Make a token" }).click();
  const token = await page.locator(".made .token").innerText();
  expect(token).toMatch(/^wmc_\w{64}$/);
  const kept = (await page.context().cookies()).map(({ value }) => value);
  expect(kept.length).toBeGreaterThan(1);
  const secrets = [PASSWORD, token, ...kept];
  // All that a visit asks for, and what else can be asked for.
  const asked = new Set(["/metrics", "/api/history.csv", "/api/system/status", "/api/openapi.json", "/api", "/sw.js"]);
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    // The stream has no end.
    if (pathname !== "/api/events") asked.add(pathname + search);
  });
  for (const path of ["/", "/decisions", "/settings", "/account"]) {
    await page.goto(house.url + path);
    asked.add(path);
  }
  await page.goto(house.url);
  await page.locator("#chart").scrollIntoViewIfNeeded();
  await expect(page.locator("#chart canvas")).toHaveCount(2);
  expect([...asked].some((path) => path.endsWith(".wasm"))).toBe(true);
  for (const path of asked) {
    const answer = await page.request.get(house.url + path);
    const bytes = await answer.body();
    expect(bytes.length, path).toBeGreaterThan(0);
    for (const secret of secrets) expect(bytes.includes(secret), `${path} holds ${secret}`).toBe(false);
  }
  forgetRefusals(said);
});
