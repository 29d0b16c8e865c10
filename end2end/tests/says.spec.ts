// The page says everything it knows, with and without JavaScript.
import { WAYS, expect, look, test, visit } from "./house";

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("what the miner does, why, and what would change it", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(55);
      await visit(page, house);
      await house.pass(900);
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 60 %");
      const main = page.getByRole("main");
      await expect(main).toContainText("The battery's 55 % allow no more than 60 %.");
      await expect(main).toContainText("At 50 % it goes down to 50 %.");
      await expect(page).toHaveTitle("Mining at 60 % · Demo house");
      await expect(main.getByRole("region", { name: "Battery" })).toContainText("55 %");
      await expect(main.getByRole("region", { name: "Battery" })).toContainText(/said so at \d\d:\d\d/);
      const miner = main.getByRole("region", { name: "Garage" });
      await expect(miner).toContainText("TH/s");
      await expect(miner).toContainText("does what it was told");
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("connected");
    });

    test("old data is grey and says how old it is, then the miner stops", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(90);
      await visit(page, house);
      await house.portal({ frozen: true });
      await house.pass(7 * 60);
      await look(page, javaScriptEnabled);
      const battery = page.getByRole("region", { name: "Battery" });
      await expect(battery).toHaveClass(/\bold\b/);
      await expect(battery).toContainText(/, [78] min ago\./);
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("data old");

      await house.pass(10 * 60);
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("data stale");
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Off");
      const alerts = page.getByRole("region", { name: "Alerts" });
      await expect(alerts).toContainText("Alarm");
      await expect(alerts).toContainText("There has been no good battery reading for");
      expect((await house.truth()).phase).toBe("off");
    });

    test("a miner that can't be reached is not known, never off and never 0", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(80);
      await visit(page, house);
      await house.minerFaults({ refuse_connections: true });
      await house.pass(150);
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Not known");
      await expect(page.getByRole("main")).toContainText("The miner can't be reached");
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("can't be reached");
    });

    test("there is nothing at another address, and the page says so", async ({ page, open, said }) => {
      const house = await open({ history: 0 });
      const response = await page.goto(`${house.url}/nowhere`);
      expect(response?.status()).toBe(404);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is nothing here");
      await page.getByRole("link", { name: "To the page" }).click();
      await expect(page.getByRole("region", { name: "Battery" })).toBeVisible();
      // The browser itself notes the 404.
      said.splice(0, said.length, ...said.filter((line) => !line.includes("404")));
    });
  });
}
