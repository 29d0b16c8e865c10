// The stream of events: what it brings, and what the page does when it ends.
import { expect, forgetFailures, live, test, visit } from "./house";

test("the page follows without being loaded again", async ({ page, open }) => {
  const house = await open();
  await house.full();
  await house.charge(90);
  await visit(page, house);
  await page.evaluate(() => Object.assign(globalThis, { mark: "the same document" }));
  await house.charge(70);
  await house.pass(600);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 70 %");
  await expect(page.getByRole("region", { name: "Battery" })).toContainText("70 %");
  expect(await page.evaluate(() => (globalThis as { mark?: string }).mark)).toBe("the same document");
});

test("the stream survives a restart of the program", async ({ page, open, said }) => {
  const house = await open();
  await house.full();
  await house.charge(90);
  await visit(page, house);
  const connections = page.getByRole("list", { name: "Connections" });
  await house.stop();
  await expect(connections).toContainText("reconnecting");
  await house.startAgain();
  await live(page);
  await house.charge(60);
  await house.pass(600);
  await expect(page.getByRole("region", { name: "Battery" })).toContainText("60 %");
  await forgetFailures(page, said);
});

test("a page that hears nothing says so and how old it is", async ({ page, open, said }) => {
  await page.clock.install();
  const house = await open();
  await house.full();
  await house.charge(90);
  await visit(page, house);
  await expect(page.getByRole("alert")).toBeHidden();
  await house.stop();
  await page.clock.fastForward(40_000);
  await expect(page.getByRole("alert")).toContainText(/No news from the controller for \d+ s/);
  await expect(page.getByRole("main")).toHaveClass(/silent/);
  await expect(page.getByRole("list", { name: "Connections" })).toContainText("no news");
  await forgetFailures(page, said);
});

test("nobody looks, nothing comes; whoever looks again sees what was missed", async ({ page, open }) => {
  const house = await open();
  await house.full();
  await house.charge(90);
  const streams: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname === "/api/events") streams.push(url.search);
  });
  await visit(page, house);
  const become = (state: string) =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, state);
  await become("hidden");
  await expect(page.getByRole("list", { name: "Connections" })).toContainText("asleep");
  await house.charge(60);
  await house.pass(600);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 90 %");
  await become("visible");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 60 %");
  await live(page);
  expect(streams, "one stream, and one more").toEqual(["?view=page", "?view=page"]);
});

test("a script hears every kind of event", async ({ open }) => {
  const house = await open();
  await house.full();
  const response = await fetch(`${house.url}/api/events`);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const heard = new Set<string>();
  const listening = (async () => {
    let text = "";
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      for (const [, name] of text.matchAll(/^event: ?(.*)$/gm)) heard.add(name);
      if (heard.size === 5) return;
    }
  })();
  await house.portal({ reply: { server_error: { status: 503 } } });
  await house.pass(120);
  await house.portal({ reply: null });
  await house.charge(60);
  await house.pass(300);
  await listening;
  expect([...heard].sort()).toEqual(["alert", "decision", "operation", "snapshot", "tick"]);
});
