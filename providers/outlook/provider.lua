-- Outlook by Microsoft Graph, v1.0. Facts: learn.microsoft.com/graph (event, calendarView delta, subscription).
local json, event, html = require("host.json"), require("host.event"), require("host.html")
local time, crypto = require("host.time"), require("host.crypto")

---@type host.Provider
local M = { id = "outlook", title = "Outlook", api = 1, base_url = "https://graph.microsoft.com/v1.0" }

M.can = {
  incremental = true,
  windowed_feed = true,
  push = true,
  chosen_id = false,
  quiet_attendees = false, -- so what has guests is not touched
  reminders = 1,
  reminder_methods = { "popup" },
  recurrence_limits = { "no RDATE, no fifth weekday, one day of the month" },
  conditional_writes = true,
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

-- Recurrence -------------------------------------------------------------------------------------------------------

local FREQUENCY = {
  daily = "DAILY", weekly = "WEEKLY", absoluteMonthly = "MONTHLY", relativeMonthly = "MONTHLY",
  absoluteYearly = "YEARLY", relativeYearly = "YEARLY",
}
local CODES = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" }
local DAYS = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" }
local NUMBER = {} -- of a day, by its code or name: 1 is Monday
for i, code in ipairs(CODES) do NUMBER[code], NUMBER[DAYS[i]] = i, i end
local INDICES = { "first", "second", "third", "fourth", [-1] = "last" }
local POSITION = {}
for position, index in pairs(INDICES) do POSITION[index] = position end
local MOST = 999 -- occurrences or intervals
local DAY = 86400000

--- "2026-11-20" of a time, and its year, month and day.
local function date_of(at)
  local text = at.date or at["local"]:sub(1, 10)
  return text, tonumber(text:sub(1, 4)), tonumber(text:sub(6, 7)), tonumber(text:sub(9, 10))
end

--- 1 for a Monday.
local function weekday(date) return (time.parse(date .. "T00:00:00Z") // DAY + 3) % 7 + 1 end

local function month_length(year, month)
  local next_month = month == 12 and string.format("%04d-01", year + 1) or string.format("%04d-%02d", year, month + 1)
  local first = string.format("%04d-%02d", year, month)
  return (time.parse(next_month .. "-01T00:00:00Z") - time.parse(first .. "-01T00:00:00Z")) // DAY
end

--- "20261120T090000Z"
local function basic(millis) return (time.format(millis):gsub("[-:]", "")) end

--- Outlook takes the last day of months that are too short; RFC 5545 alone would leave them out.
local function month_day(day, always_there)
  if day <= 28 or always_there then return "BYMONTHDAY=" .. day end
  local list = { 28 }
  for i = 29, day do list[#list + 1] = i end
  return "BYMONTHDAY=" .. table.concat(list, ",") .. ";BYSETPOS=-1"
end

local function codes_of(days)
  local set, codes = {}, {}
  for _, day in ipairs(days) do set[day] = true end
  for i, day in ipairs(DAYS) do
    if set[day] then codes[#codes + 1] = CODES[i] end
  end
  return codes
end

--- Graph's recurrence of a series that begins at `start` as a rule of RFC 5545.
local function rule_of(recurrence, start)
  local pattern, range = recurrence.pattern, recurrence.range
  local kind, parts = pattern.type, { "FREQ=" .. FREQUENCY[pattern.type] }
  local function put(text) parts[#parts + 1] = text end
  if pattern.interval > 1 then put("INTERVAL=" .. pattern.interval) end
  if kind:find("Yearly$") then put("BYMONTH=" .. pattern.month) end
  if kind:find("^absolute") then
    put(month_day(pattern.dayOfMonth, kind == "absoluteYearly" and pattern.month ~= 2))
  elseif kind:find("^relative") then
    local codes, position = codes_of(pattern.daysOfWeek), POSITION[pattern.index] or 1
    put(#codes == 1 and ("BYDAY=" .. position .. codes[1])
      or ("BYDAY=" .. table.concat(codes, ",") .. ";BYSETPOS=" .. position))
  elseif kind == "weekly" then
    put("BYDAY=" .. table.concat(codes_of(pattern.daysOfWeek), ","))
    local first = CODES[NUMBER[pattern.firstDayOfWeek] or 7]
    if pattern.interval > 1 and first ~= "MO" then put("WKST=" .. first) end
  end
  if range.type == "numbered" then
    put("COUNT=" .. range.numberOfOccurrences)
  elseif range.type == "endDate" and start.date then
    put("UNTIL=" .. range.endDate:gsub("-", ""))
  elseif range.type == "endDate" then
    put("UNTIL=" .. basic(event.wall(range.endDate .. start["local"]:sub(11), start.tz).instant))
  end
  return table.concat(parts, ";")
end

local function unsupported(why)
  return nil, { code = "unsupported", message = "Outlook cannot repeat an event like this: " .. why .. "." }
end

--- Reads "MO,2TU": the names of the days, and the position that one of them has.
local function read_days(list)
  local days, position = {}, nil
  for number, code in list:gmatch("([+-]?%d*)(%u%u)") do
    days[#days + 1] = DAYS[NUMBER[code]]
    position = tonumber(number) or position
  end
  return days, position
end

--- True if a day of the month is the one that the pattern means.
local function is_hit(pattern, date, year, month, day)
  local length = month_length(year, month)
  if pattern.dayOfMonth then return day == math.min(pattern.dayOfMonth, length) end
  local wanted, before, after = {}, 0, 0
  for _, name in ipairs(pattern.daysOfWeek) do wanted[NUMBER[name]] = true end
  local first = weekday(date) - day
  for i = 1, length do
    if wanted[(first + i - 1) % 7 + 1] then
      if i < day then before = before + 1 elseif i > day then after = after + 1 end
    end
  end
  if not wanted[weekday(date)] then return false end
  if pattern.index == "last" then return after == 0 end
  return INDICES[before + 1] == pattern.index
end

--- What a rule says of the days in a month, put into `pattern`; else why that cannot be.
local function put_month_days(pattern, take, month, day)
  local by_day, by_month_day, at = take("BYDAY"), take("BYMONTHDAY"), tonumber(take("BYSETPOS"))
  if by_day then
    if by_month_day then return "it wants days of the week and of the month" end
    local days, position = read_days(by_day)
    if position and (#days > 1 or at) then return "several days of the week have their own places" end
    pattern.daysOfWeek, pattern.index = days, INDICES[position or at]
    if not pattern.index then return "a weekday is first, second, third, fourth or last there" end
    return
  end
  by_month_day = by_month_day or tostring(day)
  local is_clamped = at == -1 and by_month_day:find("^28,") ~= nil or by_month_day == "-1"
  local last = tonumber(is_clamped and by_month_day:match(",(%d+)$") or by_month_day)
  if by_month_day == "-1" then last = 31 end
  if not last or last < 1 or (at and not is_clamped) then return "it has several days in a month" end
  if not is_clamped and last > (month == 2 and 28 or month and 31 or 28) then
    return "months without a day " .. last .. " would get it on their last one"
  end
  pattern.dayOfMonth = last
end

--- A rule of RFC 5545 as Graph's pattern for a series that begins at `start`.
local function pattern_of(rrule, start)
  local rule = {}
  for name, value in rrule:gmatch("(%w+)=([^;]+)") do rule[name] = value end
  local function take(name)
    local value = rule[name]
    rule[name] = nil
    return value
  end
  local date, year, month, day = date_of(start)
  local frequency, interval, range = take("FREQ"), tonumber(take("INTERVAL") or 1), { startDate = date }
  local pattern = { interval = interval }
  local count, last = tonumber(take("COUNT")), take("UNTIL")
  local week_start = DAYS[NUMBER[take("WKST") or "MO"]]
  if frequency == "DAILY" and not rule.BYDAY then
    pattern.type = "daily"
  elseif frequency == "WEEKLY" or (frequency == "DAILY" and interval == 1) then
    pattern.type, pattern.firstDayOfWeek = "weekly", week_start
    pattern.daysOfWeek = read_days(take("BYDAY") or CODES[weekday(date)])
    local codes = table.concat(codes_of(pattern.daysOfWeek), ",")
    if not codes:find(CODES[weekday(date)], 1, true) then return unsupported("its first day is none of the rule's") end
  elseif frequency == "MONTHLY" or frequency == "YEARLY" then
    local is_yearly, by_month = frequency == "YEARLY", take("BYMONTH")
    if is_yearly and (by_month or month) ~= month and tonumber(by_month) ~= month or by_month and not is_yearly then
      return unsupported("its months are not the one that it begins in")
    end
    if is_yearly and rule.BYDAY and not by_month then return unsupported("it counts weekdays through a year") end
    local why = put_month_days(pattern, take, is_yearly and month, day)
    if why then return unsupported(why) end
    pattern.type = (pattern.dayOfMonth and "absolute" or "relative") .. (is_yearly and "Yearly" or "Monthly")
    if is_yearly then pattern.month = month end
    if pattern.daysOfWeek then pattern.firstDayOfWeek = week_start end
    if not is_hit(pattern, date, year, month, day) then return unsupported("its first day is none of the rule's") end
  else
    return unsupported("Outlook knows days, weeks, months and years")
  end
  local left = next(rule)
  if left then return unsupported("its rule has " .. left) end
  if interval > MOST or (count or 0) > MOST then return unsupported("it goes beyond " .. MOST) end
  range.type = count and "numbered" or last and "endDate" or "noEnd"
  range.numberOfOccurrences = count
  if last then
    local moment = last:gsub("^(%d%d%d%d)(%d%d)(%d%d)", "%1-%2-%3")
    if not start.date and #last > 8 then
      moment = moment:gsub("T(%d%d)(%d%d)", "T%1:%2:")
      moment = (last:find("Z$") and event.instant(moment, start.tz) or event.wall(moment, start.tz))["local"]
      -- The end names a day, and the occurrence of that day is meant with it.
      if moment:sub(11) < start["local"]:sub(11) then
        moment = time.format(time.parse(moment:sub(1, 10) .. "T00:00:00Z") - DAY)
      end
    end
    range.endDate = moment:sub(1, 10)
    if range.endDate < date then range.type, range.endDate, range.numberOfOccurrences = "numbered", nil, 1 end
  end
  return { pattern = pattern, range = range }
end

-- Answers ----------------------------------------------------------------------------------------------------------

local function filled(value)
  if value ~= json.null and value ~= "" then return value end
end

--- Graph's error body as a code of the host: its own code decides first, the status second.
local function failure(answer)
  local body = json.decode(answer.body)
  local code = type(body) == "table" and type(body.error) == "table" and body.error.code or nil
  local by_code = {
    erroritemnotfound = "not_found", resourcenotfound = "not_found", errorduplicatetransactionid = "already_exists",
    errorirresolvableconflict = "conflict", syncstatenotfound = "cursor_expired", syncstateinvalid = "cursor_expired",
    resyncrequired = "cursor_expired", applicationthrottled = "rate_limited", toomanyrequests = "rate_limited",
    errorinvalididmalformed = "not_found", mailboxnotenabledforrestapi = "forbidden",
    mailboxnotsupportedforrestapi = "forbidden",
  }
  local by_status = {
    [400] = "invalid", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [409] = "conflict",
    [410] = "not_found", [412] = "conflict", [422] = "invalid", [429] = "rate_limited", [509] = "rate_limited",
  }
  local meaning = by_code[type(code) == "string" and code:lower()] or by_status[answer.status]
  if answer.status >= 500 and answer.retry_after then meaning = "rate_limited" end
  meaning = meaning or (answer.status >= 500 and "unavailable") or "invalid_response"
  local message = "Outlook answered " .. answer.status .. (type(code) == "string" and (" " .. code) or "")
  local existing = type(body) == "table" and type(body.error) == "table" and body.error["@event.existingEventId"]
  return nil, { code = meaning, message = message, retry_after = answer.retry_after, existing = existing or nil }
end

--- One call. Ids stay what they are when an event moves, and times are told in UTC, only where each request asks for
--- it. Gives the body of a good answer (true when there is none), or `nil, err`.
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

--- A link as a path: where the API is mounted may change between two runs.
local function below(ctx, link)
  local api = ctx.config.endpoints.api
  return link and (link:sub(1, #api) == api and link:sub(#api + 1) or link)
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
  return event.date(event.instant(moment .. "Z", zone)["local"]:sub(1, 10))
end

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

local function attendees_of(raw)
  local list = {}
  for i, a in ipairs(raw.attendees or {}) do
    list[i] = {
      email = a.emailAddress and filled(a.emailAddress.address), name = a.emailAddress and filled(a.emailAddress.name),
      role = a.type, response = a.status and RESPONSE[a.status.response],
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
    if day then
      exdate[#exdate + 1] = start.date and event.date(day) or event.wall(day .. start["local"]:sub(11), start.tz)
    end
  end
  return { rrule = rule_of(raw.recurrence, start), exdate = exdate }
end

local function busy_of(raw)
  local own = raw.responseStatus and raw.responseStatus.response
  if own == "declined" then return "free" end
  return BUSY[raw.showAs] or "busy"
end

--- Graph's event as the neutral one.
local function neutral(raw, marks)
  local rule = filled(raw.recurrence)
  local name = rule and filled(rule.range.recurrenceTimeZone) or filled(raw.originalStartTimeZone)
  local zone = name and time.to_iana(name) or "Etc/UTC"
  local start = time_of(raw.start, raw.isAllDay, zone)
  local slot = slot_of(raw, zone)
  local description, format = description_of(raw.body)
  marks = marks or marks_of(raw)
  return event.new({
    id = raw.id,
    etag = raw["@odata.etag"],
    uid = not slot and filled(raw.iCalUId) or nil, -- of an occurrence it is not the series'
    title = filled(raw.subject),
    description = description,
    description_format = format,
    location = raw.location and filled(raw.location.displayName),
    url = marks and marks.url,
    start = start,
    finish = time_of(raw["end"], raw.isAllDay, zone),
    busy = busy_of(raw),
    status = raw.isCancelled and "cancelled" or (raw.showAs == "tentative" and "tentative" or "confirmed"),
    visibility = VISIBILITY[raw.sensitivity] or "default",
    categories = raw.categories,
    reminders = raw.isReminderOn and { { method = "popup", minutes = raw.reminderMinutesBeforeStart } } or {},
    recurrence = rule and recurrence_of(raw, start),
    series_id = filled(raw.seriesMasterId),
    recurrence_id = slot,
    attendees = attendees_of(raw),
    organizer = raw.organizer and raw.organizer.emailAddress and filled(raw.organizer.emailAddress.address),
    is_organizer = raw.isOrganizer ~= false,
    created = filled(raw.createdDateTime),
    updated = filled(raw.lastModifiedDateTime),
    marks = marks and marks.marks,
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

local function is_same_time(a, b)
  if a.date or b.date then return a.date == b.date end
  return a.instant == b.instant
end

--- "20261120" or "20261120T090000Z" as a time.
local function time_of_slot(text)
  local date = text:gsub("^(%d%d%d%d)(%d%d)(%d%d)", "%1-%2-%3")
  if #text == 8 then return event.date(date) end
  return event.instant(date:gsub("T(%d%d)(%d%d)", "T%1:%2:"), "Etc/UTC")
end

--- The occurrence of a series that was at `slot` in the beginning, wherever it is now.
local function find_occurrence(ctx, calendar, series_id, slot)
  local begin = slot.date and time.parse(slot.date .. "T00:00:00Z") or slot.instant
  local query = { ["$top"] = 100, ["$expand"] = EXPAND_MARKS }
  query.startDateTime, query.endDateTime = time.format(begin - DAY), time.format(begin + 2 * DAY)
  local function find(list)
    for _, raw in ipairs(list or {}) do
      local own = slot_of(raw, "Etc/UTC")
      if own and is_same_time(own, slot) then return raw end
    end
  end
  local near, err = ask(ctx, "GET", item(calendar, series_id) .. "/instances", { query = query })
  if not near then return nil, err end
  local found = find(near.value)
  if found then return found end
  local series, problem = read_series(ctx, calendar, series_id)
  if not series then return nil, problem end
  found = find(series.exceptionOccurrences)
  if found then return found end
  return nil, { code = "not_found", message = "The series has no such occurrence in Outlook." }
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

--- Who granted the access. Not every work account has its address among the claims.
function M.identity(ctx)
  local body, err = ask(ctx, "GET", ctx.config.endpoints.userinfo)
  if not body then return nil, err end
  if filled(body.email) then return { id = body.sub, email = body.email, name = filled(body.name) } end
  local me, problem = ask(ctx, "GET", "/me")
  if not me then return nil, problem end
  return { id = body.sub, email = filled(me.mail) or me.userPrincipalName, name = filled(me.displayName) }
end

--- The zone of the mailbox; calendars have none. False where the tenant does not let it be read, or `nil, err`.
local function mailbox_zone(ctx)
  local settings, err = ask(ctx, "GET", "/me/mailboxSettings")
  if settings then return filled(settings.timeZone) and time.to_iana(settings.timeZone) or false end
  if err.code == "forbidden" then return false end
  return nil, err
end

--- Every calendar of the mailbox, pages followed to the end.
function M.list_calendars(ctx)
  local list, url, query = {}, "/me/calendars", { ["$top"] = 100 }
  local zone, problem = mailbox_zone(ctx)
  if zone == nil then return nil, problem end
  repeat
    local body, err = ask(ctx, "GET", url, { query = query })
    if not body then return nil, err end
    for _, raw in ipairs(body.value) do
      list[#list + 1] = {
        id = raw.id, name = raw.name, primary = raw.isDefaultCalendar == true, read_only = raw.canEdit == false,
        color = filled(raw.hexColor), time_zone = zone or nil,
      }
    end
    url, query = below(ctx, body["@odata.nextLink"]), nil
  until not url
  return list
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

--- Series that changed since then. Deleting an occurrence changes its series, and the feed names only the occurrence.
local function add_changed_series(ctx, calendar, since, series)
  local url = home(calendar) .. "/events"
  local query = {
    ["$filter"] = "type eq 'seriesMaster' and lastModifiedDateTime ge " .. since, ["$select"] = "id", ["$top"] = 100,
  }
  repeat
    local body, err = ask(ctx, "GET", url, { query = query })
    if not body then return nil, err end
    for _, raw in ipairs(body.value) do series[#series + 1] = raw.id end
    url, query = below(ctx, body["@odata.nextLink"]), nil
  until not url
  return true
end

--- What the feed says is gone may only have left the window, and may be an occurrence: each is looked up.
local function look_up(ctx, calendar, removed, series)
  local is_any_gone = false
  for _, id in ipairs(removed) do
    local query = { ["$select"] = "id,type,seriesMasterId" }
    local raw, err = ask(ctx, "GET", item(calendar, id), { query = query })
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
  return true, is_any_gone
end

--- Changes since `cursor`, or what is in `window` when it is nil; the links hold the window. A series is read whole as
--- soon as anything of it turns up, since the feed has only the occurrences in the window, and not their marks. `seen`
--- are those that this round has read.
function M.list_changes(ctx, calendar, cursor, page, window)
  local at = page and json.decode(page) or cursor and json.decode(cursor)
  local round = page and at or { since = at and at.since, began = time.format(time.now() - 600000), seen = {} }
  local query = nil
  if not at then query = { startDateTime = window.start, endDateTime = window.finish } end
  -- For the mailbox's own calendar the shorter path is the documented one.
  local feed = (calendar.id == "primary" and "/me" or home(calendar)) .. "/calendarView/delta"
  local link = at and at.link or feed
  local body, items = ask(ctx, "GET", link, { query = query }, "value")
  if not body then
    -- A state that Graph has lost is also answered with 400.
    if at and (items.code == "not_found" or items.code == "invalid") then items.code = "cursor_expired" end
    return nil, items
  end
  local series, removed = {}, {}
  for raw in items do
    if raw["@removed"] then
      removed[#removed + 1] = raw.id
    elseif raw.type == "seriesMaster" then
      series[#series + 1] = raw.id
    elseif filled(raw.seriesMasterId) then
      series[#series + 1] = raw.seriesMasterId
    elseif tostring(raw.transactionId):find("^calhost") then
      local own, err = read_event(ctx, calendar, raw.id)
      if not own and err.code ~= "not_found" then return nil, err end
      ctx.changes:add(neutral(own or raw))
    else
      ctx.changes:add(neutral(raw))
    end
  end
  local done, found = look_up(ctx, calendar, removed, series)
  if done and found and round.since then done, found = add_changed_series(ctx, calendar, round.since, series) end
  if not done then return nil, found end
  for _, id in ipairs(series) do
    if not round.seen[id] then
      local added, err = add_series(ctx, calendar, id)
      if not added then return nil, err end
      round.seen[id] = true
    end
  end
  local onward = below(ctx, filled(body["@odata.nextLink"]))
  if onward then
    return { page = json.encode({ link = onward, since = round.since, began = round.began, seen = round.seen }) }
  end
  local delta = below(ctx, filled(body["@odata.deltaLink"]))
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
  return { page = below(ctx, filled(body["@odata.nextLink"])), time_zone = zone or nil }
end


--- An event as a whole: a series with what became of its occurrences. An id that the host made of a series' and of a
--- slot finds that occurrence.
local function fetch(ctx, calendar, id)
  local series_id, slot = id:match("^(.+)_(%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ)$")
  if not series_id then series_id, slot = id:match("^(.+)_(%d%d%d%d%d%d%d%d)$") end
  if series_id then return find_occurrence(ctx, calendar, series_id, time_of_slot(slot)) end
  local raw, err = read_event(ctx, calendar, id)
  if raw and raw.type == "seriesMaster" then return read_series(ctx, calendar, id) end
  return raw, err
end

--- Reads one event.
function M.get_event(ctx, calendar, id)
  local raw, err = fetch(ctx, calendar, id)
  if not raw then return nil, err end
  return neutral(raw)
end

--- Busy times of the mailbox's own calendar, as far as Graph tells them: for work accounts, and for less than 42 days.
local function own_schedule(ctx, window)
  if time.parse(window.finish) - time.parse(window.start) >= 42 * DAY then return nil end
  local me, err = ask(ctx, "GET", "/me")
  if not me then return nil, err end
  local function utc(moment) return { dateTime = time.format(time.parse(moment)):sub(1, 19), timeZone = "UTC" } end
  local address = filled(me.mail) or me.userPrincipalName
  local sent = { schedules = json.array({ address }), startTime = utc(window.start), endTime = utc(window.finish) }
  local body, problem = ask(ctx, "POST", "/me/calendar/getSchedule", { json = sent })
  local schedule = body and body.value[1]
  if not schedule or schedule.error then return nil, problem end
  local list = {}
  for _, part in ipairs(schedule.scheduleItems or {}) do
    if part.status ~= "free" then
      local start, finish = part.start.dateTime:sub(1, 19), part["end"].dateTime:sub(1, 19)
      list[#list + 1] = { start = start .. "Z", finish = finish .. "Z" }
    end
  end
  return list
end

--- The moment of a time of an event, as text; a day begins at midnight in the mailbox's zone.
local function moment_of(raw, is_all_day, zone)
  local text = raw.dateTime:sub(1, 19)
  return is_all_day and time.format(event.wall(text, zone).instant) or text .. "Z"
end

local function add_busy(ctx, calendar, window, zone, list)
  local url = home(calendar) .. "/calendarView"
  local query = { ["$top"] = 1000, ["$select"] = "start,end,isAllDay,showAs,isCancelled,responseStatus" }
  query.startDateTime, query.endDateTime = window.start, window.finish
  repeat
    local body, items = ask(ctx, "GET", url, { query = query }, "value")
    if not body then return nil, items end
    for raw in items do
      if not raw.isCancelled and busy_of(raw) ~= "free" then
        local start = moment_of(raw.start, raw.isAllDay, zone)
        list[#list + 1] = { start = start, finish = moment_of(raw["end"], raw.isAllDay, zone) }
      end
    end
    url, query = below(ctx, filled(body["@odata.nextLink"])), nil
  until not url
  return true
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
  if name and event.wall(at["local"], at.tz).instant == at.instant then
    return { dateTime = at["local"], timeZone = name }
  end
  return { dateTime = time.format(at.instant):sub(1, 19), timeZone = "UTC" }
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
  if ev.color and ev.color ~= "" then lossy[#lossy + 1] = "Outlook colours events by their categories only." end
  local rule = ev.recurrence
  if not rule then return out end
  if #(rule.rdate or {}) > 0 or (rule.rrule or "") == "" then return unsupported("it has dates of its own") end
  if not ev.start.date and out.start.timeZone == "UTC" and ev.start.tz ~= "Etc/UTC" and ev.start.tz ~= "UTC" then
    return unsupported("Windows has no time zone like " .. ev.start.tz)
  end
  local recurrence, err = pattern_of(rule.rrule, ev.start)
  if not recurrence then return nil, err end
  if not ev.start.date then recurrence.range.recurrenceTimeZone = out.start.timeZone end
  out.recurrence = recurrence
  return out
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

--- The host's marks over those that are there; nil when nothing changes.
local function marks_with(old, ev)
  local new = { url = ev.url or (old and old.url), marks = {} }
  for name, value in pairs(old and old.marks or {}) do new.marks[name] = value end
  for name, value in pairs(ev.marks or {}) do new.marks[name] = value end
  if new.url == "" then new.url = nil end
  if is_same(new, old or { marks = {} }) then return nil end
  return new
end

local function property(id, value) return { id = id, value = value } end

--- Graph writes to guests whatever the caller wants, and the host never lets it.
local function has_guests(raw)
  if raw.isOrganizer == false or #(raw.attendees or {}) == 0 then return nil end
  return { code = "unsupported", message = "Outlook would write to the event's guests; it is left as it is." }
end

--- Takes away what the wanted series leaves out and the stored one still has.
local function take_away(ctx, calendar, raw, wanted)
  local is_gone = {}
  for _, slot in ipairs(neutral(raw).recurrence.exdate) do is_gone[slot.date or slot.instant] = true end
  for _, slot in ipairs(wanted) do
    if not is_gone[slot.date or slot.instant] then
      local occurrence, err = find_occurrence(ctx, calendar, raw.id, slot)
      if occurrence then occurrence, err = ask(ctx, "DELETE", item(calendar, occurrence.id)) end
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

--- Sends what differs from `raw`, so that a series keeps its exceptions and a meeting the text that Outlook put in.
local function change(ctx, calendar, raw, ev, etag)
  if etag ~= "" and etag ~= raw["@odata.etag"] then
    return nil, { code = "conflict", message = "The event has changed in Outlook meanwhile." }
  end
  local lossy = {}
  local wanted, err = members_of(ev, lossy)
  if not wanted then return nil, err end
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
  local old = marks_of(raw)
  local marks = marks_with(old, ev)
  if marks then patch.singleValueExtendedProperties = { property(MARKS, json.encode(marks)) } end
  if next(patch) then
    local problem = has_guests(raw)
    if problem then return nil, problem end
    local headers = etag ~= "" and { ["If-Match"] = etag } or nil
    local answer
    answer, err = ask(ctx, "PATCH", item(calendar, raw.id), { json = patch, headers = headers })
    if not answer then return nil, err end
    raw = answer
  end
  return written(ctx, calendar, raw, ev, marks or old, lossy)
end

--- Changes one occurrence of a series, or takes it away.
local function write_override(ctx, calendar, ev)
  local raw, err = find_occurrence(ctx, calendar, ev.series_id, ev.recurrence_id)
  if ev.status ~= "cancelled" then
    if not raw then return nil, err end
    return change(ctx, calendar, raw, ev, "")
  end
  if not raw and err.code ~= "not_found" then return nil, err end
  if raw then
    local done, problem = M.delete_event(ctx, calendar, raw.id, "")
    if not done then return nil, problem end
  end
  local slot = ev.recurrence_id
  local id = raw and raw.id or ev.series_id .. "_" .. (slot.date and slot.date:gsub("-", "") or basic(slot.instant))
  return {
    event = event.new({
      id = id, status = "cancelled", start = slot, finish = slot, series_id = ev.series_id, recurrence_id = slot,
    }),
  }
end

--- The event that was made for this key.
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
  if not raw then return err.code == "not_found" or nil, err end
  local problem = has_guests(raw)
  if problem then return nil, problem end
  local headers = etag ~= "" and { ["If-Match"] = etag } or nil
  local done
  done, err = ask(ctx, "DELETE", item(calendar, raw.id), { headers = headers })
  if not done and err.code ~= "not_found" then return nil, err end
  return true
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
