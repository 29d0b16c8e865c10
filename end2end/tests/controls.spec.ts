// Every control does what it says to the simulated miner, and the page follows.
import { WAYS, expect, look, test, visit } from "./house";

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("off switches the miner off and it stays off; on starts it", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(80);
      await visit(page, house);
      await page.getByRole("button", { name: "Switch off" }).click();
      await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
      await house.pass(60);
      expect((await house.truth()).phase).toBe("off");
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Off");
      await expect(page.getByRole("region", { name: "Last commands" })).toContainText("seen to be off");

      await house.charge(100);
      await house.pass(600);
      expect((await house.truth()).phase, "a full battery doesn't start what a person switched off").toBe("off");

      const { starts } = await house.truth();
      await look(page, javaScriptEnabled);
      await page.getByRole("button", { name: "Switch on" }).click();
      await expect(page.getByText("It stays off until you switch it on.")).toBeHidden();
      await house.pass(900);
      expect((await house.truth()).starts).toBe(starts + 1);
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Mining at/);
    });

    test("a power is held, and no longer than it was asked for", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await visit(page, house);
      await page.locator(".steps label", { hasText: "50" }).click();
      await page.getByRole("combobox").selectOption("1 hour");
      await page.getByRole("button", { name: "Hold" }).click();
      await expect(page.getByText(/Held at 50\s% until \d\d:\d\d\./)).toBeVisible();
      await house.pass(900);
      expect((await house.truth()).watts).toBeGreaterThan(1600);
      expect((await house.truth()).watts).toBeLessThan(2000);
      await look(page, javaScriptEnabled);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 50 %");
      await house.pass(3600);
      await look(page, javaScriptEnabled);
      await expect(page.getByText(/Held at 50\s%/)).toBeHidden();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 100 %");
    });

    test("without auto-control the ladder rests, with it the battery decides", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await visit(page, house);
      const auto = page.getByRole("switch", { name: "Auto-control" });
      await expect(auto).toHaveAttribute("aria-checked", "true");
      await auto.click();
      await expect(auto).toHaveAttribute("aria-checked", "false");
      await house.charge(60);
      await house.pass(600);
      expect((await house.truth()).watts, "nothing is changed").toBeGreaterThan(3200);
      await look(page, javaScriptEnabled);
      await auto.click();
      await expect(auto).toHaveAttribute("aria-checked", "true");
      await house.pass(600);
      expect((await house.truth()).watts).toBeLessThan(2400);
    });

    test("what safety forbids is refused in words, at the form", async ({ page, open, said }) => {
      const house = await open();
      await house.charge(28);
      await house.pass(120);
      await visit(page, house);
      await page.getByRole("button", { name: "Hold" }).click();
      await expect(page.getByRole("alert")).toContainText("The battery is at 28 %");
      expect((await house.truth()).phase).toBe("off");
      // The browser itself notes that the call was refused.
      said.splice(0, said.length, ...said.filter((line) => !line.includes("500")));
    });

    test("after an emergency, on has to be confirmed", async ({ page, open }) => {
      const house = await open();
      await house.charge(28);
      await house.charge(50);
      await visit(page, house);
      const { starts } = await house.truth();
      await page.getByRole("button", { name: "Switch on" }).click();
      await house.pass(120);
      expect((await house.truth()).starts, "not without the tick").toBe(starts);
      await page.getByRole("checkbox", { name: /Start all the same/ }).check();
      await page.getByRole("button", { name: "Switch on" }).click();
      await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Off");
      await house.pass(600);
      expect((await house.truth()).starts).toBe(starts + 1);
    });

    test("the demo's switches move its time and break its parts", async ({ page, open }) => {
      const house = await open();
      await visit(page, house);
      const demo = page.getByRole("complementary", { name: "Demo house" });
      await demo.getByText("Time and faults").click();
      const before = await house.now();
      await demo.getByRole("button", { name: "1 h", exact: true }).click();
      await expect.poll(async () => (await house.now()).getTime() - before.getTime()).toBe(3_600_000);

      const openAgain = async () => {
        if (!javaScriptEnabled) await demo.getByText("Time and faults").click();
      };
      await openAgain();
      await demo.getByRole("button", { name: "Portal serves old data" }).click();
      await openAgain();
      const pressed = demo.getByRole("button", { name: "Portal serves old data" });
      await expect(pressed).toHaveAttribute("aria-pressed", "true");
      await demo.getByRole("button", { name: "Mend everything" }).click();
      await openAgain();
      await expect(pressed).toHaveAttribute("aria-pressed", "false");
      await demo.getByRole("button", { name: "60×", exact: true }).click();
      await expect(demo).toContainText("60 times as fast");
      await openAgain();
      await demo.getByRole("button", { name: "Pause" }).click();
      await expect(demo).toContainText("stands still");
    });
  });
}
