// The panels: what flows, the ladder, alerts that can be cleared, a click that is followed to its end, the devices.
import { type Page } from "@playwright/test";
import { type House, WAYS, expect, look, test, visit } from "./house";

/** A power as the page says it; Playwright reads every kind of space as a plain one. */
const told = (watts: number): string => {
  const kilowatts = watts / 1000;
  if (Math.round(watts) < 1000) return `${watts.toFixed(0)} W`;
  return `${kilowatts.toFixed(kilowatts < 9.995 ? 2 : 1)} kW`;
};

/** Waits until the page tells of the house's own present. */
const upToDate = async (page: Page, house: House): Promise<void> => {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "America/Denver", hour: "2-digit", minute: "2-digit" });
  await expect(page.getByText(/^Now · /)).toHaveText(`Now · ${clock.format(await house.now())}`);
};

/** What the API says. */
const api = async (house: House, path: string) => (await fetch(`${house.url}/api/${path}`)).json();

const flow = (page: Page) => page.locator("svg.flow");
const ladder = (page: Page) => page.getByRole("img", { name: /^The battery/ });

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("the flow says what the house does, each part with its number", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(60);
      await house.pass(1800);
      await visit(page, house);
      const battery = (await api(house, "battery/status")).status;
      const { power_w: mined } = (await api(house, "miner/status")).status;
      const rest = told(battery.load_power_w - mined);
      const sentence = page.getByRole("img", { name: /^The sun gives/ });
      await expect(sentence).toHaveAccessibleName(
        new RegExp(`gives ${told(battery.pv_power_w)}, the battery at 60 % (gives|takes) ${told(Math.abs(battery.battery_net_w))}`),
      );
      await expect(sentence).toHaveAccessibleName(
        new RegExp(`the miner takes ${told(mined)} and the rest of the house takes ${rest}\\.$`),
      );
      await expect(flow(page).locator(".node.home")).toHaveText(rest);
      await expect(flow(page).locator(".node.miner")).toHaveText(told(mined));
      await expect(flow(page).locator(".arm.sun")).toHaveClass(/ in /);
      await expect(flow(page).locator(".arm.battery")).toHaveClass(battery.battery_net_w > 0 ? / out / : / in /);
      await expect(flow(page).locator(".arm.home")).toHaveClass(/ out /);
      await expect(flow(page).locator(".grid")).toHaveCount(battery.grid_power_w === 0 ? 0 : 2);
    });

    test("the flow moves, and stands still for those who want stillness", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await visit(page, house);
      const dots = flow(page).locator(".arm.miner .run");
      await expect(dots).toHaveCSS("animation-name", "run");
      await page.emulateMedia({ reducedMotion: "reduce" });
      await expect(dots).toHaveCSS("animation-name", "none");
    });

    test("the dot on the ladder follows the charge, and the steps follow the miner", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(57);
      await house.pass(600);
      await visit(page, house);
      await expect(ladder(page)).toHaveAccessibleName(/^The battery is at 57 % and the miner runs at 60 %; .* no more than 60 % until the battery is full/);
      await expect(ladder(page).locator(".dot")).toHaveAttribute("cx", "57%");
      await expect(ladder(page).locator(".dot")).toHaveAttribute("cy", "40%");
      await expect(ladder(page).locator(".step.below")).toHaveCount(2);
      await expect(ladder(page).locator(".step.held")).toHaveCount(4);
      const card = page.getByRole("region", { name: "Battery and power" });
      await expect(card).toContainText("held at 60 %");

      await house.charge(45);
      await house.pass(600);
      await look(page, javaScriptEnabled);
      await expect(ladder(page).locator(".dot")).toHaveAttribute("cx", "45%");
      await expect(ladder(page).locator(".dot")).toHaveAttribute("cy", "50%");
      await expect(ladder(page).locator(".step.held")).toHaveCount(5);

      await house.charge(28);
      await house.pass(300);
      await look(page, javaScriptEnabled);
      await expect(ladder(page)).toHaveAccessibleName(/^The battery is at 28 % and the miner is off/);
      await expect(ladder(page).locator(".dot")).toHaveAttribute("cy", "100%");
      await expect(ladder(page).locator(".step.here")).toHaveCount(0);
      await expect(card).toContainText("stopped");
    });

    test("what isn't known is drawn as such, and is no number", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await house.charge(80);
      await house.minerFaults({ refuse_connections: true });
      await house.pass(150);
      await visit(page, house);
      await expect(flow(page)).toHaveAccessibleName(/it isn't known what the miner takes and it isn't known what the rest of the house takes\.$/);
      for (const part of ["miner", "home"]) {
        await expect(flow(page).locator(`.arm.${part}`)).toHaveClass(/ unknown /);
        await expect(flow(page).locator(`.node.${part}`)).toHaveText("–");
        await expect(flow(page).locator(`.arm.${part} .run`)).toBeHidden();
      }
      await expect(ladder(page)).toHaveAccessibleName(/it isn't known what the miner does/);
      await expect(ladder(page).locator(".dot")).toHaveCount(0);
      await expect(page.getByRole("region", { name: "On the network" })).toContainText("can't be reached");
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("1 device");
    });

    test("old data is grey and still in the drawing, too", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await house.portal({ frozen: true });
      await house.pass(8 * 60);
      await visit(page, house);
      await expect(flow(page)).toHaveClass(/\bold\b/);
      await expect(flow(page)).toHaveAccessibleName(/^As of \d\d:\d\d, the sun/);
      await expect(flow(page).locator(".arm.miner .run")).toHaveCSS("animation-name", "none");
    });

    test("cleared alerts fold away while they hold, and go when they are over", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await visit(page, house);
      const news = page.getByRole("region", { name: "Alerts" });
      const past = page.getByRole("region", { name: "Seen or over" });
      await house.portal({ frozen: true });
      await house.pass(7 * 60);
      await look(page, javaScriptEnabled);
      await expect(news.getByRole("listitem")).toHaveCount(1);
      await expect(news).toContainText("Nothing is started or raised.");
      await news.getByRole("button", { name: "Clear" }).click();
      await expect(news).toContainText("Nothing new is wrong.");
      await expect(news.getByRole("listitem")).toHaveCount(0);
      await past.getByText("Seen, and still so (1)").click();
      await expect(past).toContainText("Nothing is started or raised.");

      // It gets graver: that is another alert, and news.
      await house.pass(7 * 60);
      await look(page, javaScriptEnabled);
      await expect(news).toContainText("There has been no good battery reading for");

      await house.portal({ frozen: false });
      await house.pass(15 * 60);
      await look(page, javaScriptEnabled);
      await expect(news).toContainText("Nothing new is wrong.");
      await expect(past).toContainText(/Over \(\d\)/);
      await upToDate(page, house);
      await past.getByRole("button", { name: "Clear" }).click();
      await expect(past).toBeHidden();
    });

    test("a refused command is an alert, once, with a count", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await house.minerFaults({ writes_disabled: true });
      await house.charge(60);
      await house.pass(900);
      await visit(page, house);
      const news = page.getByRole("region", { name: "Alerts" });
      await expect(news.getByRole("listitem").filter({ hasText: "Garage: the miner's network API" })).toHaveCount(1);
      await expect(page.getByRole("region", { name: "Last commands" })).toContainText("failed. It said:");
    });

    test("every device is listed with its address and what it does", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await visit(page, house);
      const device = page.getByRole("region", { name: "On the network" }).getByRole("listitem");
      await expect(device).toHaveCount(1);
      await expect(device).toContainText("Garage");
      await expect(device).toContainText(/WhatsMiner M\d+/);
      await expect(device).toContainText("127.0.0.1");
      await expect(device).toContainText("mining");
      await expect(device).toContainText(/[\d.]+\sTH\/s · [\d.]+\skW · seen \d+ s ago/);
      await expect(page.getByRole("list", { name: "Connections" })).toContainText("1 device");
    });

    test("a power that is on its way stands beside the one that is, and is followed to its end", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await visit(page, house);
      const miner = page.getByRole("region", { name: "Garage" });
      const commands = page.getByRole("region", { name: "Last commands" });
      await miner.locator(".steps label", { hasText: "60" }).click();
      await page.getByRole("button", { name: "Hold" }).click();
      await expect(commands.getByRole("listitem").first()).toContainText("To 60 %");
      // Until the miner has answered, a page that doesn't follow has to be loaded again.
      await expect(async () => {
        await look(page, javaScriptEnabled);
        await expect(commands.getByRole("listitem").first()).toContainText("acknowledged, not yet seen to work");
      }).toPass();
      await expect(miner).toContainText(/3\.\d\d\skW.*→.*2\.16\skW/);
      await expect(miner.locator(".tag")).toHaveText("acknowledged, not yet seen to work");
      await house.pass(900);
      await look(page, javaScriptEnabled);
      await expect(commands.getByRole("listitem").first()).toContainText(/seen to work after \d+ (s|min)\./);
      await expect(miner).not.toContainText("→");
      await expect(miner.locator(".tag")).toHaveText("does what it was told");
    });

    test("on a phone the connections take no more than two lines", async ({ page, open }) => {
      const house = await open({ history: 0.1 });
      await house.full();
      await visit(page, house);
      const tops = new Set<number>();
      for (const item of await page.getByRole("list", { name: "Connections" }).getByRole("listitem").all()) {
        tops.add(Math.round((await item.boundingBox())!.y));
      }
      expect(tops.size).toBeLessThanOrEqual(2);
    });
  });
}

