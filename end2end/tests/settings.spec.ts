// What can be set: shown with where it comes from, looked at before it is kept, taken up at once, undone, tested.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { WAYS, expect, forgetFailures, test } from "./house";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

/** Opens a part of the page. */
async function unfold(page: Page, name: string): Promise<void> {
  await page.getByRole("heading", { level: 2, name, exact: true }).click();
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a change says what it does, holds at once, and is undone", async ({ page, open }) => {
      const house = await open();
      await house.charge(57);
      await page.goto(`${house.url}/settings`);
      await unfold(page, "Control law");
      const emergency = page.getByRole("textbox", { name: "Emergency off at" });
      await expect(emergency).toHaveValue("30");
      await expect(emergency).toHaveAccessibleDescription(/the miner is off\..*The default\./);
      await emergency.fill("60");
      await page.getByRole("textbox", { name: "Start after sunset above" }).fill("70");
      await page.getByRole("button", { name: "See what it does" }).click();
      await expect(heading(page)).toHaveText("What this does");
      await expect(page.getByRole("main")).toContainText(/Control law: Emergency off at\s*from 30 % → to 60 %/);
      await expect(page.getByRole("main")).toContainText(/With the change: .*emergency/i);
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByRole("status")).toHaveText("Saved. It holds now.");
      await house.pass(120);
      expect((await house.truth()).phase).toBe("off");
      await page.getByRole("button", { name: /^Undo/ }).click();
      await expect(page.getByRole("main")).toContainText(/Emergency off at\s*from 60 % → to 30 %/);
      await page.getByRole("button", { name: "Save" }).click();
      await unfold(page, "Control law");
      await expect(page.getByRole("textbox", { name: "Emergency off at" })).toHaveValue("30");
    });

    test("what is wrong is said at its field, and a link leads there", async ({ page, open, said }) => {
      const house = await open();
      await page.goto(`${house.url}/settings`);
      await unfold(page, "Control law");
      await page.getByRole("textbox", { name: "Emergency off at" }).fill("99");
      await page.getByRole("button", { name: "See what it does" }).click();
      await page.getByRole("alert").getByRole("link", { name: "Emergency off at" }).click();
      const field = page.getByRole("textbox", { name: "Emergency off at" });
      await expect(field).toBeInViewport();
      await expect(field).toHaveValue("99");
      await expect(field).toHaveAccessibleDescription(/a number from 30 to 80 %, found 99/);
      await forgetFailures(page, said);
    });

    test("a connection is tested as it was typed", async ({ page, open }) => {
      const house = await open();
      await page.goto(`${house.url}/settings`);
      await unfold(page, "Battery");
      await page.getByRole("button", { name: "Test connection" }).click();
      await expect(page.getByRole("status")).toContainText(/Works signed in; it tells \d+ %/);
      const password = page.getByLabel("Password", { exact: true });
      await expect(password, "a secret is never shown").toHaveValue("");
      await password.fill("wrong");
      await page.getByRole("button", { name: "Test connection" }).click();
      await expect(page.getByRole("status")).toContainText("Doesn’t work");
      await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
    });

    test("the house's name is a name, whatever it looks like", async ({ page, open }) => {
      const house = await open();
      await page.goto(`${house.url}/settings`);
      await unfold(page, "The house");
      await page.getByRole("textbox", { name: "Name" }).fill("<img src=x onerror=alert(1)>");
      await page.getByRole("button", { name: "See what it does" }).click();
      await page.getByRole("button", { name: "Save" }).click();
      await expect(page.getByRole("banner")).toContainText("<img src=x onerror=alert(1)>");
      await page.goto(house.url);
      await expect(page.getByRole("banner")).toContainText("<img src=x onerror=alert(1)>");
    });
  });
}

for (const width of [320, 390, 768, 1440]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`everybody reads it at ${width} px, ${colorScheme}`, async ({ page, open, said }) => {
      const house = await open({ history: 0 });
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const judge = async () => {
        expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(over, "nothing goes beyond the window").toBeLessThanOrEqual(0);
      };
      await page.goto(`${house.url}/settings`);
      await judge();
      await page.getByRole("heading", { level: 2, name: "Control law" }).click();
      await page.getByRole("heading", { level: 2, name: "Battery" }).click();
      await judge();
      await page.getByRole("textbox", { name: "Emergency off at" }).fill("99");
      await page.getByRole("button", { name: "See what it does" }).click();
      await judge();
      await page.getByRole("textbox", { name: "Emergency off at" }).fill("35");
      await page.getByRole("button", { name: "See what it does" }).click();
      await expect(heading(page)).toHaveText("What this does");
      await judge();
      await forgetFailures(page, said);
    });
  }
}
