// Every answer against the schemas that were made from Graph's own metadata: known members only,
// and of the right type.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, skip as noHost, tea, view } from "./sandbox.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const shared = process.env.CALHOST_SHARED ?? path.join(here, "../../../../shared");
const file = path.join(shared, "specs/ms-graph-calendar.openapi.json");
const skip = noHost || (existsSync(file) ? false : `there is no ${file}`);
const schemas = skip ? {} : JSON.parse(readFileSync(file, "utf8")).components.schemas;

/** A schema with what it refers to and is made of, as one. */
function whole(schema) {
  if (schema.$ref) return whole(schemas[schema.$ref.split("/").pop()]);
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map(whole);
  const merged = { ...schema, ...Object.assign({}, ...parts) };
  merged.properties = Object.assign({}, ...parts.map((part) => part.properties ?? {}), schema.properties);
  delete merged.allOf;
  return merged;
}

function check(value, given, where) {
  if (value === null) return;
  const schema = whole(given);
  if (schema.enum) assert.ok(schema.enum.includes(value), `${where}: ${value}`);
  if (schema.properties && Object.keys(schema.properties).length > 0) {
    assert.equal(typeof value, "object", where);
    for (const [name, member] of Object.entries(value)) {
      if (name.startsWith("@")) continue;
      assert.ok(schema.properties[name], `${where}.${name} is no member of ${schema.title}`);
      check(member, schema.properties[name], `${where}.${name}`);
    }
  } else if (schema.type === "array") {
    assert.ok(Array.isArray(value), where);
    value.forEach((item, i) => check(item, schema.items, `${where}[${i}]`));
  } else if (schema.type === "integer") {
    assert.ok(Number.isInteger(value), where);
  } else if (schema.type === "string" || schema.type === "boolean") {
    assert.equal(typeof value, schema.type, where);
    if (schema.format === "date-time") assert.ok(!Number.isNaN(Date.parse(value)), where);
  }
}

test("answers have the members and types of Graph's metadata", { skip }, async () => {
  const { client, email } = await connect();
  const expect = (answer, name) => {
    check(answer, { $ref: `#/components/schemas/microsoft.graph.${name}` }, name);
    return answer;
  };
  const each = (page, name) => {
    assert.ok(page.value.length > 0, name);
    page.value.forEach((item) => expect(item, name));
    return page;
  };
  const made = expect(
    await client.api("/me/events").post(
      tea({
        transactionId: "schema-1",
        body: { contentType: "html", content: "<p>d" },
        location: { displayName: "l" },
        attendees: [{ emailAddress: { address: "bob@contoso.example", name: "Bob" }, type: "optional" }],
        recurrence: {
          pattern: { type: "daily", interval: 1 },
          range: { type: "numbered", startDate: "2026-11-23", numberOfOccurrences: 3 },
        },
      }),
    ),
    "event",
  );
  const slots = each(await client.api("/me/calendarView").query(view).get(), "event");
  expect(await client.api(`/me/events/${slots.value[1].id}`).patch({ subject: "T" }), "event");
  await client.api(`/me/events/${slots.value[2].id}`).delete();
  expect(
    await client.api(`/me/events/${made.id}`).select("subject,cancelledOccurrences").get(),
    "event",
  );
  each(await client.api("/me/events").get(), "event");
  each(await client.api(`/me/events/${made.id}/instances`).query(view).get(), "event");
  each(await client.api("/me/calendarView/delta").query(view).get(), "event");
  each(await client.api("/me/calendars").get(), "calendar");
  expect(await client.api("/me/calendar").get(), "calendar");
  expect(await client.api("/me/mailboxSettings").get(), "mailboxSettings");
  each(await client.api("/me/outlook/supportedTimeZones").get(), "timeZoneInformation");
  const time = (clock) => ({ dateTime: `2026-11-23T${clock}:00`, timeZone: "UTC" });
  each(
    await client.api("/me/calendar/getSchedule").post({
      schedules: [email, "nobody@contoso.example"],
      startTime: time("08:00"),
      endTime: time("12:00"),
    }),
    "scheduleInformation",
  );
});
