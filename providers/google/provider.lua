-- Google Calendar, API v3. Facts: developers.google.com/calendar/api (reference, guides "sync" and "errors").
local json, event = require("host.json"), require("host.event")
local crypto, clock, html = require("host.crypto"), require("host.time"), require("host.html")

---@type host.Provider
local M = { id = "google", title = "Google Calendar", api = 1, base_url = "https://www.googleapis.com/calendar/v3" }

M.can = {
  incremental = true, windowed_feed = false, push = true, chosen_id = true, quiet_attendees = true,
  conditional_writes = true, reminders = 5, reminder_methods = { "popup", "email" }, in_flight = 8, max_page = 2500,
}

local SCOPE = "https://www.googleapis.com/auth/"
local LIST, FREE = SCOPE .. "calendar.calendarlist.readonly", SCOPE .. "calendar.freebusy"

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
    full = { SCOPE .. "calendar.events", LIST, FREE },
    availability = { SCOPE .. "calendar.events.readonly", LIST, FREE },
  },
  -- A granted scope that stands for others as well.
  covers = {
    [SCOPE .. "calendar"] = { SCOPE .. "calendar.events", SCOPE .. "calendar.events.readonly", LIST, FREE },
    [SCOPE .. "calendar.readonly"] = { SCOPE .. "calendar.events.readonly", LIST, FREE },
    [SCOPE .. "calendar.events"] = { SCOPE .. "calendar.events.readonly" },
    [SCOPE .. "calendar.calendarlist"] = { LIST },
  },
}

-- A 403 with one of these reasons means "slow down"; every other 403 is final.
M.throttled = { ["403"] = { "rateLimitExceeded", "userRateLimitExceeded" } }

-- What `neutral` reads of an event; Google sends twice as much.
local MEMBERS = {
  "attendees", "created", "description", "end", "etag", "extendedProperties", "iCalUID", "id", "location",
  "organizer", "originalStartTime", "recurrence", "recurringEventId", "reminders", "sequence", "source", "start",
  "status", "summary", "transparency", "updated", "visibility",
}

local ROLE_WRITES = { owner = true, writer = true, writerWithoutPrivateAccess = true }
local RESPONSE = { needsAction = "needs_action", declined = "declined", tentative = "tentative", accepted = "accepted" }

local BY_STATUS = {
  [400] = "invalid", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [409] = "already_exists",
  [410] = "not_found", [412] = "conflict", [429] = "rate_limited",
}
local BY_REASON = {
  rateLimitExceeded = "rate_limited", userRateLimitExceeded = "rate_limited", quotaExceeded = "rate_limited",
  accessNotConfigured = "misconfigured", conflict = "conflict",
  fullSyncRequired = "cursor_expired", updatedMinTooLongAgo = "cursor_expired",
}

--- Google's error body as a code of the host; the reason decides first, the status second.
local function failure(answer)
  local body = json.decode(answer.body)
  local reason = body and body.error and body.error.errors and body.error.errors[1] and body.error.errors[1].reason
  local code = BY_REASON[reason] or BY_STATUS[answer.status] or answer.status >= 500 and "unavailable"
  local message = "Google answered " .. answer.status .. (reason and " " .. reason or "")
  return nil, { code = code or "invalid_response", message = message, retry_after = answer.retry_after }
end

--- The body of a good answer, or `nil, err`. Of a `list` in it the items come apart, one by one.
local function read(answer, err, list, wanted)
  if not answer then return nil, err end
  if answer.status >= 300 then return failure(answer) end
  local body, items = json.decode(answer.body, list, wanted)
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
  if raw.date then return { date = raw.date } end
  if raw.dateTime then return { instant = raw.dateTime, tz = raw.timeZone or fallback_zone } end
end

local function busy(raw)
  if raw.status == "tentative" then return "tentative" end
  return raw.transparency == "transparent" and "free" or "busy"
end

local function attendees(raw)
  if not raw.attendees then return nil end
  local list = {}
  for i, a in ipairs(raw.attendees) do
    local role = a.resource and "resource" or a.optional and "optional" or "required"
    list[i] = {
      email = a.email, name = a.displayName, role = role, response = RESPONSE[a.responseStatus], is_self = a.self,
    }
  end
  return list
end

local SENT_RESPONSE = {}
for sent, word in pairs(RESPONSE) do SENT_RESPONSE[word] = sent end

