// Alerts to people: a channel is typed, tested as it was typed, kept, and taken away again.
import AxeBuilder from "@axe-core/playwright";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { WAYS, expect, forgetFailures, test } from "./house";

/** A service that takes every message, or none. */
async function service(status: number): Promise<{ url: string; titles: string[]; server: Server }> {
  const titles: string[] = [];
  const server = createServer((request, response) => {
    titles.push(String(request.headers.title));
    request.resume();
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/topic`, titles, server };
}

async function unfold(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 2, name: "Alerts to people", exact: true }).click();
}

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a channel is tested as it was typed, kept, and taken away", async ({ page, open }) => {
      const house = await open();
      const { url, titles, server } = await service(200);
      await page.goto(`${house.url}/settings`);
      await unfold(page);
      await page.getByRole("textbox", { name: "Ntfy topic" }).fill(url);
      await page.getByRole("button", { name: "Send a test" }).click();
      await expect(page.getByRole("status")).toContainText("Works ntfy: it was taken.");
      expect(titles).toHaveLength(1);
      await expect(page.getByRole("textbox", { name: "Ntfy topic" })).toHaveValue(url);
      await page.getByRole("button", { name: "See what it does" }).click();
      await expect(page.getByRole("main")).toContainText("Alerts go out by ntfy from now on.");
      await page.getByRole("button", { name: "Save" }).click();
      await house.charge(25);
      await house.pass(120);
      await expect.poll(() => titles.length).toBe(2);
      expect(titles[1]).toBe("The miner is stopped for safety");
      await page.getByRole("button", { name: /^Undo/ }).click();
      await expect(page.getByRole("main")).toContainText("Alerts are told on the page alone.");
      server.close();
    });

    test("what a service refuses is said", async ({ page, open }) => {
      const house = await open();
      const { url, server } = await service(403);
      await page.goto(`${house.url}/settings`);
      await unfold(page);
      await page.getByRole("textbox", { name: "Ntfy topic" }).fill(url);
      await page.getByRole("button", { name: "Send a test" }).click();
      await expect(page.getByRole("status")).toContainText("Doesn’t work ntfy: refused with status 403");
      server.close();
    });
  });
}

test("everybody reads it", async ({ page, open, said }) => {
  const house = await open({ history: 0 });
  await page.setViewportSize({ width: 320, height: 900 });
  await page.goto(`${house.url}/settings`);
  await unfold(page);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByRole("textbox", { name: "Quiet from" }).fill("late");
  await page.getByRole("button", { name: "See what it does" }).click();
  await expect(page.getByRole("textbox", { name: "Quiet from" })).toHaveAccessibleDescription(/a time of day like 22:30/);
  await forgetFailures(page, said);
});
