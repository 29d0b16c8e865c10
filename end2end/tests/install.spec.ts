// The page as an app: by Chromium's own check, and what the page says where it can't be one.
import { type BrowserContext, type LaunchOptions, chromium } from "@playwright/test";
import { expect, live, test, visit, WAYS } from "./house";

const BUTTON = { name: "Install as an app" };
const INSECURE = /Over plain HTTP this page can't be installed as an app/;
const BY_HAND = /Share, then Add to Home Screen/;

/** Chromium with a profile of its own: without one it installs nothing. */
async function withProfile(
  launchOptions: LaunchOptions,
  profile: string,
  args: string[],
  use: (context: BrowserContext) => Promise<void>,
): Promise<void> {
  const options = { ...launchOptions, args: [...launchOptions.args!, ...args] };
  const context = await chromium.launchPersistentContext(profile, options);
  try {
    await use(context);
  } finally {
    await context.close();
  }
}

test("Chromium finds nothing that keeps it from being installed", async ({ launchOptions, open, request }, info) => {
  const house = await open({ history: 0 });
  await withProfile(launchOptions, info.outputPath("profile"), [], async (context) => {
    const page = await context.newPage();
    await visit(page, house);
    const session = await context.newCDPSession(page);
    const { url, errors, data } = await session.send("Page.getAppManifest");
    expect(url).toBe(`${house.url}/manifest.webmanifest`);
    expect(errors).toEqual([]);
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    expect(installabilityErrors).toEqual([]);
    const manifest = JSON.parse(data!);
    expect(manifest.short_name).toBe("Demo house");
    const purposes = manifest.icons.map(({ purpose, sizes }: Record<string, string>) => `${purpose} ${sizes}`);
    expect(purposes).toEqual(["any 192x192", "any 512x512", "maskable 512x512", "monochrome 512x512"]);
    for (const { src } of [...manifest.icons, ...manifest.screenshots]) {
      const picture = await request.get(house.url + src);
      expect(picture.status(), src).toBe(200);
      expect(picture.headers()["content-type"], src).toBe("image/png");
    }
  });
});

test("the page has a button for it, until it is an app", async ({ launchOptions, open }, info) => {
  const house = await open({ history: 0 });
  await withProfile(launchOptions, info.outputPath("profile"), [], async (context) => {
    const page = await context.newPage();
    await visit(page, house);
    await expect(page.getByRole("button", BUTTON)).toBeVisible();
  });
  await withProfile(launchOptions, info.outputPath("app"), [`--app=${house.url}`], async (context) => {
    const [page] = context.pages();
    await live(page);
    expect(await page.evaluate(() => matchMedia("(display-mode: standalone)").matches)).toBe(true);
    await expect(page.getByRole("button", BUTTON)).toBeHidden();
  });
});

for (const { way, javaScriptEnabled } of WAYS) {
  test.describe(way, () => {
    test.use({ javaScriptEnabled });

    test("a browser that makes no offer is told nothing", async ({ page, open }) => {
      const house = await open({ history: 0 });
      await visit(page, house);
      await expect(page.getByText("WhatsMiner Controller")).toBeVisible();
      for (const nothing of [page.getByRole("button", BUTTON), page.getByText(INSECURE), page.getByText(BY_HAND)]) {
        await expect(nothing).toBeHidden();
      }
    });
  });
}

test("Safari's way is told where it is Safari", async ({ page, open }) => {
  const house = await open({ history: 0 });
  await page.addInitScript(() => Object.defineProperty(navigator, "standalone", { value: false }));
  await visit(page, house);
  await expect(page.getByText(BY_HAND)).toBeVisible();
});

test("an app of Safari's home screen is told nothing", async ({ page, open }) => {
  const house = await open({ history: 0 });
  await page.addInitScript(() => Object.defineProperty(navigator, "standalone", { value: true }));
  await visit(page, house);
  await expect(page.getByText(BY_HAND)).toBeHidden();
});

test("over plain HTTP everything else works, and the page says why it can't be installed", async ({
  launchOptions,
  open,
  passOn,
}) => {
  const house = await open();
  await house.full();
  const { port } = new URL((await passOn(house)).url);
  // A name of the home's network, to a browser of its own.
  const args = [...launchOptions.args!, "--host-resolver-rules=MAP house.test 127.0.0.1"];
  const browser = await chromium.launch({ ...launchOptions, args });
  const page = await browser.newPage();
  await page.goto(`http://house.test:${port}`);
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  await expect(page.getByText(INSECURE)).toBeVisible();
  await live(page);
  await page.getByRole("button", { name: "Switch off" }).click();
  await expect(page.getByText("It stays off until you switch it on.")).toBeVisible();
  await browser.close();
});
