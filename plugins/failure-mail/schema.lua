-- The keys of `plugins.failure-mail` in calhost.yaml.
return {
  fields = {
    { name = "link", type = "url", required = true, title = "The page on which people connect their calendars" },
    { name = "operator", type = "string", title = "Mail address that hears of each failure too" },
    { name = "to_unverified", type = "boolean", default = false,
      title = "Write to addresses that nobody has verified, too: only where nobody can register as somebody else" },
    { name = "subject", type = "string", title = "Your own subject" },
    { name = "text", type = "string", title = "Your own text" },
  },
}
