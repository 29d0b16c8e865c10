// Without the controller: the page opens as things stood last, and says how long ago that was. With another build of it:
// the page says so, and goes on until the person loads it anew.
import type { Page } from "@playwright/test";
import { anotherBuild, expect, forgetFailures, live, test, visit } from "./house";

/** Until the page would open without the controller. */
async function kept(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

const headline = (page: Page) => page.getByRole("heading", { level: 1 });
const battery = (page: Page) => page.getByRole("region", { name: "Battery" });
const connections = (page: Page) => page.getByRole("list", { name: "Connections" });

test("it opens as things stood last and says how old that is, then goes on by itself", async ({ page, open, said }) => {
  await page.clock.install();
  const house = await open();
  await house.full();
  await house.charge(90);
  await visit(page, house);
  await kept(page);
  // What the stream said is newer than the document.
  await house.charge(70);
  await house.pass(600);
  await expect(headline(page)).toHaveText("Mining at 70 %");
  const clock = (await page.locator(".now .eyebrow").textContent())!.match(/\d\d:\d\d/)![0];
  await house.stop();
  await page.clock.fastForward("03:00:00");
  await page.reload();

  const banner = page.getByRole("alert");
  await expect(banner).toContainText(`Offline: this is how things stood 3 h ago (${clock}).`);
  await expect(headline(page)).toHaveText("Mining at 70 %");
  await expect(battery(page)).toContainText("70 %");
  await expect(page.getByRole("main")).toHaveClass(/silent/);
  await expect(connections(page)).toContainText("no news");
  await expect(connections(page)).toContainText("not known");
  await expect(connections(page)).not.toContainText("fresh");

  await house.startAgain();
  await page.clock.fastForward(5_000);
  await live(page);
  await expect(banner).toBeHidden();
  await expect(page.getByRole("main")).not.toHaveClass(/silent/);
  await forgetFailures(page, said);
});

test("without a network it opens too, and a command says that it didn't get through", async ({ page, open, said }) => {
  const house = await open();
  await house.full();
  await visit(page, house);
  await kept(page);
  await page.context().setOffline(true);
  await page.reload();
  const banner = page.getByRole("alert").filter({ hasText: "Offline: this is how things stood" });
  await expect(banner).toBeVisible();
  await page.getByRole("button", { name: "Switch off" }).click();
  await expect(page.getByText("The controller can't be reached. Nothing is known to have changed.")).toBeVisible();
  await page.context().setOffline(false);
  await live(page);
  await expect(banner).toBeHidden();
  expect((await house.truth()).phase, "nothing is sent later").not.toBe("off");
  await forgetFailures(page, said);
});

test("a controller that neither answers nor refuses isn't waited for", async ({ page, open, said }) => {
  const house = await open();
  await house.full();
  await visit(page, house);
  await kept(page);
  house.hang();
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("Offline: this is how things stood");
  await expect(headline(page)).toHaveText("Mining at 100 %");
  await forgetFailures(page, said);
});

test("a proxy that doesn't reach the controller is no answer", async ({ page, open, passOn, said }) => {
  const house = await open();
  await house.full();
  const { url } = await passOn(house);
  await page.goto(url);
  await live(page);
  await kept(page);
  await house.stop();
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("Offline: this is how things stood");
  await expect(headline(page)).toHaveText("Mining at 100 %");
  await forgetFailures(page, said);
});

test("a document that stops halfway isn't waited for", async ({ page, open, passOn, said }) => {
  const house = await open();
  await house.full();
  const { proxy, url } = await passOn(house);
  await page.goto(url);
  await live(page);
  await kept(page);
  proxy.stall();
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("Offline: this is how things stood");
  await expect(headline(page)).toHaveText("Mining at 100 %");
  await forgetFailures(page, said);
});

test("any other page is out of reach, and leads to what is kept", async ({ page, open, said }) => {
  const house = await open({ history: 0 });
  await visit(page, house);
  await kept(page);
  await house.stop();
  await page.goto(`${house.url}/decisions`);
  await expect(headline(page)).toHaveText("Out of reach");
  expect(await page.evaluate(() => getComputedStyle(document.querySelector(".card")!).borderTopWidth)).toBe("1px");
  await page.getByRole("link", { name: "How things stood last" }).click();
  await expect(page.getByRole("alert")).toContainText("Offline: this is how things stood");
  await forgetFailures(page, said);
});

test("the worker answers for files alone, never for state or commands", async ({ page, open }) => {
  const house = await open();
  await house.full();
  await visit(page, house);
  await kept(page);
  const answered = new Map<string, boolean>();
  page.on("response", (response) => {
    answered.set(new URL(response.url()).pathname, response.fromServiceWorker());
  });
  await page.reload();
  await live(page);
  // The stream may tell the change before the command's own answer is here.
  const answer = page.waitForResponse(/\/rpc\/power_off/);
  await page.getByRole("button", { name: "Switch off" }).click();
  await answer;
  await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
  await page.evaluate(async () => void (await fetch("/api/system/status")));
  for (const path of ["/api/events", "/api/system/status", "/rpc/power_off"]) {
    expect(answered.get(path), path).toBe(false);
  }
  const files = [...answered.keys()].filter((path) => path.startsWith("/pkg/"));
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const path of ["/", "/early.js", ...files]) expect(answered.get(path), path).toBe(true);
  const inStore = await page.evaluate(async () => {
    const [name] = await caches.keys();
    const requests = await (await caches.open(name)).keys();
    return requests.map(({ url }) => new URL(url).pathname);
  });
  expect(inStore).toContain("/");
  expect(inStore.filter((path) => /^\/(api|rpc)\//.test(path))).toEqual([]);
});

test("an update is told and waits for the person", async ({ page, open, said }, info) => {
  const house = await open();
  await house.full();
  await visit(page, house);
  await kept(page);
  const builds = () => page.evaluate(() => caches.keys());
  const [before] = await builds();
  await page.evaluate(() => Object.assign(globalThis, { mark: "the same document" }));
  const told = page.getByRole("status").filter({ hasText: "The controller was updated." });
  await expect(told).toBeHidden();

  await house.stop();
  await house.startAgain(anotherBuild(info.outputPath("site")));
  await expect(told).toBeVisible();
  await house.charge(60);
  await expect(battery(page), "the page goes on").toContainText("60 %");
  expect(await page.evaluate(() => (globalThis as { mark?: string }).mark)).toBe("the same document");

  await page.waitForFunction(async () => (await navigator.serviceWorker.getRegistration())?.waiting);
  await page.getByRole("button", { name: "Reload" }).click();
  await page.waitForFunction(() => !("mark" in globalThis));
  await live(page);
  await expect(told).toBeHidden();
  await expect.poll(builds, "the new worker has taken over").toEqual([expect.not.stringContaining(before)]);
  await forgetFailures(page, said);
});

test("what can't be understood was said by a newer controller", async ({ page, open }) => {
  const house = await open({ history: 0 });
  await page.route("**/api/events*", (route) =>
    route.fulfill({ contentType: "text/event-stream", body: 'event: view\ndata: {"at": "noon"}\n\n' }),
  );
  await page.goto(house.url);
  await expect(page.getByRole("status").filter({ hasText: "The controller was updated." })).toBeVisible();
  await expect(page.getByRole("button", { name: "Reload" })).toBeVisible();
});
