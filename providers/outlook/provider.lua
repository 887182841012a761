-- Outlook by Microsoft Graph, v1.0. Facts: learn.microsoft.com/graph (event, calendarView delta, subscription).
local json, event, html = require("host.json"), require("host.event"), require("host.html")
local time, crypto = require("host.time"), require("host.crypto")
local recurrence, ical = require("host.recurrence"), require("host.ical")

---@type host.Provider
local M = { id = "outlook", title = "Outlook", api = 1, base_url = "https://graph.microsoft.com/v1.0" }

M.can = {
  incremental = true, windowed_feed = true, push = true, chosen_id = false, conditional_writes = true,
  quiet_attendees = false, -- so what has guests is not touched
  reminders = 1, reminder_methods = { "popup" },
  recurrence_limits = { "no RDATE, no fifth weekday, one day of the month" },
  in_flight = 2, -- of the 4 that Graph allows an application at a mailbox
  max_page = 200,
}

local LOGIN = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
local GRAPH = "https://graph.microsoft.com/"

M.auth = {
  kind = "oauth2",
  authorize = LOGIN .. "/authorize",
  token = LOGIN .. "/token",
  userinfo = "https://graph.microsoft.com/oidc/userinfo",
  parameters = { response_mode = "query" },
  identity_scopes = { "openid", "profile", "email", "offline_access", "User.Read", "MailboxSettings.Read" },
  scopes = { full = { "Calendars.ReadWrite" }, availability = { "Calendars.Read" } },
  -- A granted scope that stands for others as well; some answers have the long names.
  covers = {
    ["Calendars.ReadWrite"] = { "Calendars.Read" },
    [GRAPH .. "Calendars.ReadWrite"] = { "Calendars.ReadWrite", "Calendars.Read" },
    [GRAPH .. "Calendars.Read"] = { "Calendars.Read" },
  },
}

-- The host's own properties of an event: one that is searched for, one that holds the rest.
local OWN = "String {66f5a359-4659-4830-9070-000ca1057000} Name "
local KEY, MARKS = OWN .. "CalhostKey", OWN .. "CalhostMarks"
local EXPAND_MARKS = "singleValueExtendedProperties($filter=id eq '" .. MARKS .. "')"
-- Lists of what became of a series' occurrences come only where they are asked for by name.
local SERIES = "id,iCalUId,subject,body,location,start,end,originalStartTimeZone,isAllDay,showAs,sensitivity,"
  .. "isCancelled,isOrganizer,isReminderOn,reminderMinutesBeforeStart,categories,attendees,organizer,responseStatus,"
  .. "recurrence,type,createdDateTime,lastModifiedDateTime,cancelledOccurrences,exceptionOccurrences"

local BUSY = { free = "free", tentative = "tentative", oof = "oof", workingElsewhere = "elsewhere" }
local SHOW_AS = { busy = "busy", free = "free", tentative = "tentative", oof = "oof", elsewhere = "workingElsewhere" }
local VISIBILITY = { personal = "private", private = "private", confidential = "confidential" }
local SENSITIVITY = { private = "private", confidential = "confidential" }
local RESPONSE = {
  none = "needs_action", notResponded = "needs_action", declined = "declined", accepted = "accepted",
  organizer = "accepted", tentativelyAccepted = "tentative",
}

local DAY = 86400000 -- milliseconds

local function filled(value)
  if value ~= json.null and value ~= "" then return value end
end

local function is_same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for name, value in pairs(a) do
    if not is_same(value, b[name]) then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

-- Recurrence -------------------------------------------------------------------------------------------------------

local FREQUENCY = {
  daily = "daily", weekly = "weekly", absoluteMonthly = "monthly", relativeMonthly = "monthly",
  absoluteYearly = "yearly", relativeYearly = "yearly",
}
local PLACES = { first = 1, second = 2, third = 3, fourth = 4, last = -1 }
local INDICES = { "first", "second", "third", "fourth", [-1] = "last" }
local MOST = 999 -- occurrences or intervals

--- The parts of a rule by which patterns of each frequency choose their days, and what people call the parts.
local CHOICES = {
  daily = {},
  weekly = { by_day = true },
  monthly = { by_day = true, by_month_day = true, by_set_pos = true },
  yearly = { by_day = true, by_month_day = true, by_set_pos = true, by_month = true },
}
local PARTS = {
  by_month = "months", by_week_no = "weeks of the year", by_year_day = "days of the year",
  by_month_day = "days of the month", by_day = "days of the week", by_hour = "hours", by_minute = "minutes",
  by_second = "seconds", by_set_pos = "days by their place",
}

--- "2026-11-20" of a time.
local function day_of(at) return at.date or at["local"]:sub(1, 10) end

--- That day, at the time of day at which the series begins.
local function on_day(day, start)
  return start.date and event.date(day) or event.wall(day .. start["local"]:sub(11), start.tz)
end

