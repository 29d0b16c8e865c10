// The icons of the installed page, all of the one drawing in public/icon.svg.
import { test } from "@playwright/test";
import { readFileSync } from "node:fs";

interface Icon {
  size: number;
  /** The tile reaches the edges, for whoever cuts a shape of their own out of it. */
  isWhole?: boolean;
  /** The mark alone, which is coloured elsewhere. */
  isMarkAlone?: boolean;
  /** How large the mark is, where it has to keep away from the edges. */
  scale?: number;
}

const ICONS: Record<string, Icon> = {
  "icon-192": { size: 192 },
  "icon-512": { size: 512 },
  // What is cut away lies outside of a circle of 80 %.
  "maskable-512": { size: 512, isWhole: true, scale: 0.8 },
  "monochrome-512": { size: 512, isMarkAlone: true },
  "apple-touch-icon": { size: 180, isWhole: true, scale: 0.9 },
};

test("icons", async ({ page }) => {
  const drawing = readFileSync("../public/icon.svg", "utf8");
  for (const [name, { size, isWhole = false, isMarkAlone = false, scale = 1 }] of Object.entries(ICONS)) {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${drawing}`);
    await page.evaluate(
      ({ isWhole, isMarkAlone, scale }) => {
        const tile = document.querySelector("#tile")!;
        const mark = document.querySelector("#mark")!;
        if (isWhole) tile.removeAttribute("rx");
        if (isMarkAlone) {
          tile.remove();
          mark.setAttribute("stroke", "black");
        }
        mark.setAttribute("transform", `translate(32 32) scale(${scale}) translate(-32 -32)`);
      },
      { isWhole, isMarkAlone, scale },
    );
    await page.screenshot({ path: `../public/install/${name}.png`, omitBackground: !isWhole });
  }
});
