// The service worker: the page opens without the controller, and then says how old it is.
//
// The server puts two constants before this. BUILD is what the page's files hash to, FILES are those that every page needs.
// A build has one cache, with its files, the last document of "/" and the page for everything else that is out of reach.
/* global BUILD, FILES */
"use strict";

const CACHE = `page-${BUILD}`;
const OUT_OF_REACH = "/offline";
/** How long the controller may take, in milliseconds, before the kept document is shown. */
const PATIENCE = 3000;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

// Pages of an older build are still open: they say when they are done.
self.addEventListener("message", ({ data }) => {
  if (data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  // State and commands come from the controller or not at all.
  if (request.method !== "GET" || origin !== location.origin || /^\/(api|rpc)\//.test(pathname)) return;
  if (request.mode === "navigate") {
    event.respondWith(pathname === "/" ? dashboard(event) : another(request));
  } else if (/^\/(pkg|vendor)\//.test(pathname) || FILES.includes(pathname)) {
    event.respondWith(file(event));
  }
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...FILES, OUT_OF_REACH]);
  await keep(await fromController("/"));
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The document as the controller sends it; where it doesn't in time, the last one that was kept. */
async function dashboard(event) {
  const answer = fromController(event.request);
  event.waitUntil(answer.then((response) => keep(response.clone())).catch(() => {}));
  return (await inTime(answer, PATIENCE)) ?? (await kept("/")) ?? answer.catch(() => kept(OUT_OF_REACH));
}

/** Any other page. There is nothing to show in its place, so it may take its time. */
async function another(request) {
  return (await inTime(fromController(request), 5 * PATIENCE)) ?? kept(OUT_OF_REACH);
}

/** The answer, if it comes in so many milliseconds. Away from home, an address there neither answers nor refuses. */
function inTime(answer, patience) {
  return Promise.race([answer.catch(() => {}), new Promise((resolve) => setTimeout(resolve, patience))]);
}

/** An answer of the controller, not of a proxy that doesn't reach it, once all of it is there: it may break off halfway. */
async function fromController(request) {
  const response = await fetch(request);
  if (response.status >= 502 && response.status <= 504) throw new Error("out of reach");
  await response.clone().arrayBuffer();
  return response;
}

/**
 * Keeps the document, with the time at which it was sent. What is said of a refused form is of no use later, and what was led
 * elsewhere isn't this one.
 */
async function keep(response) {
  if (!response.ok || response.redirected || response.url.includes("__err=")) return;
  const text = await response.text();
  const document = text.replace("<html", `<html data-offline="${Date.now()}"`);
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": response.headers.get("content-security-policy") ?? "",
  };
  await (await caches.open(CACHE)).put("/", new Response(document, { headers }));
}

async function kept(path) {
  return (await caches.open(CACHE)).match(path);
}

/** A file of a build never changes: kept from its first use on. */
async function file(event) {
  const cache = await caches.open(CACHE);
  const known = await cache.match(event.request);
  if (known) return known;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(cache.put(event.request, response.clone()).catch(() => {}));
  return response;
}