--- Outlook takes the last day of months that are too short, which RFC 5545 would leave out: the last one that there is
--- of the days from the 28th on.
local function days_to(last)
  local days = {}
  for day = 28, last do days[#days + 1] = day end
  return days
end

--- Graph's recurrence of a series that begins at `start` as a rule of RFC 5545.
local function rule_of(raw, start)
  local pattern, range = raw.pattern, raw.range
  local kind, rule = pattern.type, { freq = FREQUENCY[pattern.type], interval = pattern.interval }
  if kind == "weekly" and rule.interval > 1 then rule.week_start = filled(pattern.firstDayOfWeek) or "sunday" end
  if rule.freq == "yearly" then rule.by_month = { pattern.month } end
  if kind:find("^absolute") then
    local day, is_in_all = pattern.dayOfMonth, kind == "absoluteYearly" and pattern.month ~= 2
    rule.by_month_day = { day }
    if day > 28 and not is_in_all then rule.by_month_day, rule.by_set_pos = days_to(day), { -1 } end
  elseif kind ~= "daily" then
    rule.by_day = {}
    for i, day in ipairs(pattern.daysOfWeek) do rule.by_day[i] = { day = day } end
  end
  if kind:find("^relative") then
    local place = PLACES[pattern.index] or 1
    if #rule.by_day == 1 then rule.by_day[1].nth = place else rule.by_set_pos = { place } end
  end
  if range.type == "numbered" then rule.count = range.numberOfOccurrences end
  if range.type == "endDate" then rule.last = on_day(range.endDate, start) or error("the end is no date") end
  return recurrence.text(rule)
end

local function unsupported(why)
  return nil, { code = "unsupported", message = "Outlook cannot repeat an event like this: " .. why .. "." }
end

--- Puts a rule's weekdays of a month into `pattern`; else why that cannot be.
local function put_weekdays(pattern, rule)
  if rule.by_month_day then return "it repeats only where a day of the week meets a day of the month" end
  local places, own = rule.by_set_pos or {}, nil
  pattern.daysOfWeek, pattern.firstDayOfWeek = {}, rule.week_start
  for i, item in ipairs(rule.by_day) do
    pattern.daysOfWeek[i], own = item.day, item.nth or own
  end
  if own and (#rule.by_day > 1 or #places > 0) then return "it repeats on several weekdays with places of their own" end
  if own then places = { own } end
  pattern.index = #places == 1 and INDICES[places[1]] or nil
  if not pattern.index then return "it repeats on another weekday than the first to fourth or last of a month" end
end

--- The same for a day of the month.
local function put_month_day(pattern, rule)
  local days, places = rule.by_month_day, rule.by_set_pos
  local day = days[#days]
  if is_same(days, { -1 }) then
    pattern.dayOfMonth = 31
  elseif is_same(days, days_to(day)) and is_same(places, { -1 }) then
    pattern.dayOfMonth = day
  elseif #days > 1 or places then
    return "it repeats on several days of a month"
  elseif day < 0 then
    return "it repeats on a day that is counted from the end of the month"
  elseif day > 28 and (not pattern.month or pattern.month == 2) then
    return "it leaves out months without a day " .. day .. ", and Outlook takes their last day"
  else
    pattern.dayOfMonth = day
  end
end

--- The same for a monthly or yearly rule as a whole.
local function put_month(pattern, rule)
  if rule.freq == "yearly" then
    if rule.by_day and not rule.by_month then return "it counts weekdays through the whole year" end
    if #(rule.by_month or {}) ~= 1 then return "it repeats in several months of a year" end
    pattern.month = rule.by_month[1]
  end
  pattern.type = (rule.by_day and "relative" or "absolute") .. (rule.freq == "yearly" and "Yearly" or "Monthly")
  return (rule.by_day and put_weekdays or put_month_day)(pattern, rule)
end

--- A rule of RFC 5545 as Graph's pattern for a series that begins at `start`.
local function pattern_of(rrule, start)
  local rule, err = recurrence.parse(rrule, start)
  if not rule then return nil, err end
  if rule.freq == "daily" and rule.by_day and rule.interval == 1 then rule.freq = "weekly" end
  local choices, pattern = CHOICES[rule.freq], { type = rule.freq, interval = rule.interval }
  if not choices then return unsupported("it repeats " .. rule.freq .. ", and daily is the shortest") end
  for part, words in pairs(PARTS) do
    if rule[part] and not choices[part] then
      return unsupported("it repeats " .. rule.freq .. " and picks its " .. words)
    end
  end
  if rule.freq == "weekly" then
    pattern.firstDayOfWeek, pattern.daysOfWeek = rule.week_start, {}
    for i, item in ipairs(rule.by_day) do pattern.daysOfWeek[i] = item.day end
  elseif rule.freq ~= "daily" then
    local why = put_month(pattern, rule)
    if why then return unsupported(why) end
  end
  if not rule.has_start then return unsupported("it begins on a day that its own rule leaves out") end
  if math.max(rule.interval, rule.count or 0) > MOST then
    return unsupported("its count or interval is over " .. MOST)
  end
  local range = { startDate = day_of(start), type = "noEnd" }
  if rule.count then
    range.type, range.numberOfOccurrences = "numbered", rule.count
  elseif rule.last and day_of(rule.last) < range.startDate then
    range.type, range.numberOfOccurrences = "numbered", 1
  elseif rule.last then
    range.type, range.endDate = "endDate", day_of(rule.last)
  end
  return { pattern = pattern, range = range }
end

-- Answers ----------------------------------------------------------------------------------------------------------

local BY_CODE = {
  erroritemnotfound = "not_found", resourcenotfound = "not_found", errorinvalididmalformed = "not_found",
  errorduplicatetransactionid = "already_exists", errorirresolvableconflict = "conflict",
  syncstatenotfound = "cursor_expired", syncstateinvalid = "cursor_expired", resyncrequired = "cursor_expired",
  applicationthrottled = "rate_limited", toomanyrequests = "rate_limited",
  mailboxnotenabledforrestapi = "forbidden", mailboxnotsupportedforrestapi = "forbidden",
}
local BY_STATUS = {
  [400] = "invalid", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [409] = "conflict",
  [410] = "not_found", [412] = "conflict", [422] = "invalid", [429] = "rate_limited", [509] = "rate_limited",
}

--- Graph's error body as a code of the host: its own code decides first, the status second.
local function failure(answer)
  local body, status = json.decode(answer.body), answer.status
  local problem = type(body) == "table" and type(body.error) == "table" and body.error or {}
  local code = type(problem.code) == "string" and problem.code or nil
  local meaning = code and BY_CODE[code:lower()] or BY_STATUS[status] or status >= 500 and "unavailable"
  if status >= 500 and answer.retry_after then meaning = "rate_limited" end
  return nil, {
    code = meaning or "invalid_response", message = "Outlook answered " .. status .. (code and " " .. code or ""),
    retry_after = answer.retry_after, existing = filled(problem["@event.existingEventId"]),
  }
end

--- One call. Ids stay what they are when an event moves, and times are told in UTC, only where each request asks for
--- it. Gives the body of a good answer (true when there is none), or `nil, err`. Of a `list` in it the items come
--- apart, one by one.
local function ask(ctx, method, url, options, list)
  options = options or {}
  options.method, options.url, options.headers = method, url, options.headers or {}
  options.headers.Prefer = 'IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize=' .. M.can.max_page
  local answer, err = ctx.http:request(options)
  if not answer then return nil, err end
  if answer.status >= 300 then return failure(answer) end
  if answer.status == 204 or (method == "DELETE" and answer.body == "") then return true end
  local body, items = json.decode(answer.body, list)
  if type(body) ~= "table" then
    return nil, { code = "invalid_response", message = "Outlook sent something that is not JSON" }
  end
  return body, items
end

--- A link of a body as a path: where the API is mounted may change between two runs.
local function link_of(ctx, body, name)
  local link, api = filled(body["@odata." .. name]), ctx.config.endpoints.api
  return link and (link:sub(1, #api) == api and link:sub(#api + 1) or link)
end

--- Hands each item of a list to `use`, its pages followed to the end; `true`, or `nil, err`.
local function each(ctx, url, query, use)
  repeat
    local body, items = ask(ctx, "GET", url, { query = query }, "value")
    if not body then return nil, items end
    for raw in items do use(raw) end
    url, query = link_of(ctx, body, "nextLink"), nil
  until not url
  return true
end

local function home(calendar)
  return calendar.id == "primary" and "/me/calendar" or "/me/calendars/" .. event.escape(calendar.id)
end

local function item(calendar, id) return home(calendar) .. "/events/" .. event.escape(id) end

-- The neutral event ------------------------------------------------------------------------------------------------

--- A day or a moment; moments come in UTC and are told in the zone that the event was made in.
local function time_of(raw, is_all_day, zone)
  local text = raw.dateTime:sub(1, 19)
  if is_all_day then return event.date(text:sub(1, 10)) end
  return event.instant(text .. "Z", zone)
end

--- The original start of an occurrence. All-day events float: midnight in UTC, or in the zone of the mailbox.
local function slot_of(raw, zone)
  local moment = filled(raw.originalStart)
  if not moment then return nil end
  moment = moment:sub(1, 19)
  if not raw.isAllDay then return event.instant(moment .. "Z", zone) end
  if moment:sub(11) == "T00:00:00" then return event.date(moment:sub(1, 10)) end
  return event.date(day_of(event.instant(moment .. "Z", zone)))
end

--- What two times have in common that are the same slot.
local function key_of(slot) return slot.date or slot.instant end

--- Graph wraps what people wrote into a page; most of it is plain text.
local function description_of(body)
  if type(body) ~= "table" or not filled(body.content) then return nil end
  if body.contentType ~= "html" then return body.content, "text" end
  local content = body.content
  local _, head = content:find("<body[^>]*>")
  if head then
    local foot = content:find("</body>", head, true) or #content + 1
    content = content:sub(head + 1, foot - 1):gsub("^%s+", "")
  end
  local text = html.text(content)
  return filled(text or content), text and "text" or "html"
end

local function address_of(person) return person and person.emailAddress and filled(person.emailAddress.address) end

local function attendees_of(raw)
  local list = {}
  for i, a in ipairs(raw.attendees or {}) do
    list[i] = {
      email = address_of(a), name = a.emailAddress and filled(a.emailAddress.name), role = a.type,
      response = a.status and RESPONSE[a.status.response],
    }
  end
  return #list > 0 and list or nil
end

local function marks_of(raw)
  for _, property in ipairs(raw.singleValueExtendedProperties or {}) do
    local marks = property.id == MARKS and json.decode(property.value)
    if type(marks) == "table" then return marks end
  end
end

--- A series' rule and the occurrences that were taken out; those are named by their day.
local function recurrence_of(raw, start)
  local exdate = {}
  for _, id in ipairs(raw.cancelledOccurrences or {}) do
    local day = id:match("%d%d%d%d%-%d%d%-%d%d$")
    if day then exdate[#exdate + 1] = on_day(day, start) end
  end
  return { rrule = rule_of(raw.recurrence, start), exdate = exdate }
end

local function busy_of(raw)
  local is_declined = raw.responseStatus and raw.responseStatus.response == "declined"
  return is_declined and "free" or BUSY[raw.showAs] or "busy"
end

--- Graph's event as the neutral one.
local function neutral(raw, marks)
  local rule = filled(raw.recurrence)
  local name = rule and filled(rule.range.recurrenceTimeZone) or filled(raw.originalStartTimeZone)
  local zone = name and time.to_iana(name) or "Etc/UTC"
  local start, slot = time_of(raw.start, raw.isAllDay, zone), slot_of(raw, zone)
  local description, format = description_of(raw.body)
  marks = marks or marks_of(raw)
  return event.new({
    id = raw.id, etag = raw["@odata.etag"], uid = not slot and filled(raw.iCalUId) or nil, -- not an occurrence's own
    title = filled(raw.subject), description = description, description_format = format,
    location = raw.location and filled(raw.location.displayName), url = marks and marks.url,
    start = start, finish = time_of(raw["end"], raw.isAllDay, zone), busy = busy_of(raw),
    status = raw.isCancelled and "cancelled" or raw.showAs == "tentative" and "tentative" or "confirmed",
    visibility = VISIBILITY[raw.sensitivity] or "default", categories = raw.categories,
    reminders = raw.isReminderOn and { { method = "popup", minutes = raw.reminderMinutesBeforeStart } } or {},
    recurrence = rule and recurrence_of(raw, start), series_id = filled(raw.seriesMasterId), recurrence_id = slot,
    attendees = attendees_of(raw), organizer = address_of(raw.organizer), is_organizer = raw.isOrganizer ~= false,
    created = filled(raw.createdDateTime), updated = filled(raw.lastModifiedDateTime), marks = marks and marks.marks,
  })
end

--- An event with the host's marks.
local function read_event(ctx, calendar, id)
  return ask(ctx, "GET", item(calendar, id), { query = { ["$expand"] = EXPAND_MARKS } })
end

--- A series with the marks, what was taken out of it, and its exceptions wherever they are.
local function read_series(ctx, calendar, id)
  local query = { ["$select"] = SERIES, ["$expand"] = "exceptionOccurrences," .. EXPAND_MARKS }
  return ask(ctx, "GET", item(calendar, id), { query = query })
end

--- The occurrence of a series that was at `slot` in the beginning, wherever it is now.
local function find_occurrence(ctx, calendar, series_id, slot)
  local found
  local function look(raw)
    local own = slot_of(raw, "Etc/UTC")
    if own and key_of(own) == key_of(slot) then found = found or raw end
  end
  local begin = slot.date and time.parse(slot.date .. "T00:00:00Z") or slot.instant
  local query = { ["$top"] = 100, ["$expand"] = EXPAND_MARKS }
  query.startDateTime, query.endDateTime = time.format(begin - DAY), time.format(begin + 2 * DAY)
  local done, err = each(ctx, item(calendar, series_id) .. "/instances", query, look)
  if not done then return nil, err end
  if found then return found end
  local series, problem = read_series(ctx, calendar, series_id)
  if not series then return nil, problem end
  for _, raw in ipairs(series.exceptionOccurrences or {}) do look(raw) end
  return found, not found and { code = "not_found", message = "The series has no such occurrence in Outlook." } or nil
end

--- An event as a whole: a series with what became of its occurrences. An id that the host made of a series' and of a
--- slot finds that occurrence.
local function fetch(ctx, calendar, id)
  local series_id, slot = recurrence.split_id(id)
  if series_id then return find_occurrence(ctx, calendar, series_id, slot) end
  local raw, err = read_event(ctx, calendar, id)
  if raw and raw.type == "seriesMaster" then return read_series(ctx, calendar, id) end
  return raw, err
end

-- Reading ----------------------------------------------------------------------------------------------------------

-- Microsoft's own numbers, where OAuth's word for a refusal is too wide or not the host's.
local TOKEN_ERRORS = {
  misconfigured = { 700011, 700016, 70002, 7000215, 7000218, 7000222, 90002, 500021, 500212, 500213 },
  needs_reauth = { 65001, 65004, 50020, 50034, 50076, 50079, 50173, 53003, 70000, 70008, 70043, 700082, 90094 },
  unavailable = { 50033, 90006, 90012, 90024, 90033 },
}

--- What a refusal of the token endpoint means; nil where OAuth's word says it.
function M.classify_token_error(answer)
  local body = json.decode(answer.body)
  local numbers = type(body) == "table" and type(body.error_codes) == "table" and body.error_codes or {}
  for code, known in pairs(TOKEN_ERRORS) do
    for _, number in ipairs(known) do
      if numbers[1] == number then return code end
    end
  end
  return body and (body.error == "temporarily_unavailable" or body.error == "server_error") and "unavailable" or nil
end

local function own_address(me) return filled(me.mail) or me.userPrincipalName end

--- Who granted the access. Not every work account has its address among the claims.
function M.identity(ctx)
  local body, err = ask(ctx, "GET", ctx.config.endpoints.userinfo)
  if not body then return nil, err end
  if filled(body.email) then return { id = body.sub, email = body.email, name = filled(body.name) } end
  local me, problem = ask(ctx, "GET", "/me")
  if not me then return nil, problem end
  return { id = body.sub, email = own_address(me), name = filled(me.displayName) }
end

--- The zone of the mailbox; calendars have none. False where the tenant does not let it be read, or `nil, err`.
local function mailbox_zone(ctx)
  local settings, err = ask(ctx, "GET", "/me/mailboxSettings")
  if settings then return filled(settings.timeZone) and time.to_iana(settings.timeZone) or false end
  if err.code == "forbidden" then return false end
  return nil, err
end

--- Every calendar of the mailbox.
function M.list_calendars(ctx)
  local zone, problem = mailbox_zone(ctx)
  if zone == nil then return nil, problem end
  local list = {}
  local done, err = each(ctx, "/me/calendars", { ["$top"] = 100 }, function(raw)
    list[#list + 1] = {
      id = raw.id, name = raw.name, primary = raw.isDefaultCalendar == true, read_only = raw.canEdit == false,
      color = filled(raw.hexColor), time_zone = zone or nil,
    }
  end)
  return done and list, err
end

--- Reads a series whole and hands it over; one that is gone is handed over as that.
local function add_series(ctx, calendar, id)
  local raw, err = read_series(ctx, calendar, id)
  if not raw and err.code ~= "not_found" then return nil, err end
  if not raw then
    ctx.changes:add({ id = id, deleted = true })
    return true
  end
  ctx.changes:add(neutral(raw))
  for _, exception in ipairs(raw.exceptionOccurrences or {}) do ctx.changes:add(neutral(exception)) end
  ctx.changes:add({ id = id, whole = true })
  return true
end

--- What the feed says is gone may only have left the window, and may be an occurrence: each is looked up. An occurrence
--- that is really gone has changed its series, which the feed does not name: those that changed `since` are read.
local function add_removed(ctx, calendar, removed, series, since)
  local is_any_gone = false
  for _, id in ipairs(removed) do
    local raw, err = ask(ctx, "GET", item(calendar, id), { query = { ["$select"] = "id,type,seriesMasterId" } })
    if not raw and err.code ~= "not_found" then return nil, err end
    if not raw then
      is_any_gone = true
      ctx.changes:add({ id = id, deleted = true })
    elseif filled(raw.seriesMasterId) then
      series[#series + 1] = raw.seriesMasterId
    else
      ctx.changes:add({ id = id, out_of_window = true })
    end
  end
  if not (is_any_gone and since) then return true end
  local test = "type eq 'seriesMaster' and lastModifiedDateTime ge " .. since
  local query = { ["$filter"] = test, ["$select"] = "id", ["$top"] = 100 }
  return each(ctx, home(calendar) .. "/events", query, function(raw) series[#series + 1] = raw.id end)
end

--- A page of the feed: where `link` leads to, else the first one of all that is in the window.
local function read_feed(ctx, calendar, link, window)
  -- For the mailbox's own calendar the shorter path is the documented one.
  local first = (calendar.id == "primary" and "/me" or home(calendar)) .. "/calendarView/delta"
  local query = not link and { startDateTime = window.start, endDateTime = window.finish } or nil
  local body, items = ask(ctx, "GET", link or first, { query = query }, "value")
  -- A state that Graph has lost is also answered with 400.
  if not body and link and (items.code == "not_found" or items.code == "invalid") then items.code = "cursor_expired" end
  return body, items
end

--- Changes since `cursor`, or what is in `window` when it is nil; the links hold the window. A series is read whole as
--- soon as anything of it turns up, since the feed has only the occurrences in the window, and not their marks. `seen`
--- are those that this round has read.
function M.list_changes(ctx, calendar, cursor, page, window)
  local at = page and json.decode(page) or cursor and json.decode(cursor) or {}
  local round = page and at or { since = at.since, began = time.format(time.now() - 600000), seen = {} }
  local body, items = read_feed(ctx, calendar, at.link, window)
  if not body then return nil, items end
  local series, removed = {}, {}
  for raw in items do
    local series_id = raw.type == "seriesMaster" and raw.id or filled(raw.seriesMasterId)
    if raw["@removed"] then
      removed[#removed + 1] = raw.id
    elseif series_id then
      series[#series + 1] = series_id
    elseif tostring(raw.transactionId):find("^calhost") then
      local own, err = read_event(ctx, calendar, raw.id)
      if not own and err.code ~= "not_found" then return nil, err end
      ctx.changes:add(neutral(own or raw))
    else
      ctx.changes:add(neutral(raw))
    end
  end
  local done, problem = add_removed(ctx, calendar, removed, series, round.since)
  if not done then return nil, problem end
  for _, id in ipairs(series) do
    if not round.seen[id] then
      local added, err = add_series(ctx, calendar, id)
      if not added then return nil, err end
      round.seen[id] = true
    end
  end
  round.link = link_of(ctx, body, "nextLink")
  if round.link then return { page = json.encode(round) } end
  local delta = link_of(ctx, body, "deltaLink")
  return { cursor = delta and json.encode({ link = delta, since = round.began }) }
end

--- What happens in the window, expanded by Graph.
function M.list_events(ctx, calendar, window, page)
  local zone, err = mailbox_zone(ctx)
  if zone == nil then return nil, err end
  local query = { ["$top"] = M.can.max_page, ["$expand"] = EXPAND_MARKS }
  query.startDateTime, query.endDateTime = window.start, window.finish
  local link = page or home(calendar) .. "/calendarView"
  local body, items = ask(ctx, "GET", link, { query = not page and query or nil }, "value")
  if not body then return nil, items end
  for raw in items do ctx.changes:add(neutral(raw)) end
  return { page = link_of(ctx, body, "nextLink"), time_zone = zone or nil }
end

--- Reads one event.
function M.get_event(ctx, calendar, id)
  local raw, err = fetch(ctx, calendar, id)
  return raw and neutral(raw), err
end

local function utc(millis) return { dateTime = time.format(millis):sub(1, 19), timeZone = "UTC" } end

--- Busy times of the mailbox's own calendar, as far as Graph tells them: for work accounts, and for less than 42 days.
local function own_schedule(ctx, window)
  local start, finish = time.parse(window.start), time.parse(window.finish)
  if finish - start >= 42 * DAY then return nil end
  local me, err = ask(ctx, "GET", "/me")
  if not me then return nil, err end
  local sent = { schedules = json.array({ own_address(me) }), startTime = utc(start), endTime = utc(finish) }
  local body, problem = ask(ctx, "POST", "/me/calendar/getSchedule", { json = sent })
  local schedule = body and body.value[1]
  if not schedule or schedule.error then return nil, problem end
  local list = {}
  for _, part in ipairs(schedule.scheduleItems or {}) do
    if part.status ~= "free" then
      local from, to = part.start.dateTime:sub(1, 19), part["end"].dateTime:sub(1, 19)
      list[#list + 1] = { start = from .. "Z", finish = to .. "Z" }
    end
  end
  return list
end

--- The busy times of a calendar's events; a day begins at midnight in the mailbox's zone.
local function add_busy(ctx, calendar, window, zone, list)
  local query = { ["$top"] = 1000, ["$select"] = "start,end,isAllDay,showAs,isCancelled,responseStatus" }
  query.startDateTime, query.endDateTime = window.start, window.finish
  return each(ctx, home(calendar) .. "/calendarView", query, function(raw)
    if raw.isCancelled or busy_of(raw) == "free" then return end
    local function moment(at)
      local text = at.dateTime:sub(1, 19)
      return raw.isAllDay and time.format(event.wall(text, zone).instant) or text .. "Z"
    end
    list[#list + 1] = { start = moment(raw.start), finish = moment(raw["end"]) }
  end)
end

--- When any of the calendars is busy. Where getSchedule is refused, as for personal accounts, the events tell.
function M.busy(ctx, calendars, window)
  if #calendars == 1 and calendars[1].id == "primary" then
    local list, err = own_schedule(ctx, window)
    if list or (err and err.code ~= "forbidden") then return list, err end
  end
  local list, zone, err = {}, mailbox_zone(ctx)
  if zone == nil then return nil, err end
  for _, calendar in ipairs(calendars) do
    local done, problem = add_busy(ctx, calendar, window, zone or "Etc/UTC", list)
    if not done then return nil, problem end
  end
  return list
end

-- Writing ----------------------------------------------------------------------------------------------------------

--- Wall clock and Windows name; UTC where there is no name, or where the wall clock could mean another moment.
local function zoned(at)
  if at.date then return { dateTime = at.date .. "T00:00:00", timeZone = "UTC" } end
  local name = time.to_windows(at.tz)
  local is_clear = name and event.wall(at["local"], at.tz).instant == at.instant
  return is_clear and { dateTime = at["local"], timeZone = name } or utc(at.instant)
end

local REMINDERS = { most = 1, methods = { "popup" } }

--- What the host wants of an event in Graph's words. `lossy` gets a sentence for each thing that is lost.
local function members_of(ev, lossy)
  local kept, left = nil, {}
  if ev.reminders then kept, left = event.fit_reminders(ev.reminders, REMINDERS) end
  table.move(left, 1, #left, #lossy + 1, lossy)
  local out = {
    subject = ev.title, isAllDay = ev.start.date ~= nil, start = zoned(ev.start), ["end"] = zoned(ev.finish),
    showAs = ev.status == "tentative" and ev.busy == "busy" and "tentative" or SHOW_AS[ev.busy],
    sensitivity = ev.visibility and (SENSITIVITY[ev.visibility] or "normal"), categories = ev.categories,
  }
  if ev.description then out.body = { contentType = ev.description_format or "text", content = ev.description } end
  if ev.location then out.location = { displayName = ev.location } end
  if kept then out.isReminderOn, out.reminderMinutesBeforeStart = #kept > 0, kept[1] and kept[1].minutes end
  if ev.color and ev.color ~= "" then
    lossy[#lossy + 1] = "The color is left out: Outlook colors events by their categories only."
  end
  if ev.attendees and #ev.attendees > 0 then
    lossy[#lossy + 1] = "The guests are left out: Outlook would write to them."
  end
  local rule = ev.recurrence
  if not rule then return out end
  if #(rule.rdate or {}) > 0 or (rule.rrule or "") == "" then return unsupported("it has dates outside of a rule") end
  if not ev.start.date and out.start.timeZone == "UTC" and ev.start.tz ~= "Etc/UTC" and ev.start.tz ~= "UTC" then
    return unsupported("Windows has no time zone like " .. ev.start.tz)
  end
  local err
  out.recurrence, err = pattern_of(rule.rrule, ev.start)
  if not out.recurrence then return nil, err end
  if not ev.start.date then out.recurrence.range.recurrenceTimeZone = out.start.timeZone end
  return out
end

--- The host's marks over those that are there; nil when nothing changes.
local function marks_with(old, ev)
  old = old or { marks = {} }
  local new = { url = ev.url or old.url, marks = {} }
  for _, marks in ipairs({ old.marks or {}, ev.marks or {} }) do
    for name, value in pairs(marks) do new.marks[name] = value end
  end
  if new.url == "" then new.url = nil end
  return not is_same(new, old) and new or nil
end

local function property(id, value) return { id = id, value = value } end

local function matching(etag) return etag ~= "" and { ["If-Match"] = etag } or nil end

--- Graph writes to guests whatever the caller wants, and the host never lets it.
local function has_guests(raw)
  if raw.isOrganizer == false or #(raw.attendees or {}) == 0 then return nil end
  return { code = "unsupported", message = "Outlook would write to the event's guests; it is left as it is." }
end

local function remove(ctx, calendar, raw, etag)
  local problem = has_guests(raw)
  if problem then return nil, problem end
  local done, err = ask(ctx, "DELETE", item(calendar, raw.id), { headers = matching(etag) })
  if not done and err.code ~= "not_found" then return nil, err end
  return true
end

--- Takes away what the wanted series leaves out and the stored one still has.
local function take_away(ctx, calendar, raw, wanted)
  local is_gone = {}
  for _, slot in ipairs(neutral(raw).recurrence.exdate) do is_gone[key_of(slot)] = true end
  for _, slot in ipairs(wanted) do
    if not is_gone[key_of(slot)] then
      local occurrence, err = find_occurrence(ctx, calendar, raw.id, slot)
      if occurrence then occurrence, err = remove(ctx, calendar, occurrence, "") end
      if not occurrence and err.code ~= "not_found" then return nil, err end
    end
  end
  return true
end

--- What a write gives. A series is read again: it may have lost occurrences, and Graph tells that only then.
local function written(ctx, calendar, raw, ev, marks, lossy)
  if raw.type ~= "seriesMaster" then return { event = neutral(raw, marks), lossy = lossy } end
  local wanted = ev.recurrence and ev.recurrence.exdate or {}
  local series, err = read_series(ctx, calendar, raw.id)
  if series and #wanted > 0 then
    local done, problem = take_away(ctx, calendar, series, wanted)
    if not done then return nil, problem end
    series, err = read_series(ctx, calendar, raw.id)
  end
  if not series then return nil, err end
  return { event = neutral(series), lossy = lossy }
end

--- What differs from `raw`, so that a series keeps its exceptions and a meeting the text that Outlook put in.
local function patch_of(raw, ev, wanted)
  local stored, patch = neutral(raw), {}
  for _, name in ipairs({ "title", "description", "location" }) do stored[name] = stored[name] or "" end
  local before = members_of(stored, {}) or {}
  for name, value in pairs(wanted) do
    if not is_same(value, before[name]) then patch[name] = value end
  end
  if ev.recurrence == false and filled(raw.recurrence) then patch.recurrence = json.null end
  -- Graph reads each of these with the others.
  if patch.start or patch["end"] or patch.isAllDay ~= nil or patch.recurrence then
    patch.start, patch["end"], patch.isAllDay = wanted.start, wanted["end"], wanted.isAllDay
  end
  return patch
end

--- Makes of the stored event the wanted one.
local function change(ctx, calendar, raw, ev, etag)
  if etag ~= "" and etag ~= raw["@odata.etag"] then
    return nil, { code = "conflict", message = "The event has changed in Outlook meanwhile." }
  end
  local lossy = {}
  local wanted, err = members_of(ev, lossy)
  if not wanted then return nil, err end
  local patch, old = patch_of(raw, ev, wanted), marks_of(raw)
  local marks = marks_with(old, ev)
  if marks then patch.singleValueExtendedProperties = { property(MARKS, json.encode(marks)) } end
  if next(patch) then
    local problem = has_guests(raw)
    if problem then return nil, problem end
    raw, err = ask(ctx, "PATCH", item(calendar, raw.id), { json = patch, headers = matching(etag) })
    if not raw then return nil, err end
  end
  return written(ctx, calendar, raw, ev, marks or old, lossy)
end

--- Changes one occurrence of a series, or takes it away.
local function write_override(ctx, calendar, ev)
  local slot = ev.recurrence_id
  local raw, err = find_occurrence(ctx, calendar, ev.series_id, slot)
  if not raw and (ev.status ~= "cancelled" or err.code ~= "not_found") then return nil, err end
  if ev.status ~= "cancelled" then return change(ctx, calendar, raw, ev, "") end
  if raw then
    local done, problem = remove(ctx, calendar, raw, "")
    if not done then return nil, problem end
  end
  return {
    event = event.new({
      id = raw and raw.id or ical.occurrence_id(ev.series_id, slot), status = "cancelled",
      start = slot, finish = slot, series_id = ev.series_id, recurrence_id = slot,
    }),
  }
end

--- The event that was made for this key; false where there is none.
local function find_by_key(ctx, calendar, digest)
  local test = "singleValueExtendedProperties/Any(ep: ep/id eq '%s' and ep/value eq '%s')"
  local query = { ["$filter"] = string.format(test, KEY, digest), ["$expand"] = EXPAND_MARKS }
  local body, err = ask(ctx, "GET", home(calendar) .. "/events", { query = query })
  if not body then return nil, err end
  return body.value[1] or false
end

--- Creates an event once for each key. Graph refuses a transactionId that it has seen, for as long as it remembers; the
--- key is also a property of the event, so that a later attempt finds it.
function M.create_event(ctx, calendar, ev, key)
  if ev.series_id then return write_override(ctx, calendar, ev) end
  local lossy = {}
  local out, err = members_of(ev, lossy)
  if not out then return nil, err end
  local digest = crypto.sha256(key):sub(1, 40)
  local marks = marks_with(nil, ev)
  out.singleValueExtendedProperties = { property(KEY, digest), marks and property(MARKS, json.encode(marks)) }
  -- An event that was deleted may leave its transactionId behind: then the next one is tried.
  for attempt = 1, 3 do
    local existing, problem = find_by_key(ctx, calendar, digest)
    if existing == nil then return nil, problem end
    if existing then return written(ctx, calendar, existing, ev, nil, lossy) end
    out.transactionId = "calhost:" .. digest .. (attempt > 1 and ":" .. attempt or "")
    local raw
    raw, err = ask(ctx, "POST", home(calendar) .. "/events", { json = out })
    if raw then return written(ctx, calendar, raw, ev, marks, lossy) end
    if err.code ~= "already_exists" then return nil, err end
    local twin = err.existing and fetch(ctx, calendar, err.existing)
    if twin then return written(ctx, calendar, twin, ev, nil, lossy) end
  end
  return nil, { code = "already_exists", message = "Outlook says that the event is there, and does not show it." }
end

--- Changes an event.
function M.update_event(ctx, calendar, id, ev, etag)
  local raw, err = fetch(ctx, calendar, id)
  if not raw then return nil, err end
  return change(ctx, calendar, raw, ev, etag)
end

--- Deletes an event, or takes one occurrence out of its series.
function M.delete_event(ctx, calendar, id, etag)
  local raw, err = fetch(ctx, calendar, id)
  if raw then return remove(ctx, calendar, raw, etag) end
  return err.code == "not_found" or nil, err
end

-- Channels ---------------------------------------------------------------------------------------------------------

-- An hour less than the seven days that Graph allows.
local LIFE = 7 * DAY - 3600000
local LIFECYCLE = { reauthorizationRequired = "expires", subscriptionRemoved = "lost", missed = "missed" }

local function channel_of(raw) return { resource = raw.id, expires_at = raw.expirationDateTime } end

--- Watches the whole mailbox: Graph has no channel for one calendar. The channel's id travels with the secret, because
--- one message may hold news of several.
function M.open_channel(ctx, _, request)
  local sent = {
    changeType = "created,updated,deleted", resource = "me/events", notificationUrl = request.url,
    lifecycleNotificationUrl = request.url, clientState = request.id .. "." .. request.secret,
    expirationDateTime = time.format(time.now() + LIFE), latestSupportedTlsVersion = "v1_2",
  }
  if #sent.clientState > 128 then return nil, { code = "invalid", message = "The channel's secret is too long." } end
  local raw, err = ask(ctx, "POST", "/subscriptions", { json = sent })
  if not raw then return nil, err end
  return channel_of(raw)
end

--- The same channel for another week; `not_found` when Graph has dropped it.
function M.renew_channel(ctx, _, _, known)
  local sent = { expirationDateTime = time.format(time.now() + LIFE) }
  local raw, err = ask(ctx, "PATCH", "/subscriptions/" .. event.escape(known.resource), { json = sent })
  if not raw then return nil, err end
  return channel_of(raw)
end

function M.close_channel(ctx, _, known)
  local done, err = ask(ctx, "DELETE", "/subscriptions/" .. event.escape(known.resource))
  if not done and err.code ~= "not_found" then return nil, err end
  return true
end

--- A handshake, whose token goes back as it came, or news of channels.
function M.read_notification(request)
  local token = request.query.validationToken
  if token then
    if token:find("[^%g ]") then return nil, { code = "invalid", message = "The validation token is no text." } end
    return { reply = { status = 200, headers = { ["Content-Type"] = "text/plain" }, body = token } }
  end
  local body = json.decode(request.body)
  if type(body) ~= "table" or type(body.value) ~= "table" then
    return nil, { code = "invalid", message = "This is no notification of Graph." }
  end
  local channels = {}
  for _, notice in ipairs(body.value) do
    local id, secret = tostring(notice.clientState):match("^([^.]+)%.(.+)$")
    local what = LIFECYCLE[notice.lifecycleEvent] or "changed"
    if id then channels[#channels + 1] = { id = id, secret = secret, what = what } end
  end
  return { channels = channels }
end

return M
