// Connecting as people see it: the sandbox's consent page, the question, the landing page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, call, checkAccessible, launch, open, signUp, skip } from "./browser.mjs";

const account = "demo.person@gmail.example";
let browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser?.close());

const heading = (page) => page.locator("h1").innerText();
/** Presses a button and stays until the next page is there. */
const press = (page, name) =>
  Promise.all([page.waitForEvent("framenavigated"), page.getByRole("button", { name }).click()]);
const status = (token) => call("GET", "/api/calendar/status", { token });

/** The page of somebody new who follows a one-time link to the provider. */
async function followLink(email) {
  const token = await signUp(email);
  const { url } = await call("POST", "/api/calendar/connect-links", {
    token,
    body: { provider: "google" },
  });
  const opened = await open(browser);
  await opened.page.goto(url);
  return { token, ...opened };
}

for (const provider of ["Google", "Outlook"])
  test(`from the sandbox's page over Allow to the landing page: ${provider}`, { skip }, async () => {
    const { page, complaints } = await open(browser);
    await page.goto(`${base}/sandbox`);
    await checkAccessible(page);
    await page.getByRole("link", { name: `Connect the demo ${provider} calendar` }).click();
    assert.match(await page.title(), /SANDBOX/);
    await checkAccessible(page);
    await press(page, "Allow");
    assert.equal(await heading(page), "Calendar connected");
    assert.match(page.url(), /\/dashboard\/mentor\?tab=calls&connected=success$/);
    await checkAccessible(page);
    await page.goto(`${base}/sandbox`);
    const connected = `Connected to ${provider.toLowerCase()}: ${account}, active.`;
    assert.ok((await page.locator("main").innerText()).includes(connected));
    assert.deepEqual(complaints, []);
  });

test("Deny connects nothing and says so", { skip }, async () => {
  const { page, token, complaints } = await followLink("deny@example.com");
  await press(page, "Deny");
  assert.equal(await heading(page), "Calendar not connected");
  await checkAccessible(page);
  assert.equal((await status(token)).connected, false);
  assert.deepEqual(complaints, []);
});

test("without a permission that is needed nothing is connected", { skip }, async () => {
  const { page, token } = await followLink("partly@example.com");
  await page.getByRole("checkbox", { name: /calendar\.events/ }).uncheck();
  await press(page, "Allow");
  assert.equal(await heading(page), "Calendar not connected");
  assert.equal((await status(token)).connected, false);
});

test("a sign-in that is finished twice is refused in words", { skip }, async () => {
  const { page } = await followLink("twice@example.com");
  const consent = page.url(); // not goBack: a browser may put the next page in this one's place
  await press(page, "Allow");
  await page.goto(consent);
  await press(page, "Allow");
  assert.match(await page.locator("main").innerText(), /used already/);
});

/** Somebody else's browser opens the URL of a program's flow: the host has to ask. */
async function reachQuestion(email) {
  const token = await signUp(email);
  const { authorization_url: url } = await call("GET", "/api/calendar/auth-url", { token });
  const opened = await open(browser);
  await opened.page.goto(url);
  await press(opened.page, "Allow");
  return { token, ...opened };
}

test("in a browser without the cookie both accounts are named, and yes connects", { skip }, async () => {
  const { page, token, complaints } = await reachQuestion("yes@example.com");
  const text = await page.locator("main").innerText();
  assert.ok(text.includes(account) && text.includes("yes@example.com"), text);
  assert.equal((await status(token)).connected, false);
  await checkAccessible(page);
  await press(page, /^Yes/);
  assert.equal(await heading(page), "Calendar connected");
  assert.equal((await status(token)).connected, true);
  assert.deepEqual(complaints, []);
});

test("no connects nothing", { skip }, async () => {
  const { page, token, complaints } = await reachQuestion("no@example.com");
  await press(page, /^No/);
  assert.equal(await heading(page), "Calendar not connected");
  assert.equal((await status(token)).connected, false);
  assert.deepEqual(complaints, []);
});

test("a one-time link works once", { skip }, async () => {
  const token = await signUp("once@example.com");
  const body = { provider: "google" };
  const { url } = await call("POST", "/api/calendar/connect-links", { token, body });
  const { page } = await open(browser);
  await page.goto(url);
  assert.match(await page.title(), /SANDBOX/);
  await page.goto(url);
  assert.match(await page.locator("body").innerText(), /used already/);
});
