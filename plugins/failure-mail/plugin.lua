-- Tells people by mail when one of their calendars needs them, with the link to connect it again.
-- Once for each time that it stops working, however often the host tries.
local config, template = require("host.config"), require("host.template")
local M = {
  id = "failure-mail", title = "Mail about calendars that need attention", api = 1,
  needs = { "mail", "users", "connections" },
}

local MONTH = 30 * 24 * 60 * 60
local TITLES = { google = "Google", outlook = "Outlook", caldav = "CalDAV" }

local SUBJECT = "Your {{provider}} calendar needs you"
local TEXT = [[
{{error}}

{{#if email}}
Account: {{email}}
{{/if}}
Until then bookings do not reach it. Connect it again here, and what waited is written:
{{link}}
]]

local OPERATOR_SUBJECT = "A {{provider}} calendar needs attention"
local OPERATOR_TEXT = [[
{{error}}

Connection: {{connection.id}} ({{connection.provider}})
User: {{user_id}}
State: {{state}}
{{#if untold}}
The person was not told: {{untold}}
{{/if}}
]]

--- The operator's own words, or ours when they make no sense.
local function render(ctx, own, built_in, values)
  local text, err = template.render(own or built_in, values)
  if text then return text end
  ctx.log:error("A text of failure-mail makes no sense; the built-in one is sent", { error = err.message })
  return template.render(built_in, values)
end

--- A mail that was sent already is not sent again when the job is. One that the server refuses for
--- good counts as sent: trying again would not help.
local function send(ctx, event, whom, mail)
  local mark = ("told/%s/%s/%s"):format(event.connection.id, event.at, whom)
  if ctx.store:get(mark) then return true end
  mail.key = table.concat({ event.connection.id, event.at, whom }, "-"):gsub("%W", "-")
  local sent, err = ctx.mail:send(mail)
  if not sent and err.code ~= "invalid" then return nil, err end
  if not sent then
    ctx.log:warning("A mail was refused", { userId = event.user_id, whom = whom, error = err.message })
  end
  return ctx.store:put(mark, true, { ttl = MONTH })
end

--- Why nothing is sent to the person, or nil.
local function obstacle(user)
  if not user then return "the account is gone" end
  if user.is_email_verified or config.to_unverified then return nil end
  return "the mail address is not verified"
end

local function tell_person(ctx, event, user, values)
  return send(ctx, event, "person", {
    to = user.email,
    subject = render(ctx, config.subject, SUBJECT, values),
    text = render(ctx, config.text, TEXT, values),
  })
end

local function tell_operator(ctx, event, values)
  if not config.operator then return true end
  return send(ctx, event, "operator", {
    to = config.operator,
    subject = template.render(OPERATOR_SUBJECT, values),
    text = template.render(OPERATOR_TEXT, values),
  })
end

M.hooks = {
  ["connection.failed"] = function(ctx, event)
    local row = ctx.connections:get(event.connection.id)
    -- Gone, or connected again, before this ran.
    if not row or row.state == "active" or row.state == "paused" then return true end
    -- It failed before in another way, and was told then.
    if event.was == "needs_reauth" or event.was == "error" then return true end
    local user = ctx.users:get(event.user_id)
    local values = {
      provider = TITLES[row.provider] or row.provider, email = row.email, error = event.error, link = config.link,
      connection = event.connection, user_id = event.user_id, state = event.state, untold = obstacle(user),
    }
    if not values.untold then
      local told, err = tell_person(ctx, event, user, values)
      if not told then return nil, err end
    end
    return tell_operator(ctx, event, values)
  end,
}

return M
