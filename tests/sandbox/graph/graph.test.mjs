// Microsoft's own client drives the sandbox: what it cannot do here, it could not do there.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { PageIterator } from "@microsoft/microsoft-graph-client";
import { askForTokens, connect, control, failure, skip, tea, view } from "./sandbox.mjs";

let user;
before(async () => {
  if (!skip) user = await connect();
});
const call = (path) => user.client.api(path).header("Prefer", 'IdType="ImmutableId"');

test("consent gives the state back, and a refresh token works once", { skip }, async () => {
  assert.equal(user.landing.searchParams.get("state"), "a state & more");
  const refresh = { grant_type: "refresh_token", refresh_token: user.tokens.refresh_token };
  const fresh = await askForTokens(refresh);
  assert.equal(fresh.status, 200);
  assert.equal((await askForTokens(refresh)).error, "invalid_grant");
  assert.equal((await call("/me").get()).mail, user.email);
});

test("an event is made once, changed under its etag, and deleted", { skip }, async () => {
  const made = await call("/me/events").post(tea({ transactionId: "node-1" }));
  assert.equal(
    await failure(call("/me/events").post(tea({ transactionId: "node-1" }))),
    "409 ErrorDuplicateTransactionId",
  );
  const path = `/me/events/${made.id}`;
  await call(path).patch({ subject: "Coffee" });
  const stale = call(path).header("If-Match", made["@odata.etag"]);
  assert.equal(await failure(stale.patch({ subject: "x" })), "412 ErrorIrresolvableConflict");
  await call(path).delete();
  assert.equal(await failure(call(path).get()), "404 ErrorItemNotFound");
});

test("the page iterator sees every event once", { skip }, async () => {
  for (let i = 0; i < 12; ++i) await call("/me/events").post(tea({ subject: `P${i}` }));
  const first = await call("/me/events").top(5).get();
  const seen = [];
  const iterator = new PageIterator(user.client, first, (event) => seen.push(event.subject) > 0);
  await iterator.iterate();
  assert.equal(seen.filter((subject) => subject.startsWith("P")).length, 12);
  assert.equal(new Set(seen).size, seen.length);
});

test("a delta round ends in a link that brings what changed", { skip }, async () => {
  let page = await call("/me/calendarView/delta").query(view).get();
  const made = await call("/me/events").post(tea({ subject: "New" }));
  const link = page["@odata.deltaLink"];
  page = await user.client.api(link).header("Prefer", 'IdType="ImmutableId"').get();
  assert.deepEqual(page.value.map((event) => event.id), [made.id]);
  await call(`/me/events/${made.id}`).delete();
  page = await user.client.api(page["@odata.deltaLink"]).header("Prefer", 'IdType="ImmutableId"').get();
  assert.deepEqual(page.value.map((event) => [event.id, event["@removed"].reason]), [
    [made.id, "deleted"],
  ]);
  await control("POST", "/expire-sync-tokens");
  assert.equal(await failure(user.client.api(link).get()), "410 SyncStateNotFound");
});

test("the client waits and repeats after 429", { skip }, async () => {
  await control("POST", "/faults", { kind: "status", status: 429, retry_after: 1, path: "/v1.0/me" });
  assert.equal((await call("/me").get()).mail, user.email);
});
