// Debian's Chromium, a host to look at, and what every page is held to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const base = process.env.CALHOST_URL;
export const skip = base ? false : "CALHOST_URL is not set: it names a running sandbox host";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page in a browser without any cookie; `complaints` is what its console said in anger. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 720, height: 720 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { page, complaints };
}

/** No violation that axe knows of, in light and in dark. The page forbids scripts, axe goes around. */
export async function checkAccessible(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
  });
  const run = (expression, awaitPromise = false) =>
    session.send("Runtime.evaluate", { expression, contextId, awaitPromise, returnByValue: true });
  await run(axe);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const { result } = await run("axe.run().then((r) => r.violations)", true);
    const found = result.value.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" ")}`);
    assert.deepEqual(found, [], `${await page.title()}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await session.detach();
}

/** One call to the host, not through the browser. */
export async function call(method, path, { token, body } = {}) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Somebody new at the host: a token. */
export async function signUp(email) {
  const password = "a long pass phrase";
  await call("POST", "/auth/register", { body: { email, password, name: "Ada", role: "mentor" } });
  return (await call("POST", "/auth/token", { body: { email, password } })).access_token;
}
