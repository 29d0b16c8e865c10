// What is on the network: known, found, taken in, let go.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { WAYS, expect, test } from "./house";

const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const device = (page: Page, part: string, name: string) =>
  section(page, part).getByRole("listitem").filter({ has: page.locator("strong").getByText(name, { exact: true }) });

/** Looks at what a form does, and says yes. */
async function save(page: Page, what: RegExp): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What this does");
  await expect(page.getByRole("main")).toContainText(what);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveText("Saved. It holds now.");
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a search finds what isn't known, and it is taken in, renamed and forgotten", async ({ page, open }) => {
      const house = await open({ devices: "several" });
      await page.goto(`${house.url}/devices`);
      const known = section(page, "Known").locator("strong");
      await expect(known).toHaveText(["Garage", "Shed", "Kitchen"]);
      await expect(device(page, "Known", "Kitchen")).toContainText("it is never told anything");
      await expect(section(page, "Search")).toContainText("127.0.0.16/28");
      await page.getByRole("button", { name: "Search the network" }).click();
      // The page looks again by itself while the search is under way.
      await expect(section(page, "Search")).toContainText("5 devices found");
      await expect(section(page, "Search").locator("strong")).toHaveText(["Bitaxe Gamma 601", "NerdQAxe++"]);

      const found = device(page, "Search", "NerdQAxe++");
      await found.getByText("Take in").click();
      await found.getByRole("textbox", { name: "Name" }).fill("Attic");
      await found.getByRole("button", { name: "Only look at it" }).click();
      await save(page, /Attic is looked at from now on, and never commanded/);
      await house.pass(60);
      await page.goto(`${house.url}/devices`);
      await expect(known).toHaveText(["Garage", "Shed", "Kitchen", "Attic"]);
      await expect(device(page, "Known", "Attic")).toContainText(/NerdQAxe\+\+ · 127\.0\.0\.23/);
      await expect(section(page, "Search").locator("strong")).toHaveText(["Bitaxe Gamma 601"]);

      await device(page, "Known", "Attic").getByText("Change").click();
      await device(page, "Known", "Attic").getByRole("button", { name: "Let the battery drive it" }).click();
      await save(page, /The battery drives Attic from now on/);
      await house.pass(60);
      await page.goto(`${house.url}/devices`);
      await expect(device(page, "Known", "Attic")).toContainText(/The battery drives it, priority 1\. Its share now: /);

      await device(page, "Known", "Attic").getByText("Change").click();
      await device(page, "Known", "Attic").getByRole("button", { name: /^Forget/ }).click();
      await save(page, /Attic isn't controlled any more/);
      await page.goto(`${house.url}/devices`);
      await expect(known).toHaveText(["Garage", "Shed", "Kitchen"]);
    });

    test("the house's power is dealt out, and the one with the lower priority makes room", async ({ page, open }) => {
      const house = await open({ devices: "several" });
      await page.goto(`${house.url}/devices`);
      await device(page, "Known", "Garage").getByText("Change").click();
      await device(page, "Known", "Garage").getByRole("combobox").selectOption("2");
      await device(page, "Known", "Garage").getByRole("button", { name: "See what it does" }).click();
      await save(page, /Priority\s*from 1 → to 2/);
      await house.charge(100);
      await house.pass(1200);
      await house.charge(88);
      await house.pass(600);
      await page.goto(`${house.url}/devices`);
      // 5400 of 6000 W are allowed.
      await expect(device(page, "Known", "Shed")).toContainText(/Its share now: 2\.40\s*kW/);
      await expect(device(page, "Known", "Garage")).toContainText(/priority 2\. Its share now: 2\.88\s*kW/);
      await page.goto(house.url);
      await expect(page.getByRole("main")).toContainText(/the battery allows them 5\.28\s*kW/);
      await page.goto(`${house.url}/miners/miner`);
      await expect(page.getByRole("main")).toContainText("allow all miners together 90 %; this is its share");
    });
  });
}

test("the page is accessible", async ({ page, open }) => {
  const house = await open({ devices: "several" });
  await page.goto(`${house.url}/devices`);
  await page.getByRole("button", { name: "Search the network" }).click();
  await expect(section(page, "Search")).toContainText("5 devices found");
  for (const summary of await page.locator("summary").all()) await summary.click();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});