--- Those of the event that is wanted; nil leaves them as they are.
local function guests(wanted)
  if not wanted.attendees then return nil end
  local list = json.array({})
  for i, person in ipairs(wanted.attendees) do
    list[i] = {
      email = person.email, displayName = person.name, responseStatus = SENT_RESPONSE[person.response],
      optional = person.role == "optional" or nil, resource = person.role == "resource" or nil,
    }
  end
  return list
end

local function reminders(raw)
  if not raw.reminders or raw.reminders.useDefault then return nil end
  local list = {}
  for i, r in ipairs(raw.reminders.overrides or {}) do list[i] = { method = r.method, minutes = r.minutes } end
  return list
end

--- Google shows descriptions as HTML; most are plain texts.
local function description(raw)
  if not raw.description then return nil end
  local text = html.text(raw.description)
  return text or raw.description, text and "text" or "html"
end

--- Google's event as the neutral one. A cancelled occurrence of a live series is an override that
--- takes its slot away; any other cancelled event is gone. Not through event.new, which looks at the
--- names of fields while one writes a script: there are thousands of events, and tests of each field.
local function neutral(raw, zone)
  if raw.status == "cancelled" and not raw.recurringEventId then return { id = raw.id, deleted = true } end
  local slot = time(raw.originalStartTime, zone)
  local words, format = description(raw)
  return {
    id = raw.id, etag = raw.etag, uid = raw.iCalUID, sequence = raw.sequence,
    title = raw.summary, description = words, description_format = format,
    location = raw.location, url = raw.source and raw.source.url,
    start = time(raw.start, zone) or slot, finish = time(raw["end"], zone) or slot,
    busy = busy(raw), status = raw.status, visibility = raw.visibility, reminders = reminders(raw),
    recurrence = raw.recurrence and event.recurrence(raw.recurrence, raw.start and raw.start.timeZone or zone),
    series_id = raw.recurringEventId, recurrence_id = slot,
    attendees = attendees(raw), organizer = raw.organizer and raw.organizer.email,
    is_organizer = not raw.organizer or raw.organizer.self == true,
    created = raw.created, updated = raw.updated,
    marks = raw.extendedProperties and raw.extendedProperties.private,
  }
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

--- One page of events into ctx.changes; gives the page's head.
local function list(ctx, calendar, query)
  query.maxResults = M.can.max_page
  local answer, err = ctx.http:get(path(calendar.id), { query = query })
  local body, items = read(answer, err, "items", MEMBERS)
  if not body then return nil, items end
  for raw in items do ctx.changes:add(neutral(raw, body.timeZone)) end
  return { page = body.nextPageToken, cursor = body.nextSyncToken, time_zone = body.timeZone }
end

--- Changes since `cursor`, or the calendar from `window.start` on when it is nil. The parameters of
--- the first run belong to the token and are the same each time.
function M.list_changes(ctx, calendar, cursor, page, window)
  local query = { singleEvents = "false", pageToken = page, syncToken = cursor }
  if not cursor then query.timeMin = window.start end
  local head, err = list(ctx, calendar, query)
  if head then return head end
  -- A sync token of other parameters, or one that Google lost, is answered with 400 or 410.
  if cursor and (err.code == "not_found" or err.code == "invalid") then err.code = "cursor_expired" end
  return nil, err
end

--- What happens in the window; Google expands the series.
function M.list_events(ctx, calendar, window, page)
  return list(ctx, calendar,
    { singleEvents = "true", pageToken = page, timeMin = window.start, timeMax = window.finish })
end

local CALENDARS = 50                    -- of one query
local LONGEST = 60 * 24 * 3600 * 1000   -- milliseconds of one query

