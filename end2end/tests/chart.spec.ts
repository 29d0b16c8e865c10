// The charts: their ranges and lines live in the address, their days are as long as they are, a gap is a gap. Alive they
// zoom, tell what was, and go on.
import type { Locator, Page } from "@playwright/test";
import { type House, WAYS, expect, test, visit } from "./house";

const LABELS = ".plot.power .drawn:not([hidden]) .axis.below span";

/** Brings the charts onto the screen and waits until they are drawn, alive where they come alive. */
async function nearCharts(page: Page, alive: boolean): Promise<void> {
  await page.locator("#chart").scrollIntoViewIfNeeded();
  if (alive) await expect(page.locator("#chart canvas")).toHaveCount(2);
}

/** Points at an instant of the power chart, as a share of what is seen. */
async function pointAt(page: Page, along: number): Promise<Locator> {
  const place = page.locator(".plot.power .canvas");
  await place.scrollIntoViewIfNeeded();
  const box = (await place.boundingBox())!;
  await page.mouse.move(box.x + box.width * along, box.y + box.height / 2);
  return page.locator(".plot.power .readout");
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    async function open(page: Page, house: House, path = "/"): Promise<void> {
      await visit(page, house, path);
      await nearCharts(page, javaScriptEnabled);
    }

    test("every range has its address, and back leads back", async ({ page, open: house }) => {
      await open(page, await house({ history: 1 }));
      const ranges = page.getByRole("navigation", { name: "How far back" });
      await expect(ranges.getByRole("link", { name: "24h" })).toHaveAttribute("aria-current", "true");
      for (const [label, slug, words] of [
        ["1h", "1h", "the last hour"],
        ["6h", "6h", "the last six hours"],
        ["3d", "3d", "the last three days"],
        ["1w", "1w", "the last week"],
        ["All", "all", "all there is"],
      ]) {
        await ranges.getByRole("link", { name: label }).click();
        await expect(page).toHaveURL(new RegExp(`\\?range=${slug}$`));
        await expect(ranges.getByRole("link", { name: label })).toHaveAttribute("aria-current", "true");
        await expect(page.locator("figcaption")).toContainText(words);
        await expect(page.locator("figcaption")).toContainText("the battery was between");
      }
      await page.goBack();
      await expect(ranges.getByRole("link", { name: "1w" })).toHaveAttribute("aria-current", "true");
      await page.reload();
      await expect(ranges.getByRole("link", { name: "1w" })).toHaveAttribute("aria-current", "true");
    });

    test("every line is taken away and brought back, and the address says so", async ({ page, open: house }) => {
      await open(page, await house());
      const lines = [
        ["SOC", "soc"],
        ["Sun", "sun"],
        ["Battery", "battery"],
        ["Miner", "miner"],
        ["Miner's chips", "chips"],
        ["Ambient", "air"],
        ["Fan", "fan"],
      ];
      const chip = (name: string) => page.locator("#chart").getByRole("button", { name, exact: true });
      await expect(chip("Hash rate")).toHaveAttribute("aria-pressed", "false");
      await chip("Hash rate").click();
      await expect(chip("Hash rate")).toHaveAttribute("aria-pressed", "true");
      await expect(page).toHaveURL(/[?&]off=(#chart)?$/);
      for (const [name, slug] of lines) {
        await expect(chip(name)).toHaveAttribute("aria-pressed", "true");
        await chip(name).click();
        await expect(chip(name)).toHaveAttribute("aria-pressed", "false");
        await expect(page).toHaveURL(new RegExp(`[?&]off=([^#]*%2C|[^#]*,)?${slug}(#chart)?$`));
      }
      await page.reload();
      await expect(chip("Fan")).toHaveAttribute("aria-pressed", "false");
      await chip("Sun").click();
      await expect(chip("Sun")).toHaveAttribute("aria-pressed", "true");
      await page.goBack();
      await expect(chip("Sun")).toHaveAttribute("aria-pressed", "false");
    });

    test("the hour that the clock is put back is there twice", async ({ page, open: house }) => {
      // In New Mexico on 1 November 2026 at 8 UTC.
      await open(page, await house({ start: "2026-11-01T10:10:00Z", history: 0.3 }), "/?range=6h");
      await expect(page.locator(LABELS)).toHaveText(["23:00", "Sun 1", "01:00", "01:00", "02:00", "03:00"]);
    });

    test("the hour that the clock is put forward is missing", async ({ page, open: house }) => {
      await open(page, await house({ start: "2026-03-08T12:10:00Z", history: 0.3 }), "/?range=6h");
      await expect(page.locator(LABELS)).toHaveText(["Sun 8", "01:00", "03:00", "04:00", "05:00", "06:00"]);
    });

    test("what wasn't measured isn't drawn", async ({ page, open: house }) => {
      const home = await house({ history: 0.05 });
      await home.minerFaults({ refuse_connections: true });
      await home.pass(1200);
      await home.minerFaults({ refuse_connections: false });
      await home.pass(1200);
      await open(page, home, "/?range=1h");
      if (javaScriptEnabled) {
        // Nothing is known from 40 to 20 minutes ago.
        await expect(await pointAt(page, 0.15)).toContainText(/Miner[\d.,]+\s*k?W/);
        await expect(await pointAt(page, 0.5)).toContainText(/Miner–/);
        await expect(await pointAt(page, 0.85)).toContainText(/Miner[\d.,]+\s*k?W/);
      } else {
        const path = await page.locator(".line.miner .mean").getAttribute("d");
        expect(path?.match(/M/g)).toHaveLength(2);
      }
    });

    test("an instant of the past has its place", async ({ page, open: house }) => {
      const home = await house({ history: 0.5 });
      const at = (await home.now()).getTime() - 3 * 3_600_000;
      await open(page, home, `/?range=1h&at=${at}`);
      await expect(page.locator(".plot.power .drawn:not([hidden]) .here")).toHaveCount(1);
      await expect(page.locator("figcaption")).toContainText("From 10:30 to 11:30");
      await expect(page.getByRole("navigation", { name: "How far back" }).locator("[aria-current]")).toHaveCount(0);
    });

    test("the same stands in a table", async ({ page, open: house }) => {
      await open(page, await house({ history: 0.5 }));
      await page.getByText("The same as a table").click();
      const rows = page.getByRole("table").getByRole("row");
      expect(await rows.count()).toBeGreaterThan(10);
      await expect(rows.last()).toContainText("%");
      await expect(rows.last()).toContainText(/k?W/);
    });
  });
}

