// What is kept: how far it reaches, backups that are made, taken away and restored.
import AxeBuilder from "@axe-core/playwright";
import { readFile } from "node:fs/promises";
import { WAYS, expect, test } from "./house";

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a backup is made, taken away, and restored", async ({ page, open }) => {
      const house = await open();
      await house.full();
      await page.goto(`${house.url}/settings`);
      await page.getByRole("link", { name: "Data" }).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data");
      await expect(page.getByRole("main")).toContainText("None yet.");
      await page.getByRole("button", { name: "Make one now" }).click();
      // The page looks again by itself.
      await expect(page.getByRole("status")).toHaveText(/A backup of \d+ MB was made\./);
      await page.getByText("Download or restore").click();
      const downloading = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download", exact: true }).click();
      const download = await downloading;
      expect(download.suggestedFilename()).toMatch(/^wm-controller-\d+T\d+Z\.db$/);
      const bytes = await readFile(await download.path());
      expect(bytes.subarray(0, 15).toString()).toBe("SQLite format 3");

      const file = page.getByLabel("A backup that you downloaded");
      await file.setInputFiles({ name: "no.db", mimeType: "application/octet-stream", buffer: Buffer.from("nothing") });
      await page.getByRole("button", { name: "Restore from this file" }).click();
      await expect(page.getByRole("alert")).toContainText("everything is as it was");
      await file.setInputFiles({ name: "kept.db", mimeType: "application/octet-stream", buffer: bytes });
      await page.getByRole("button", { name: "Restore from this file" }).click();
      await expect(page.getByRole("main")).toContainText("since", { timeout: 30_000 });
      // The house began anew with the backup: it has to read its battery and its miner first.
      await house.pass(120);
      await page.goto(house.url);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mining at 100 %");
    });
  });
}

test("the charts lead to it", async ({ page, open }) => {
  const house = await open();
  await page.goto(house.url);
  await page.locator("#chart").getByRole("link", { name: "Data" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Data");
});

test("the page of the data has no faults that a machine can find", async ({ page, open }) => {
  const house = await open();
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${house.url}/data`);
    const found = await new AxeBuilder({ page }).analyze();
    expect(found.violations).toEqual([]);
    const isWider = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(isWider).toBe(false);
  }
});
