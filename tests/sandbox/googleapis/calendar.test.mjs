// Google's official client drives the sandbox: what it cannot do here, it could not do there.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { connect, control, failure, skip } from "./sandbox.mjs";

const calendarId = "primary";
const hour = (start, more = {}) => ({
  start: { dateTime: `${start}:00:00Z`, timeZone: "Europe/Berlin" },
  end: { dateTime: `${start}:45:00Z`, timeZone: "Europe/Berlin" },
  ...more,
});

let user;
before(async () => {
  if (!skip) user = await connect();
});

const insert = (requestBody) => user.calendar.events.insert({ calendarId, requestBody });
const list = async (more = {}) => (await user.calendar.events.list({ calendarId, ...more })).data;
const token = async () => (await list()).nextSyncToken;

test("consent gives state, issuer and a refresh token", { skip }, async () => {
  assert.equal(user.landing.searchParams.get("state"), "a state & more");
  assert.ok(user.landing.searchParams.get("iss").endsWith("/sandbox/google"));
  assert.ok(user.tokens.refresh_token);
});

test("the client refreshes by itself when its token has ended", { skip }, async () => {
  const old = user.auth.credentials.access_token;
  user.auth.setCredentials({ ...user.auth.credentials, expiry_date: Date.now() - 1000 });
  const { data } = await user.calendar.calendarList.list();
  assert.equal(data.items[0].id, user.email);
  assert.equal(data.items[0].primary, true);
  assert.notEqual(user.auth.credentials.access_token, old);
  assert.ok(user.auth.credentials.refresh_token);
});

test("a chosen id is taken once", { skip }, async () => {
  const id = "calhost0123456789";
  assert.equal((await insert(hour("2026-11-20T12", { id, summary: "A" }))).data.id, id);
  assert.equal(await failure(insert(hour("2026-11-20T12", { id }))), "409 duplicate");
});

test("pages end in a sync token, which brings changes and deletions", { skip }, async () => {
  const ids = [];
  for (let i = 0; i < 5; ++i)
    ids.push((await insert(hour("2026-11-21T12", { summary: `P${i}` }))).data.id);
  let page = await list({ maxResults: 2 });
  const seen = [];
  for (;;) {
    seen.push(...page.items.map((event) => event.id));
    if (!page.nextPageToken) break;
    assert.equal(page.nextSyncToken, undefined);
    page = await list({ maxResults: 2, pageToken: page.nextPageToken });
  }
  for (const id of ids) assert.equal(seen.filter((other) => other === id).length, 1);
  const syncToken = page.nextSyncToken;
  await user.calendar.events.patch({ calendarId, eventId: ids[0], requestBody: { summary: "new" } });
  await user.calendar.events.delete({ calendarId, eventId: ids[1] });
  const { items } = await list({ syncToken });
  assert.deepEqual(
    items.map(({ id, status, summary }) => [id, status, summary]),
    [
      [ids[0], "confirmed", "new"],
      [ids[1], "cancelled", undefined],
    ],
  );
  assert.equal(await failure(list({ syncToken, q: "x" })), "400 invalid");
  await control("POST", "/expire-sync-tokens");
  assert.equal(await failure(list({ syncToken })), "410 fullSyncRequired");
});

test("an old ETag is refused, and a second deletion too", { skip }, async () => {
  const { data: first } = await insert(hour("2026-11-22T12", { summary: "E" }));
  const call = { calendarId, eventId: first.id };
  const { data: second } = await user.calendar.events.update({
    ...call,
    requestBody: { ...first, summary: "F" },
  });
  assert.notEqual(first.etag, second.etag);
  const old = { headers: { "If-Match": first.etag } };
  assert.equal(
    await failure(user.calendar.events.patch({ ...call, requestBody: { summary: "G" } }, old)),
    "412 conditionNotMet",
  );
  await user.calendar.events.delete(call);
  assert.equal(await failure(user.calendar.events.delete(call)), "410 deleted");
  assert.equal((await user.calendar.events.get(call)).data.status, "cancelled");
});

test("one occurrence is changed and another is cancelled", { skip }, async () => {
  const { data: series } = await insert(
    hour("2026-11-23T09", { summary: "S", recurrence: ["RRULE:FREQ=WEEKLY;COUNT=4"] }),
  );
  const call = { calendarId, eventId: series.id };
  const { data: before } = await user.calendar.events.instances(call);
  assert.equal(before.items.length, 4);
  const syncToken = await token();
  await user.calendar.events.patch({
    calendarId,
    eventId: before.items[1].id,
    requestBody: hour("2026-12-01T15", { summary: "moved" }),
  });
  await user.calendar.events.delete({ calendarId, eventId: before.items[2].id });
  const { items } = await list({ syncToken });
  assert.deepEqual(
    items.map((event) => [event.recurringEventId, event.status]),
    [
      [series.id, "confirmed"],
      [series.id, "cancelled"],
    ],
  );
  const { data: slot } = await user.calendar.events.instances({
    ...call,
    originalStart: before.items[1].originalStartTime.dateTime,
  });
  assert.equal(slot.items[0].summary, "moved");
  const { data: after } = await user.calendar.events.instances(call);
  assert.deepEqual(
    after.items.map((event) => event.summary),
    ["S", "moved", "S"],
  );
});

test("private extended properties find an event again", { skip }, async () => {
  const extendedProperties = { private: { xsrc: "booking 7" } };
  const { data } = await insert(hour("2026-11-24T12", { extendedProperties }));
  const found = await list({ privateExtendedProperty: ["xsrc=booking 7"] });
  assert.deepEqual(found.items.map((event) => event.id), [data.id]);
});

test("free-busy joins what overlaps", { skip }, async () => {
  await insert(hour("2027-01-05T12"));
  await insert({
    start: { dateTime: "2027-01-05T12:30:00Z" },
    end: { dateTime: "2027-01-05T14:00:00Z" },
  });
  const { data } = await user.calendar.freebusy.query({
    requestBody: {
      timeMin: "2027-01-05T00:00:00Z",
      timeMax: "2027-01-06T00:00:00Z",
      items: [{ id: calendarId }],
    },
  });
  assert.deepEqual(data.calendars.primary.busy, [
    { start: "2027-01-05T12:00:00Z", end: "2027-01-05T14:00:00Z" },
  ]);
});

test("a channel is opened once and stopped once", { skip }, async () => {
  const requestBody = {
    id: `channel-${Date.now()}`,
    type: "web_hook",
    address: "https://host.example/hook",
    token: "secret",
  };
  const { data } = await user.calendar.events.watch({ calendarId, requestBody });
  assert.equal(data.kind, "api#channel");
  assert.match(data.expiration, /^\d{13}$/);
  assert.equal(
    await failure(user.calendar.events.watch({ calendarId, requestBody })),
    "400 channelIdNotUnique",
  );
  const stop = { requestBody: { id: data.id, resourceId: data.resourceId } };
  await user.calendar.channels.stop(stop);
  assert.equal(await failure(user.calendar.channels.stop(stop)), "404 notFound");
});

test("after revocation nothing works any more", { skip }, async () => {
  const other = await connect();
  await other.auth.revokeToken(other.tokens.refresh_token);
  other.auth.setCredentials({ ...other.tokens, expiry_date: Date.now() - 1000 });
  assert.equal(await failure(other.calendar.calendarList.list()), "400 invalid_grant");
});
