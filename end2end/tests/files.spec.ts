// What the page is made of: kept by the browser for ever where its name says what it holds, asked for again elsewhere.
import { expect, test } from "./house";

test("hashed files are compressed, never asked for again, and known by their tags", async ({ request, open }) => {
  const house = await open({ history: 0 });
  const html = await (await request.get(house.url)).text();
  const names = [...html.matchAll(/\/pkg\/[\w.-]+\.(?:js|wasm|css)/g)].map(([name]) => name);
  expect(new Set(names.map((name) => name.split(".").pop()))).toEqual(new Set(["js", "wasm", "css"]));
  for (const name of new Set(names)) {
    const headers = { "accept-encoding": "br" };
    const first = await request.get(house.url + name, { headers });
    expect(first.status(), name).toBe(200);
    expect(first.headers()["content-encoding"]).toBe("br");
    expect(first.headers()["cache-control"]).toBe("public, max-age=31536000, immutable");
    const tag = first.headers()["etag"];
    expect(tag).toBeTruthy();
    const again = await request.get(house.url + name, { headers: { ...headers, "if-none-match": tag } });
    expect(again.status()).toBe(304);
  }
  const missing = await request.get(`${house.url}/pkg/wm-controller.0000.wasm`);
  expect(missing.status()).toBe(404);
  expect(missing.headers()["cache-control"] ?? "").not.toContain("immutable");
  for (const path of ["/pkg/../hash.txt", "/pkg/%2e%2e/hash.txt", "/hash.txt"]) {
    expect((await request.get(house.url + path)).status(), path).toBe(404);
  }
});

test("what changes is asked for every time", async ({ request, open }) => {
  const house = await open({ history: 0 });
  expect((await request.get(house.url)).headers()["cache-control"]).toBe("no-store");
  const icon = await request.get(`${house.url}/icon.svg`);
  expect(icon.status()).toBe(200);
  expect(icon.headers()["cache-control"]).toBe("no-cache");
  expect(icon.headers()["content-type"]).toContain("svg");
});

test("a form of another site changes nothing", async ({ request, open }) => {
  const house = await open();
  for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }]) {
    const form = { miner: "miner" };
    const answer = await request.post(`${house.url}/rpc/power_off`, { headers, form, maxRedirects: 0 });
    expect(answer.status()).toBe(403);
  }
  await house.pass(120);
  expect((await house.truth()).phase).not.toBe("off");
});
