-- Google Calendar, API v3. Facts: developers.google.com/calendar/api (reference, guides "sync" and "errors").
local json, event = require("host.json"), require("host.event")

---@type host.Provider
local M = { id = "google", title = "Google Calendar", api = 1, base_url = "https://www.googleapis.com/calendar/v3" }

M.can = {
  incremental = true,
  windowed_feed = false,
  push = false,
  chosen_id = true,
  quiet_attendees = true,
  reminders = 5,
  reminder_methods = { "popup", "email" },
  conditional_writes = true,
  in_flight = 8,
  max_page = 2500,
}

local SCOPE = "https://www.googleapis.com/auth/"

M.auth = {
  kind = "oauth2",
  authorize = "https://accounts.google.com/o/oauth2/v2/auth",
  token = "https://oauth2.googleapis.com/token",
  revoke = "https://oauth2.googleapis.com/revoke",
  userinfo = "https://openidconnect.googleapis.com/v1/userinfo",
  issuer = "https://accounts.google.com",
  -- offline and consent: the only sure way to a refresh token.
  parameters = { access_type = "offline", prompt = "consent", include_granted_scopes = "false" },
  identity_scopes = { "openid", "email" },
  scopes = {
    full = { SCOPE .. "calendar.events", SCOPE .. "calendar.calendarlist.readonly", SCOPE .. "calendar.freebusy" },
    availability = {
      SCOPE .. "calendar.events.readonly", SCOPE .. "calendar.calendarlist.readonly", SCOPE .. "calendar.freebusy",
    },
  },
  -- A granted scope that stands for others as well.
  covers = {
    [SCOPE .. "calendar"] = {
      SCOPE .. "calendar.events", SCOPE .. "calendar.events.readonly",
      SCOPE .. "calendar.calendarlist.readonly", SCOPE .. "calendar.freebusy",
    },
    [SCOPE .. "calendar.readonly"] = {
      SCOPE .. "calendar.events.readonly", SCOPE .. "calendar.calendarlist.readonly", SCOPE .. "calendar.freebusy",
    },
    [SCOPE .. "calendar.events"] = { SCOPE .. "calendar.events.readonly" },
    [SCOPE .. "calendar.calendarlist"] = { SCOPE .. "calendar.calendarlist.readonly" },
  },
}

-- A 403 with one of these reasons means "slow down"; every other 403 is final.
M.throttled = { ["403"] = { "rateLimitExceeded", "userRateLimitExceeded" } }

local ROLE_WRITES = { owner = true, writer = true, writerWithoutPrivateAccess = true }
local RESPONSE = { needsAction = "needs_action", declined = "declined", tentative = "tentative", accepted = "accepted" }

--- Google's error body as a code of the host; the reason decides first, the status second.
local function failure(answer)
  local body = json.decode(answer.body)
  local first = body and body.error and body.error.errors and body.error.errors[1] or {}
  local reason = first.reason
  local message = "Google answered " .. answer.status .. (reason and (" " .. reason) or "")
  local by_status = {
    [400] = "invalid", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [409] = "already_exists",
    [410] = "cursor_expired", [412] = "conflict", [429] = "rate_limited",
  }
  local by_reason = {
    rateLimitExceeded = "rate_limited", userRateLimitExceeded = "rate_limited", quotaExceeded = "rate_limited",
    accessNotConfigured = "misconfigured", deleted = "not_found", conflict = "conflict",
  }
  local code = by_reason[reason] or by_status[answer.status]
  code = code or (answer.status >= 500 and "unavailable") or "invalid_response"
  return nil, { code = code, message = message, retry_after = answer.retry_after }
end

--- The body of a good answer, or `nil, err`. Of a `list` in it the items come apart, one by one.
local function read(answer, err, list)
  if not answer then return nil, err end
  if answer.status >= 300 then return failure(answer) end
  local body, items = json.decode(answer.body, list)
  if type(body) ~= "table" then
    return nil, { code = "invalid_response", message = "Google sent something that is not JSON" }
  end
  return body, items
end

local function path(calendar_id, event_id)
  local base = "/calendars/" .. event.escape(calendar_id) .. "/events"
  return event_id and (base .. "/" .. event.escape(event_id)) or base
end

local function time(raw, fallback_zone)
  if not raw then return nil end
  if raw.date then return event.date(raw.date) end
  if raw.dateTime then return event.instant(raw.dateTime, raw.timeZone or fallback_zone) end
