// The page of the API: every call is found, can be tried from it, and is read by everybody.
import AxeBuilder from "@axe-core/playwright";
import { WAYS, expect, test } from "./house";

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("every call is told, and can be tried as it is written", async ({ page, open }) => {
      const house = await open();
      await page.goto(`${house.url}/api`);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("API");
      const description = await (await page.request.get(`${house.url}/api/openapi.json`)).json();
      const described = Object.entries(description.paths as Record<string, object>).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      await page.getByText("All calls").click();
      const calls = page.locator(".calls").getByRole("link");
      expect((await calls.allInnerTexts()).sort()).toEqual(described.sort());
      await calls.filter({ hasText: "GET /api/battery/status" }).click();
      const call = page.locator("article:target");
      await expect(call.getByRole("heading", { level: 3 })).toHaveText("GET /api/battery/status");
      await expect(call.getByRole("heading", { level: 3 })).toBeInViewport();
      const address = (await call.locator("pre").innerText()).match(/http:\S+/)![0];
      expect(address).toBe(`${house.url}/api/battery/status`);
      expect((await page.request.get(address)).status()).toBe(200);
      // What it answers is told further down, and a link leads there.
      await call.getByText("Replies").click();
      await call.getByRole("link", { name: "BatteryStatus" }).click();
      await expect(page.locator("article:target").getByRole("heading", { level: 3 })).toHaveText("BatteryStatus");
    });
  });
}

for (const width of [320, 390, 768, 1440]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`everybody reads it at ${width} px, ${colorScheme}`, async ({ page, open }) => {
      const house = await open({ history: 0 });
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.goto(`${house.url}/api`);
      for (const folded of await page.locator("main summary").all()) await folded.click();
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over, "nothing goes beyond the window").toBeLessThanOrEqual(0);
    });
  }
}
