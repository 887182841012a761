// Every answer against Google's discovery document: known members only, and of the right type.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, skip as noHost } from "./sandbox.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const shared = process.env.CALHOST_SHARED ?? path.join(here, "../../../../shared");
const file = path.join(shared, "specs/google-calendar-v3.discovery.json");
const skip = noHost || (existsSync(file) ? false : `there is no ${file}`);
const schemas = skip ? {} : JSON.parse(readFileSync(file, "utf8")).schemas;

// Newer than the document's revision.
const added = { CalendarListEntry: ["dataOwner", "autoAcceptInvitations"] };

function formats(value, schema, where) {
  if (schema.format === "date-time") return assert.ok(!Number.isNaN(Date.parse(value)), where);
  if (schema.format === "date") return assert.match(value, /^\d{4}-\d\d-\d\d$/, where);
  if (schema.format === "int64" && schema.type === "string") assert.match(value, /^-?\d+$/, where);
  return undefined;
}

function check(value, schema, where) {
  if (schema.$ref) return check(value, { name: schema.$ref, ...schemas[schema.$ref] }, where);
  switch (schema.type) {
    case "object":
      assert.equal(typeof value, "object", where);
      for (const [name, member] of Object.entries(value)) {
        const known = schema.properties?.[name] ?? schema.additionalProperties;
        if (!known && added[schema.name]?.includes(name)) continue;
        assert.ok(known, `${where}.${name} is no member of ${schema.name ?? "the object"}`);
        check(member, known, `${where}.${name}`);
      }
      return undefined;
    case "array":
      assert.ok(Array.isArray(value), where);
      return value.forEach((item, i) => check(item, schema.items, `${where}[${i}]`));
    case "integer":
      return assert.ok(Number.isInteger(value), where);
    case "string":
      assert.equal(typeof value, "string", where);
      return formats(value, schema, where);
    default:
      return schema.type === "any" ? undefined : assert.equal(typeof value, schema.type, where);
  }
}

test("answers have the members and types of the discovery document", { skip }, async () => {
  const { calendar } = await connect();
  const calendarId = "primary";
  const expect = (response, name) => {
    assert.ok(Object.keys(response.data).length > 0, name);
    check(response.data, { $ref: name }, name);
    return response.data;
  };
  const event = {
    summary: "S",
    description: "d",
    location: "l",
    start: { dateTime: "2026-11-20T09:00:00Z", timeZone: "Europe/Berlin" },
    end: { dateTime: "2026-11-20T10:00:00Z", timeZone: "Europe/Berlin" },
    recurrence: ["RRULE:FREQ=DAILY;COUNT=3"],
    attendees: [{ email: "bob@example.com", optional: true }],
    reminders: { useDefault: false, overrides: [{ method: "popup", minutes: 10 }] },
    extendedProperties: { private: { a: "b" }, shared: { c: "d" } },
    source: { title: "t", url: "https://example.com/" },
  };
  const inserted = expect(await calendar.events.insert({ calendarId, requestBody: event }), "Event");
  const call = { calendarId, eventId: inserted.id };
  expect(await calendar.events.get(call), "Event");
  expect(await calendar.events.patch({ ...call, requestBody: { summary: "T" } }), "Event");
  expect(await calendar.events.update({ ...call, requestBody: event }), "Event");
  const slots = expect(await calendar.events.instances(call), "Events");
  await calendar.events.delete({ calendarId, eventId: slots.items[1].id });
  const day = { start: { date: "2026-11-25" }, end: { date: "2026-11-26" } };
  expect(
    await calendar.events.import({ calendarId, requestBody: { ...day, iCalUID: "u@example.com" } }),
    "Event",
  );
  expect(await calendar.events.list({ calendarId }), "Events");
  expect(await calendar.events.list({ calendarId, singleEvents: true, showDeleted: true }), "Events");
  expect(await calendar.calendarList.list(), "CalendarList");
  expect(await calendar.calendarList.get({ calendarId }), "CalendarListEntry");
  expect(await calendar.calendars.get({ calendarId }), "Calendar");
  expect(await calendar.colors.get(), "Colors");
  expect(await calendar.settings.list(), "Settings");
  expect(await calendar.settings.get({ setting: "timezone" }), "Setting");
  expect(
    await calendar.freebusy.query({
      requestBody: {
        timeMin: "2026-11-20T00:00:00Z",
        timeMax: "2026-11-27T00:00:00Z",
        items: [{ id: calendarId }, { id: "nobody@example.com" }],
      },
    }),
    "FreeBusyResponse",
  );
  const channel = { id: `schema-${Date.now()}`, type: "web_hook", address: "https://host.example/" };
  expect(await calendar.events.watch({ calendarId, requestBody: channel }), "Channel");
});