test("the charts go on with what the page hears", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("/rpc/chart?") && asked.push(request.url()));
  await visit(page, house, "/?range=6h");
  await nearCharts(page, true);
  await house.charge(57);
  await expect(page.getByRole("main")).toContainText(/57\s*%/);
  await expect(await pointAt(page, 0.999)).toContainText(/SOC57\s*%/);
  expect(asked.length, "a new reading is appended, the past isn't asked for again").toBeLessThan(4);
});

test("the charts are made once, whatever is read and chosen", async ({ page, open }) => {
  await page.addInitScript(() => {
    const listen = EventTarget.prototype.addEventListener;
    globalThis.listening = 0;
    EventTarget.prototype.addEventListener = function (...told) {
      if (this instanceof HTMLElement && this.classList.contains("canvas") && told[0] === "keydown") listening++;
      return listen.apply(this, told);
    };
  });
  const house = await open();
  await visit(page, house);
  await nearCharts(page, true);
  const summary = page.locator("figcaption");
  for (const label of ["1h", "All", "24h"]) {
    const before = await summary.textContent();
    await page.getByRole("navigation", { name: "How far back" }).getByRole("link", { name: label }).click();
    await expect(summary).not.toHaveText(before!);
  }
  await house.pass(120);
  await expect(page.locator("#chart canvas")).toHaveCount(2);
  expect(await page.evaluate(() => globalThis.listening)).toBe(2);
});

