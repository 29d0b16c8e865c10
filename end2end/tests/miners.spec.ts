// Several miners: the dashboard tells of all together and of each in a line, and the story of each is on its own page.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { type House, WAYS, expect, live, look, test, visit } from "./house";

const headline = (page: Page) => page.getByRole("heading", { level: 1 });
const lines = (page: Page) => page.getByRole("region", { name: "Miners", exact: true }).getByRole("listitem");
const line = (page: Page, name: string) => lines(page).filter({ has: page.locator("strong").getByText(name, { exact: true }) });
const others = (page: Page) => page.getByRole("navigation", { name: "Miners" });
const whosePast = (page: Page) => page.getByRole("navigation", { name: "Whose past" });
const title = (page: Page) => page.locator("#chart-title");

/** Opens a house whose battery was full and is at 88 %: both WhatsMiners run, the Garage's at full power. */
async function shared(open: (setup: { devices: "several" }) => Promise<House>): Promise<House> {
  const house = await open({ devices: "several" });
  await house.full();
  await house.pass(300);
  await house.charge(88);
  await house.pass(600);
  return house;
}

/** How many kilowatts the miner drew at the most, as the charts say. */
async function mostDrawn(page: Page): Promise<number> {
  const said = /the miner drew up to ([\d.]+)\s*kW/;
  await expect(page.locator("figcaption")).toContainText(said);
  return Number(said.exec((await page.locator("figcaption").textContent())!)![1]);
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("each miner has a line, which leads to its page and from there to the others", async ({ page, open }) => {
      await visit(page, await shared(open));
      // 90 % of 6000 W are allowed: 3600 and, in steps of the Shed's 2400 W, 1920 W are as near as it gets.
      await expect(headline(page)).toHaveText("Mining at 92 %");
      await expect(lines(page)).toHaveCount(2);
      await expect(line(page, "Garage")).toContainText(/mining.*kW.*%/);
      await expect(page.getByRole("img", { name: /^The battery is at 88\s*% and the miners run at 92 %/ })).toHaveCount(1);

      await line(page, "Garage").getByRole("link").click();
      await expect(page).toHaveURL(/\/miners\/miner$/);
      await expect(headline(page)).toHaveText(/^Mining at \d+ %$/);
      await expect(page.locator(".now .eyebrow")).toContainText("Garage");
      await expect(page.getByRole("region", { name: "Battery" })).toContainText("Its share of what the battery allows all miners together");
      await expect(others(page).getByRole("link", { name: "Garage" })).toHaveAttribute("aria-current", "page");
      await expect(page.getByRole("region", { name: "Garage" }).getByRole("button", { name: "Hold" })).toBeVisible();

      await others(page).getByRole("link", { name: "Shed" }).click();
      await expect(page).toHaveURL(/\/miners\/shed$/);
      await expect(page).toHaveTitle(/^Mining at \d+ % · Shed · Demo house$/);
      await others(page).getByRole("link", { name: "The whole house" }).click();
      await expect(headline(page)).toHaveText("Mining at 92 %");
    });

    test("the charts show the miner that is chosen, and a page its own", async ({ page, open }) => {
      const house = await shared(open);
      await visit(page, house, "/?range=6h");
      await page.locator("#chart").scrollIntoViewIfNeeded();
      if (javaScriptEnabled) await expect(page.locator("#chart canvas")).toHaveCount(2);
      await expect(title(page)).toHaveText("Power · Garage");
      expect(await mostDrawn(page)).toBeGreaterThan(3);

      await whosePast(page).getByRole("link", { name: "Shed" }).click();
      await expect(title(page)).toHaveText("Power · Shed");
      await expect(page).toHaveURL(/\?range=6h&miner=shed/);
      expect(await mostDrawn(page)).toBeLessThan(3);
      // Range and lines are chosen for the miner that is looked at.
      await page.getByRole("navigation", { name: "How far back" }).getByRole("link", { name: "1h" }).click();
      await expect(page.locator("figcaption")).toContainText("Shed over the last hour");
      await page.locator("#chart").getByRole("button", { name: "Sun" }).click();
      await expect(page).toHaveURL(/\?range=1h&miner=shed&off=/);
      await expect(title(page)).toHaveText("Power · Shed");
      await page.reload();
      if (javaScriptEnabled) await live(page);
      await expect(title(page)).toHaveText("Power · Shed");
      await page.goBack();
      await page.goBack();
      await expect(page.locator("figcaption")).toContainText("Shed over the last six hours");

      await visit(page, house, "/miners/shed?range=6h");
      await expect(title(page)).toHaveText("Power");
      expect(await mostDrawn(page)).toBeLessThan(3);
      await page.getByRole("navigation", { name: "How far back" }).getByRole("link", { name: "1h" }).click();
      await expect(page).toHaveURL(/\/miners\/shed\?range=1h$/);
      await page.locator("#chart").getByRole("button", { name: "Sun" }).click();
      await expect(page).toHaveURL(/\/miners\/shed\?range=1h&off=/);
    });

    test("what is asked on a miner's page reaches that miner alone", async ({ page, open }) => {
      const house = await shared(open);
      await visit(page, house, "/miners/shed");
      await page.getByRole("button", { name: "Switch off" }).click();
      await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
      await expect(page).toHaveURL(/\/miners\/shed\??$/);
      await house.pass(60);
      expect((await house.truth("shed")).phase).toBe("off");
      expect((await house.truth("miner")).phase).not.toBe("off");
      await look(page, javaScriptEnabled);
      await expect(headline(page)).toHaveText("Off");
      await expect(page.getByRole("region", { name: "Last commands" })).toContainText("seen to be off");
    });

    test("on, off and who drives it are at hand on the dashboard", async ({ page, open }) => {
      const house = await shared(open);
      await visit(page, house);
      await line(page, "Shed").getByText("Switch").first().click();
      await line(page, "Shed").getByRole("button", { name: "Switch off" }).click();
      await expect(headline(page)).toHaveText(/^1 of 2 mining$|^Mining at/);
      // The call is on its way: time goes on when it has arrived.
      if (javaScriptEnabled) await expect(line(page, "Shed").getByRole("status")).toContainText("Off:");
      await house.pass(60);
      expect((await house.truth("shed")).phase).toBe("off");
      expect((await house.truth("miner")).phase).not.toBe("off");
      await look(page, javaScriptEnabled);
      await expect(line(page, "Shed")).toContainText("off by you");
      await expect(headline(page)).toHaveText("1 of 2 mining");

      if (!javaScriptEnabled) await line(page, "Shed").getByText("Switch").first().click();
      const auto = line(page, "Shed").getByRole("switch", { name: "Auto-control" });
      await auto.click();
      if (!javaScriptEnabled) await line(page, "Shed").getByText("Switch").first().click();
      await expect(auto).toHaveAttribute("aria-checked", "false");
      await line(page, "Garage").getByText("Switch").first().click();
      await expect(line(page, "Garage").getByRole("switch")).toHaveAttribute("aria-checked", "true");
    });

    test("a refusal is said at the miner that it is about", async ({ page, open, said }) => {
      const house = await open({ devices: "several" });
      await house.charge(28);
      await house.pass(120);
      await visit(page, house);
      await expect(headline(page)).toHaveText("All off");
      await expect(page.locator(".sentence")).toContainText("under the emergency threshold");
      await line(page, "Shed").getByText("Switch").first().click();
      await line(page, "Shed").getByRole("checkbox").check();
      await line(page, "Shed").getByRole("button", { name: "Switch on" }).click();
      await expect(line(page, "Shed").getByRole("alert")).toContainText("The battery is at 28 %");
      await expect(line(page, "Shed").getByRole("alert")).toBeVisible();
      await expect(line(page, "Garage").locator(".refusal")).toHaveCount(0);
      // The browser itself notes that the call was refused.
      said.splice(0, said.length, ...said.filter((line) => !line.includes("500")));
    });

    test("one that is only looked at has figures and charts, and nothing to press", async ({ page, open }) => {
      const house = await shared(open);
      await visit(page, house);
      const devices = page.getByRole("region", { name: "On the network" });
      await devices.getByRole("link", { name: "Kitchen" }).click();
      await expect(page).toHaveURL(/\/miners\/kitchen$/);
      await expect(headline(page)).toHaveText("Mining");
      await expect(page.getByRole("main")).toContainText("It is only looked at, and never told anything.");
      await expect(page.getByRole("region", { name: "Kitchen" })).toContainText(/TH\/s.*W.*J\/TH/s);
      await expect(page.getByRole("button", { name: /Switch|Hold/ })).toHaveCount(0);
      await expect(page.getByRole("region", { name: /Battery|Last commands/ })).toHaveCount(0);
      await expect(page.locator("figcaption")).toContainText(/the miner drew up to \d+\s*W/);
    });
  });
}

