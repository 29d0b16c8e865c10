// The chart: its ranges live in the address, its days are as long as they are, a gap is a gap.
import { WAYS, expect, test, visit } from "./house";

const LABELS = ".axis.below span";

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("every range has its address, and back leads back", async ({ page, open }) => {
      const house = await open({ history: 1 });
      await visit(page, house);
      const ranges = page.getByRole("navigation", { name: "How far back" });
      await expect(ranges.getByRole("link", { name: "24h" })).toHaveAttribute("aria-current", "true");
      for (const [label, slug] of [["1h", "1h"], ["6h", "6h"], ["3d", "3d"], ["1w", "1w"], ["All", "all"]]) {
        await ranges.getByRole("link", { name: label }).click();
        await expect(page).toHaveURL(new RegExp(`\\?range=${slug}$`));
        await expect(ranges.getByRole("link", { name: label })).toHaveAttribute("aria-current", "true");
        await expect(page.locator("figcaption")).toContainText("the battery was between");
        await expect(page.locator(".line.soc .mean")).toHaveAttribute("d", /^M/);
        await expect(page.locator(".line.miner .mean")).toHaveAttribute("d", /^M/);
      }
      await page.goBack();
      await expect(ranges.getByRole("link", { name: "1w" })).toHaveAttribute("aria-current", "true");
      await page.reload();
      await expect(ranges.getByRole("link", { name: "1w" })).toHaveAttribute("aria-current", "true");
    });

    test("the hour that the clock is put back is there twice", async ({ page, open }) => {
      // In New Mexico on 1 November 2026 at 8 UTC.
      const house = await open({ start: "2026-11-01T10:10:00Z", history: 0.3 });
      await visit(page, house, "/?range=6h");
      await expect(page.locator(LABELS)).toHaveText(["23:00", "Sun 1", "01:00", "01:00", "02:00", "03:00"]);
    });

    test("the hour that the clock is put forward is missing", async ({ page, open }) => {
      const house = await open({ start: "2026-03-08T12:10:00Z", history: 0.3 });
      await visit(page, house, "/?range=6h");
      await expect(page.locator(LABELS)).toHaveText(["Sun 8", "01:00", "03:00", "04:00", "05:00", "06:00"]);
    });

    test("what wasn't measured isn't drawn", async ({ page, open }) => {
      const house = await open({ history: 0.05 });
      await house.minerFaults({ refuse_connections: true });
      await house.pass(1200);
      await house.minerFaults({ refuse_connections: false });
      await house.pass(1200);
      await visit(page, house, "/?range=1h");
      const path = await page.locator(".line.miner .mean").getAttribute("d");
      expect(path?.match(/M/g)).toHaveLength(2);
    });

    test("the same stands in a table", async ({ page, open }) => {
      const house = await open({ history: 0.5 });
      await visit(page, house);
      await page.getByText("The same as a table").click();
      const rows = page.getByRole("table").getByRole("row");
      expect(await rows.count()).toBeGreaterThan(10);
      await expect(rows.last()).toContainText("%");
      await expect(rows.last()).toContainText(/k?W/);
    });
  });
}

test("the drawing follows the house", async ({ page, open }) => {
  const house = await open({ history: 0.1 });
  await visit(page, house, "/?range=1h");
  const line = page.locator(".line.soc .mean");
  const before = await line.getAttribute("d");
  await house.pass(600);
  await expect(line).not.toHaveAttribute("d", before!);
});