test("buttons, keys, wheel and drag zoom, both charts alike, into finer data", async ({ page, open }) => {
  test.slow();
  const house = await open({ history: 1 });
  await page.setViewportSize({ width: 1440, height: 900 });
  await visit(page, house);
  await nearCharts(page, true);
  const note = page.locator(".below-plot .note");
  const labels = page.locator(LABELS);
  const whole = await labels.allTextContents();
  await expect(note).toHaveText(/^A point stands for/);
  for (let step = 0; step < 4; step++) await page.getByRole("button", { name: "Closer" }).click();
  await expect(labels).not.toHaveText(whole);
  await expect(note).toHaveText(/^Every reading/);
  const below = page.locator(".plot.temperature .drawn:not([hidden]) .axis.below span");
  await expect(below).toHaveText(await labels.allTextContents());
  await page.getByRole("button", { name: "Whole" }).click();
  await expect(labels).toHaveText(whole);

  const chart = page.locator(".plot.power .canvas");
  await chart.focus();
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect(labels).not.toHaveText(whole);
  const near = await labels.allTextContents();
  await page.keyboard.press("PageUp");
  await expect(labels).not.toHaveText(near);
  await page.keyboard.press("0");
  await expect(labels).toHaveText(whole);
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".plot.power .readout")).toContainText("SOC");
  await expect(page.locator(".plot.temperature .readout")).toContainText("Ambient");

  await pointAt(page, 0.5);
  // The wheel zooms once the page has come to rest: who scrolls past isn't stopped.
  await expect(async () => {
    await page.mouse.wheel(0, -400);
    expect(await labels.allTextContents()).not.toEqual(whole);
  }).toPass();
  // How far a turn of the wheel goes is the browser's: so near the whole, a drag might not reach the next label.
  await page.keyboard.press("0");
  await expect(labels).toHaveText(whole);
  for (let step = 0; step < 2; step++) await page.keyboard.press("+");
  await expect(labels).not.toHaveText(whole);
  const zoomed = await labels.allTextContents();
  await page.mouse.down();
  const box = (await chart.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.9, box.y + 50, { steps: 8 });
  await page.mouse.up();
  await expect(labels).not.toHaveText(zoomed);
});

test.describe("fingers", () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

  test("two fingers zoom", async ({ page, open }) => {
    const house = await open({ history: 1 });
    await visit(page, house);
    await nearCharts(page, true);
    const labels = page.locator(LABELS);
    const whole = await labels.allTextContents();
    const chart = page.locator(".plot.power .canvas");
    await chart.scrollIntoViewIfNeeded();
    const box = (await chart.boundingBox())!;
    const browser = await page.context().newCDPSession(page);
    const fingers = (apart: number) =>
      [-1, 1].map((side, id) => ({ x: box.x + box.width / 2 + side * apart, y: box.y + box.height / 2, id }));
    await browser.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(20) });
    for (let apart = 30; apart <= 110; apart += 10) {
      await browser.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(apart) });
    }
    await browser.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(labels).not.toHaveText(whole);
  });
});

test("drawn lines take the colours of the theme, and of the other one when it changes", async ({ page, open }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await visit(page, await open({ history: 0.25 }));
  await nearCharts(page, true);
  /** The miner's colour: text in it has it as the browser resolves it. */
  const colour = () =>
    page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--miner)";
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    });
  /** How many points of the power chart are of this colour. */
  const points = (colour: string) =>
    page.evaluate((colour) => {
      const canvas = document.querySelector<HTMLCanvasElement>(".plot.power canvas")!;
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      const [red, green, blue] = colour.match(/\d+/g)!.map(Number);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) count++;
      }
      return count;
    }, colour);
  const light = await colour();
  await expect.poll(() => points(light)).toBeGreaterThan(50);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await colour();
  expect(dark).not.toBe(light);
  await expect.poll(() => points(dark)).toBeGreaterThan(50);
  expect(await points(light)).toBe(0);
});

test("what is taken away isn't told, and what is brought back is", async ({ page, open }) => {
  await visit(page, await open({ history: 0.25 }), "/?off=sun");
  await nearCharts(page, true);
  const readout = await pointAt(page, 0.9);
  await expect(readout).toContainText(/Hash rate[\d.]+\s*TH\/s/);
  await expect(readout).not.toContainText("Sun");
  await page.locator("#chart").getByRole("button", { name: "Sun" }).click();
  await expect(await pointAt(page, 0.9)).toContainText("Sun");
});