test("a click says at once that it is sent, and then what became of it", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await house.full();
  await visit(page, house);
  const status = page.getByRole("region", { name: "Garage" }).getByRole("status");
  await expect(status).toBeEmpty();
  await page.locator(".steps label", { hasText: "60" }).click();
  house.hang();
  await page.getByRole("button", { name: "Hold" }).click();
  await expect(status).toHaveText("Sending …");
  house.wake();
  await expect(status).toHaveText("To 60 %: acknowledged, not yet seen to work.");
  await house.pass(900);
  await expect(status).toHaveText("To 60 %: seen to work: running at 60 %.");
});

test("a click that has to wait says what for, and is followed when its time has come", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await house.full();
  await visit(page, house);
  const status = page.getByRole("region", { name: "Garage" }).getByRole("status");
  await page.locator(".steps label", { hasText: "60" }).click();
  await page.getByRole("button", { name: "Hold" }).click();
  await expect(status).toContainText("To 60 %:");
  await house.pass(20);
  await page.locator(".steps label", { hasText: "80" }).click();
  await page.getByRole("button", { name: "Hold" }).click();
  await expect(status).toContainText(/^Set to 80 % by you\. .*waits/);
  await house.pass(1800);
  await expect(status).toHaveText("To 80 %: seen to work: running at 80 %.");
});

test("the miner's own refusal is told in its words, where it was clicked", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await house.full();
  await visit(page, house);
  await house.minerFaults({ writes_disabled: true });
  await page.locator(".steps label", { hasText: "60" }).click();
  await page.getByRole("button", { name: "Hold" }).click();
  const status = page.getByRole("region", { name: "Garage" }).getByRole("status");
  await expect(status).toContainText(/^To 60 %: failed\. It said: .*Miner API Switch/);
  await expect(page.getByRole("region", { name: "Alerts" })).toContainText("Miner API Switch");
});

test("a new sign-in at the portal says that it is done", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await visit(page, house);
  await page.getByText("Where this comes from").click();
  await page.getByRole("button", { name: "Sign in anew" }).click();
  await expect(page.getByRole("region", { name: "Battery and power" }).getByRole("status")).toHaveText("Signed in anew.");
});