--- Adds the busy times of up to 50 calendars in a window that Google takes.
local function query_busy(ctx, items, start, finish, times)
  local query = { timeMin = clock.format(start), timeMax = clock.format(finish), items = items }
  local body, err = read(ctx.http:post("/freeBusy", { json = query }))
  if not body then return nil, err end
  for id, calendar in pairs(body.calendars or {}) do
    local problem = calendar.errors and calendar.errors[1]
    if problem then
      local code = problem.reason == "notFound" and "not_found" or "unavailable"
      return nil, { code = code, message = "Google answered " .. problem.reason .. " for the calendar " .. id }
    end
    for _, raw in ipairs(calendar.busy or {}) do
      times[#times + 1] = { start = raw.start, finish = raw["end"] }
    end
  end
  return true
end

--- When any of the calendars is busy.
function M.busy(ctx, calendars, window)
  local times, last = {}, clock.parse(window.finish)
  for first = 1, #calendars, CALENDARS do
    local items = table.move(calendars, first, math.min(first + CALENDARS - 1, #calendars), 1, {})
    for start = clock.parse(window.start), last - 1, LONGEST do
      local done, err = query_busy(ctx, items, start, math.min(start + LONGEST, last), times)
      if not done then return nil, err end
    end
  end
  return times
end

--- Google answers for a deleted event with status "cancelled".
local function is_deleted(raw) return raw.status == "cancelled" and not raw.recurringEventId end

local function get(ctx, calendar, id) return read(ctx.http:get(path(calendar.id, id))) end

local function get_living(ctx, calendar, id)
  local raw, err = get(ctx, calendar, id)
  if raw and is_deleted(raw) then return nil, { code = "not_found", message = "The event was deleted" } end
  return raw, err
end

--- Reads one event.
function M.get_event(ctx, calendar, id)
  local raw, err = get_living(ctx, calendar, id)
  if not raw then return nil, err end
  return neutral(raw)
end

-- Nobody gets mail, whatever is written.
local QUIET = { sendUpdates = "none" }
local REMINDERS = { most = 5, methods = { "popup", "email" }, longest = 40320 }

--- The moment with its zone: a wall-clock time alone is ambiguous in autumn. A change from whole
--- days to times has to take away what was there.
local function written_time(value, none)
  if value.date then return { date = value.date, dateTime = none, timeZone = none } end
  return { date = none, dateTime = clock.format(value.instant), timeZone = value.tz }
end

local LOSSY = {
  categories = "The categories are left out: Google has none.",
  color = "The color is left out: Google has colors of its own.",
  oof = "The time is shown as busy: Google does not tell who is out of office.",
  elsewhere = "The time is shown as busy: Google does not tell where somebody is.",
}

--- The neutral event as Google's, and what Google cannot hold. For a change `none` (json.null) takes
--- a member away.
local function written(wanted, none)
  local is_tentative = wanted.busy == "tentative" or wanted.status == "tentative"
  local kept, lossy = nil, {}
  if wanted.reminders then kept, lossy = event.fit_reminders(wanted.reminders, REMINDERS) end
  local raw = {
    summary = wanted.title, description = wanted.description, location = wanted.location,
    start = written_time(wanted.start, none), ["end"] = written_time(wanted.finish, none),
    status = wanted.status == "cancelled" and "cancelled" or is_tentative and "tentative" or "confirmed",
    transparency = wanted.busy == "free" and "transparent" or "opaque", visibility = wanted.visibility,
    reminders = kept and { useDefault = false, overrides = kept }, source = none, recurrence = none,
    attendees = guests(wanted),
    extendedProperties = next(wanted.marks) and { private = wanted.marks } or nil,
  }
  -- A text that would be shown as something else is told as HTML.
  if wanted.description_format ~= "html" and html.text(wanted.description) ~= wanted.description then
    raw.description = html.from_text(wanted.description)
  end
  if wanted.recurrence ~= false then raw.recurrence = wanted.recurrence and event.lines(wanted.recurrence) end
  if wanted.url:find("^https?://") then
    raw.source = { url = wanted.url, title = wanted.title }
  elseif wanted.url ~= "" then
    lossy[#lossy + 1] = "The link is left out: Google takes only links to web pages."
  end
  for name, sentence in pairs(LOSSY) do
    if wanted[name] or name == wanted.busy then lossy[#lossy + 1] = sentence end
  end
  return raw, lossy
end

-- Google never gives an id back: a deleted event that cannot be revived makes room for the next generation of its key.
local GENERATIONS = 3
-- After these the event may be there.
local IN_DOUBT = { already_exists = true, timeout = true, unavailable = true, invalid_response = true }
-- Google will not have the deleted event back.
local REFUSED = { invalid = true, forbidden = true, not_found = true, already_exists = true }

--- What became of an insert: the event of that id, revived if it was deleted; else `err`.
local function find_or_revive(ctx, calendar, raw, err)
  local found = get(ctx, calendar, raw.id)
  if not found then return nil, err end
  if not is_deleted(found) then return found end
  local options = { query = QUIET, json = raw, headers = { ["If-Match"] = found.etag } }
  local revived, refusal = read(ctx.http:put(path(calendar.id, raw.id), options))
  if revived then return revived end
  if REFUSED[refusal.code] then refusal.code = "already_exists" end
  return nil, refusal
end

--- Changes what has an id, whatever it is.
local function patch(ctx, calendar, id, wanted, etag)
  local raw, lossy = written(wanted, json.null)
  local options = { query = QUIET, json = raw, headers = { ["If-Match"] = etag } }
  local changed, err = read(ctx.http:patch(path(calendar.id, id), options))
  if not changed then return nil, err end
  return { event = neutral(changed), lossy = lossy }
end

--- The occurrence of a series that stands, or stood, in a slot.
local function write_override(ctx, calendar, wanted)
  local slot = wanted.recurrence_id
  local query = { originalStart = slot.date or clock.format(slot.instant), showDeleted = "true" }
  local body, err = read(ctx.http:get(path(calendar.id, wanted.series_id) .. "/instances", { query = query }))
  if not body then return nil, err end
  local raw = body.items and body.items[1]
  if not raw then return nil, { code = "not_found", message = "The series has no occurrence at this time" } end
  return patch(ctx, calendar, raw.id, wanted)
end

--- Creates the event that `key` names, or finds it.
function M.create_event(ctx, calendar, wanted, key)
  if wanted.recurrence_id then return write_override(ctx, calendar, wanted) end
  local raw, lossy = written(wanted)
  local made, err
  for generation = 1, GENERATIONS do
    raw.id = crypto.sha256(generation > 1 and key .. "#" .. generation or key, "base32hex")
    made, err = read(ctx.http:post(path(calendar.id), { query = QUIET, json = raw }))
    if not made and IN_DOUBT[err.code] then made, err = find_or_revive(ctx, calendar, raw, err) end
    if made then return { event = neutral(made), lossy = lossy } end
    if err.code ~= "already_exists" then break end
  end
  return nil, err
end

--- Changes an event, a series or one occurrence.
function M.update_event(ctx, calendar, id, wanted, etag)
  if etag == "" then
    -- A deleted event must not come back by a change that was meant for a living one.
    local there, err = get_living(ctx, calendar, id)
    if not there then return nil, err end
    etag = there.etag
  end
  local done, err = patch(ctx, calendar, id, wanted, etag)
  if done or err.code ~= "conflict" then return done, err end
  local there, gone = get_living(ctx, calendar, id)
  if not there and gone.code == "not_found" then return nil, gone end
  return nil, err
end

--- Deletes an event or a series; an occurrence's id takes its slot away.
function M.delete_event(ctx, calendar, id, etag)
  local answer, err = ctx.http:delete(path(calendar.id, id), {
    query = QUIET, headers = etag ~= "" and { ["If-Match"] = etag } or nil,
  })
  if not answer then return nil, err end
  if answer.status < 300 or answer.status == 404 or answer.status == 410 then return true end
  if answer.status == 412 then
    local there = get(ctx, calendar, id)
    if there and there.status == "cancelled" then return true end
  end
  return failure(answer)
end

--- Asks for notifications. There is no renewal: the host opens another channel before this one ends.
function M.open_channel(ctx, calendar, request)
  local body, err = read(ctx.http:post(path(calendar.id) .. "/watch", { json = {
    id = request.id, type = "web_hook", address = request.url, token = request.secret, params = { ttl = "604800" },
  } }))
  if not body then return nil, err end
  return { resource = body.resourceId, expires_at = clock.format(math.tointeger(tonumber(body.expiration))) }
end

--- Ends a channel; one that Google does not know any more has ended.
function M.close_channel(ctx, _, known)
  local answer, err = ctx.http:post("/channels/stop", { json = { id = known.id, resourceId = known.resource } })
  if not answer then return nil, err end
  if answer.status < 300 or answer.status == 404 then return true end
  return failure(answer)
end

local NEWS = { sync = "opened", exists = "changed", not_exists = "lost" }

--- Google says in headers which channel has news, and nothing else.
function M.read_notification(request)
  local headers = request.headers
  local id, what = headers["x-goog-channel-id"], NEWS[headers["x-goog-resource-state"]]
  if not id or not what then return nil, { code = "invalid", message = "This is no notification of Google's" } end
  return { channels = { { id = id, secret = headers["x-goog-channel-token"] or "", what = what } } }
end

return M
