-- When people are reminded of a booking. No answer: as the plugin or the calendar itself has it.
rule:on("booking.reminders", function(booking, person)
  return {
    { method = "email", minutes = 24 * 60 },
    { method = "popup", minutes = 60 },
    { method = "popup", minutes = 15 },
  }
end)
