// Measures the page in a browser and prints what it measured as one line of JSON; `cargo xtask bench` holds it against
// the budgets.
//
//     node page.mjs DEMO YEAR     two addresses: a demo, and one with a year behind it
import { chromium } from "@playwright/test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [demo, year] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TIMES = 5;

/** Lighthouse's mobile profile: its scores from 0 to 100, and how far things jump. */
async function scores() {
  const browser = await launch({ chromePath: executablePath, chromeFlags: ["--headless=new", "--no-sandbox"] });
  // Lighthouse waits for its browser without an end.
  const tooLong = new Promise((_, reject) => {
    setTimeout(() => reject(new Error("Lighthouse hasn't come to an end")), 120_000).unref();
  });
  try {
    const { lhr } = await Promise.race([
      lighthouse(demo, {
        port: browser.port,
        onlyCategories: ["performance", "accessibility", "best-practices"],
      }),
      tooLong,
    ]);
    const score = (name) => Math.round((lhr.categories[name].score ?? 0) * 100);
    return {
      performance: score("performance"),
      accessibility: score("accessibility"),
      best_practices: score("best-practices"),
      layout_shift: lhr.audits["cumulative-layout-shift"].numericValue,
      largest_paint_ms: lhr.audits["largest-contentful-paint"].numericValue,
      blocking_ms: lhr.audits["total-blocking-time"].numericValue,
      failed: Object.values(lhr.audits)
        .filter((audit) => audit.score === 0 && audit.scoreDisplayMode === "binary")
        .map((audit) => audit.id),
    };
  } finally {
    await browser.kill();
  }
}

async function charts(page, address) {
  await page.goto(address);
  await page.locator("#chart").scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelectorAll("#chart canvas").length === 2);
}

/** Milliseconds from a click until `told`, a text of the page, is another and that is painted. */
function clicked(page, selector, told) {
  return page.evaluate(
    async ([selector, told]) => {
      const text = () => {
        const element = document.querySelector(told);
        return element.ariaPressed ?? element.lastChild.textContent;
      };
      const before = text();
      const begun = performance.now();
      document.querySelector(selector).click();
      while (text() === before) await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - begun;
    },
    [selector, told],
  );
}

/** A year on the screen, and a line taken away or brought back, the slowest of some. */
async function clicks(browser) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await charts(page, `${year}/?range=1h`);
  const range = (slug) => clicked(page, `.ranges a[href*="range=${slug}"]`, "figcaption");
  let all = 0;
  let toggle = 0;
  for (let time = 0; time < TIMES; time++) {
    all = Math.max(all, await range("all"));
    toggle = Math.max(toggle, await clicked(page, ".chip.sun", ".chip.sun"));
    await range("1h");
  }
  await page.close();
  return { year_ms: all, toggle_ms: toggle };
}

/** By how many bytes the page grows over an hour of live updates, its WebAssembly included. */
async function growth(browser) {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await charts(page, `${demo}/?range=1h`);
  const session = await page.context().newCDPSession(page);
  const held = async () => {
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await session.send("Runtime.getHeapUsage");
    return usedSize + (backingStorageSize ?? 0);
  };
  const now = async () => Date.parse((await (await fetch(`${demo}/api/system/status`)).json()).time);
  const live = (hours) => async () => {
    const begun = await now();
    const pace = (pace) =>
      fetch(`${demo}/rpc/demo_pace`, { method: "POST", body: new URLSearchParams({ pace: String(pace) }) });
    await pace(120);
    while ((await now()) - begun < hours * 3_600_000) await page.waitForTimeout(500);
    await pace(1);
    await page.waitForTimeout(1000);
  };
  // What is there after a while is there for good: buffers, compiled code, a full chart.
  await live(1)();
  const before = await held();
  await live(1)();
  const after = await held();
  await page.close();
  return { growth_bytes: after - before, held_bytes: after };
}

const told = await scores();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
Object.assign(told, await clicks(browser), await growth(browser));
await browser.close();
console.log(JSON.stringify(told));