test("the charts go on with what their miner tells", async ({ page, open }) => {
  const house = await shared(open);
  const asked: URL[] = [];
  page.on("request", (request) => request.url().includes("/rpc/chart?") && asked.push(new URL(request.url())));
  await visit(page, house, "/?range=1h");
  await page.locator("#chart").scrollIntoViewIfNeeded();
  await expect(page.locator("#chart canvas")).toHaveCount(2);
  await whosePast(page).getByRole("link", { name: "Shed" }).click();
  await expect(title(page)).toHaveText("Power · Shed");
  await house.charge(60);
  await house.pass(300);
  await expect(page.getByRole("main")).toContainText(/60\s*%/);
  const place = page.locator(".plot.power .canvas");
  await place.scrollIntoViewIfNeeded();
  const box = (await place.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.999, box.y + box.height / 2);
  const shed = (await house.truth("shed")).watts;
  expect(shed).toBeLessThan(2600);
  await expect(page.locator(".plot.power .readout")).toContainText(new RegExp(`Miner${shed < 1000 ? "" : "[12]\\."}`));
  expect(asked.at(-1)!.searchParams.get("miner")).toBe("shed");
});

test("a page of nobody isn't there", async ({ page, open }) => {
  const house = await open({ devices: "several" });
  const answer = await page.request.get(`${house.url}/miners/nobody`, { headers: { accept: "text/html" } });
  expect(answer.status()).toBe(404);
  expect(await answer.text()).toContain("There is nothing here");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`${colorScheme}: everything is accessible, and nothing is wider than a phone`, async ({ page, open }) => {
    test.slow();
    const house = await shared(open);
    await page.emulateMedia({ colorScheme });
    for (const path of ["/", "/miners/miner", "/miners/kitchen"]) {
      await visit(page, house, path);
      for (const summary of await page.locator("main summary").filter({ visible: true }).all()) await summary.click();
      expect((await new AxeBuilder({ page }).analyze()).violations, path).toEqual([]);
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 844 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(width);
      }
    }
  });
}