end

local function busy(raw)
  if raw.status == "tentative" then return "tentative" end
  return raw.transparency == "transparent" and "free" or "busy"
end

local function attendees(raw)
  if not raw.attendees then return nil end
  local list = {}
  for i, a in ipairs(raw.attendees) do
    local role = a.resource and "resource" or (a.optional and "optional" or "required")
    local response = RESPONSE[a.responseStatus]
    list[i] = { email = a.email, name = a.displayName, role = role, response = response, is_self = a.self }
  end
  return list
end

local function reminders(raw)
  if not raw.reminders or raw.reminders.useDefault then return nil end
  local list = {}
  for i, r in ipairs(raw.reminders.overrides or {}) do
    list[i] = { method = r.method, minutes = r.minutes }
  end
  return list
end

--- Google's event as the neutral one. A cancelled occurrence of a live series is an override that
--- takes its slot away; any other cancelled event is gone.
local function neutral(raw, zone)
  if raw.status == "cancelled" and not raw.recurringEventId then return { id = raw.id, deleted = true } end
  local slot = time(raw.originalStartTime, zone)
  return event.new({
    id = raw.id,
    etag = raw.etag,
    uid = raw.iCalUID,
    title = raw.summary,
    description = raw.description,
    description_format = raw.description and "html" or nil,
    location = raw.location,
    url = raw.source and raw.source.url,
    start = time(raw.start, zone) or slot,
    finish = time(raw["end"], zone) or slot,
    busy = busy(raw),
    status = raw.status,
    visibility = raw.visibility,
    reminders = reminders(raw),
    recurrence = raw.recurrence and event.recurrence(raw.recurrence, raw.start and raw.start.timeZone or zone),
    series_id = raw.recurringEventId,
    recurrence_id = slot,
    attendees = attendees(raw),
    organizer = raw.organizer and raw.organizer.email,
    is_organizer = not raw.organizer or raw.organizer.self == true,
    sequence = raw.sequence,
    created = raw.created,
    updated = raw.updated,
    marks = raw.extendedProperties and raw.extendedProperties.private,
  })
end

--- Who granted the access.
function M.identity(ctx)
  local body, err = read(ctx.http:get(ctx.config.endpoints.userinfo))
  if not body then return nil, err end
  return { id = body.sub, email = body.email, name = body.name }
end

--- Every calendar of the account, pages followed to the end.
function M.list_calendars(ctx)
  local list, page = {}, nil
  repeat
    local body, err = read(ctx.http:get("/users/me/calendarList", { query = { pageToken = page, maxResults = 250 } }))
    if not body then return nil, err end
    for _, raw in ipairs(body.items or {}) do
      list[#list + 1] = {
        id = raw.id, name = raw.summaryOverride or raw.summary, primary = raw.primary == true,
        read_only = not ROLE_WRITES[raw.accessRole], color = raw.backgroundColor, time_zone = raw.timeZone,
      }
    end
    page = body.nextPageToken
  until not page
  return list
end

--- Changes since `cursor`, or the calendar from `window.start` on when it is nil. The parameters of
--- the first run belong to the token and are the same each time.
function M.list_changes(ctx, calendar, cursor, page, window)
  local query = { maxResults = M.can.max_page, singleEvents = "false", pageToken = page, syncToken = cursor }
  if not cursor then query.timeMin = window.start end
  local answer, err = ctx.http:get(path(calendar.id), { query = query })
  local body, items = read(answer, err, "items")
  if not body then
    err = items
    -- A sync token of other parameters, or one that Google lost, is answered with 400 or 410.
    if cursor and (err.code == "not_found" or err.code == "invalid") then err.code = "cursor_expired" end
    return nil, err
  end
  for raw in items do ctx.changes:add(neutral(raw, body.timeZone)) end
  return { page = body.nextPageToken, cursor = body.nextSyncToken, time_zone = body.timeZone }
end

--- Reads one event. Google answers a deleted one with status "cancelled".
function M.get_event(ctx, calendar, id)
  local body, err = read(ctx.http:get(path(calendar.id, id)))
  if not body then return nil, err end
  if body.status == "cancelled" and not body.recurringEventId then return nil, { code = "not_found" } end
  return neutral(body)
end

return M
