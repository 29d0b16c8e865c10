// A demo house for one test: the real program, with a simulated house whose time the test moves.
import { type Browser, type BrowserContextOptions, type Page, test as base, expect } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { type Server, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { WM_CONTROLLER = "", WM_SITE = "" } = process.env;

/** What a test may want different. */
export interface Setup {
  /** The house's present at the start. */
  start: string;
  /** Days that it has lived through before. */
  history: number;
  /** Whoever changes something signs in. */
  isGuarded?: boolean;
  /** Which devices it has: one WhatsMiner, if nothing is said. */
  devices?: "one" | "several";
}

/** Early afternoon of a day in June in New Mexico. */
const NOON: Setup = { start: "2026-06-21T20:00:00Z", history: 0.05 };

/** What a simulated miner does in truth. */
interface Truth {
  phase: string;
  watts: number;
  starts: number;
}

/** A running program with its house. */
export class House {
  private constructor(
    private readonly data: string,
    private readonly setup: Setup,
    private child: ChildProcess,
    /** Where the page is. */
    readonly url: string,
    private control: string,
    /** The code with which somebody takes over a guarded house. */
    readonly code: string,
  ) {}

  static async open(setup: Partial<Setup> = {}): Promise<House> {
    const data = mkdtempSync(join(tmpdir(), "wm-house-"));
    const whole = { ...NOON, ...setup };
    const { child, url, code } = await run(data, whole, 0);
    const house = new House(data, whole, child, url, await controlOf(url), code);
    await house.reachPresent();
    return house;
  }

  /** Lives through what the program left of its past: it answers after some seconds, however far it has come by then. */
  private async reachPresent(): Promise<void> {
    const left = Date.parse(this.setup.start) - (await this.now()).getTime();
    if (left > 0) await this.pass(left / 1000);
  }

  /** Ends the program. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGCONT");
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
  }

  /** The program neither answers nor refuses from now on, until it wakes or is stopped. */
  hang(): void {
    this.child.kill("SIGSTOP");
  }

  /** It goes on after it hung. */
  wake(): void {
    this.child.kill("SIGCONT");
  }

  /** Starts the program again, at the same address and with a house that begins anew; with another page, if one is given. */
  async startAgain(site = WM_SITE): Promise<void> {
    const { child, url } = await run(this.data, this.setup, Number(new URL(this.url).port), site);
    this.child = child;
    this.control = await controlOf(url);
    await this.reachPresent();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Lets so many seconds pass in the house, and waits until they have been lived through. */
  async pass(seconds: number): Promise<void> {
    await this.call("POST", "/time/jump", { seconds });
    await this.arrived();
  }

  /** Waits until a jump has been lived through: of a day, that takes a slow machine half a minute. */
  private async arrived(): Promise<void> {
    await expect
      .poll(async () => {
        const time = (await this.call("GET", "/time")) as { utc: string; wanted: string };
        return Date.parse(time.wanted) - Date.parse(time.utc);
      }, { intervals: [20, 50, 100], timeout: 60_000 })
      .toBe(0);
  }

  /** The instant in the house. */
  async now(): Promise<Date> {
    return new Date(((await this.call("GET", "/time")) as { utc: string }).utc);
  }

  /** The battery says this, in two uploads that are both read. */
  async charge(soc: number): Promise<void> {
    for (let upload = 0; upload < 2; upload++) {
      await this.call("PATCH", "/house", { soc, hold_soc: true });
      await this.pass(61);
      await this.call("POST", "/portal/upload");
      await this.pass(45);
    }
  }

  /** The battery was full, and the miner runs at all its power. */
  async full(): Promise<void> {
    await this.charge(100);
    await this.pass(900);
  }

  async portal(faults: object): Promise<void> {
    await this.call("PATCH", "/portal/faults", faults);
  }

  async minerFaults(faults: object): Promise<void> {
    await this.call("PATCH", "/miners/miner/faults", faults);
  }

  /** What a simulated miner does in truth, whatever anybody says. */
  async truth(miner = "miner"): Promise<Truth> {
    return ((await this.call("GET", `/miners/${miner}`)) as { truth: Truth }).truth;
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.control + path, { method, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }
}

async function run(
  data: string,
  setup: Setup,
  port: number,
  site = WM_SITE,
): Promise<{ child: ChildProcess; url: string; code: string }> {
  const { start, history, isGuarded = false, devices = "one" } = setup;
  const options = ["--demo", "--house", devices, "--scale", "0", "--start", start, "--history", String(history)];
  if (isGuarded) options.push("--sign-in");
  const child = spawn(WM_CONTROLLER, [...options, "--port", String(port), "--data", data, "--site", site], {
    cwd: data,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, RUST_LOG: "warn" },
  });
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on("line", (line) => said.push(line));
  return new Promise((resolve, reject) => {
    let url = "";
    createInterface({ input: child.stdout! }).on("line", (line) => {
      url = /answers at (http:\/\/[^/]+)/.exec(line)?.[1] ?? url;
      const code = /with the code (\S+)/.exec(line)?.[1] ?? "";
      if (url && (code || !isGuarded)) resolve({ child, url, code });
    });
    child.once("exit", () => reject(new Error(`the program ended:\n${said.join("\n")}`)));
  });
}

/** Where the house is controlled: the page knows it, from the first event of the stream. */
async function controlOf(url: string): Promise<string> {
  const response = await fetch(`${url}/api/events`);
  let text = "";
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    const data = /^data: ?(.*)$/m.exec(text);
    if (data && text.includes("\n\n", text.indexOf(data[0]))) {
      return JSON.parse(data[1]).demo.control_api;
    }
  }
  throw new Error("the stream of events ended at once");
}

/** The page, with another build: one of its files differs. */
export function anotherBuild(directory: string): string {
  cpSync(WM_SITE, directory, { recursive: true });
  appendFileSync(join(directory, "site", "icon.svg"), "<!-- another -->");
  return directory;
}

/** The ways in which every page has to work. */
export const WAYS = [
  { way: "without JavaScript", javaScriptEnabled: false },
  { way: "hydrated", javaScriptEnabled: true },
] as const;

/** Waits until the page hears its stream. */
export async function live(page: Page): Promise<void> {
  await expect(page.getByRole("list", { name: "Connections" }).getByText("live", { exact: true })).toBeVisible();
}

/** Opens the page and waits until it is alive, where it comes alive. */
export async function visit(page: Page, house: House, path = "/"): Promise<void> {
  await page.goto(house.url + path);
  // Where scripts run, the page's own has run by now.
  if (await page.evaluate(() => "offer" in globalThis)) {
    await live(page);
  }
}

/** Shows what the house is doing now: a page without JavaScript has to be loaded again. */
export async function look(page: Page, alive: boolean): Promise<void> {
  if (!alive) await page.reload();
}

/**
 * A proxy in front of a house, as HTTPS would come from one: it passes on under the house's own name, and answers by itself
 * where it gets no answer.
 */
export class Proxy {
  private isStalled = false;
  private readonly server: Server;

  constructor(house: House) {
    const { host, origin } = new URL(house.url);
    this.server = createServer((incoming, outgoing) => {
      const { method, headers } = incoming;
      const own = headers.origin ? { host, origin } : { host };
      const passedOn = request(house.url + incoming.url, { method, headers: { ...headers, ...own } }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        if (this.isStalled) answer.once("data", (part: Buffer) => outgoing.write(part.subarray(0, part.length / 2)));
        else answer.pipe(outgoing);
      });
      passedOn.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end("Bad gateway")));
      outgoing.on("close", () => passedOn.destroy());
      incoming.pipe(passedOn);
    });
  }

  /** Waits for connections; where. */
  async listen(): Promise<string> {
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** No answer comes to its end from now on. */
  stall(): void {
    this.isStalled = true;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

interface Fixtures {
  /** Opens a house, which is closed with the test. */
  open: (setup?: Partial<Setup>) => Promise<House>;
  /** Puts a proxy in front of a house; it and where it is. */
  passOn: (house: House) => Promise<{ proxy: Proxy; url: string }>;
  /** What the browser's console said. It has to be nothing, unless the test takes it out. */
  said: string[];
}

export const test = base.extend<Fixtures>({
  open: async ({ page }, use) => {
    const houses: House[] = [];
    await use(async (setup) => {
      const house = await House.open(setup);
      houses.push(house);
      return house;
    });
    // A page that is still open would wonder where its house is.
    await page.close();
    for (const house of houses) await house.close();
  },
  passOn: async ({}, use) => {
    const proxies: Proxy[] = [];
    await use(async (house) => {
      const proxy = new Proxy(house);
      proxies.push(proxy);
      return { proxy, url: await proxy.listen() };
    });
    for (const proxy of proxies) proxy.close();
  },
  said: [
    async ({ page, javaScriptEnabled }, use) => {
      const said: string[] = [];
      page.on("console", (message) => {
        // Where scripts are off, the browser wonders why it loaded one.
        if (javaScriptEnabled === false && message.text().includes("was preloaded using link preload")) return;
        // It takes every password for one of a person, and a form with those of several devices for several forms.
        if (message.text().startsWith("[DOM] Multiple forms should be contained")) return;
        // A test is sometimes quicker than the focus that the page gives.
        if (message.text().startsWith("Autofocus processing was blocked")) return;
        said.push(`${message.type()}: ${message.text()}`);
      });
      page.on("pageerror", (error) => said.push(`error: ${error.message}`));
      await use(said);
      expect(said, "the console stays empty").toEqual([]);
    },
    { auto: true },
  ],
});

/** Closes the page, and takes out what the browser itself noted of connections that failed. */
export async function forgetFailures(page: Page, said: string[]): Promise<void> {
  await page.close();
  said.splice(0, said.length, ...said.filter((line) => !/net::ERR_|Failed to load resource/.test(line)));
}

/** A page with other options, watched like the test's own. */
export async function anotherPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  return context.newPage();
}

export { expect };
