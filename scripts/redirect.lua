-- Where people land after connecting a calendar: a path of the frontend. No answer: /dashboard.
rule:on("connection.redirect", function(user, connection, flow)
  if user.role == "mentor" then return "/dashboard/mentor?tab=calls" end
  if user.role == "mentee" then return "/calls" end
end)
