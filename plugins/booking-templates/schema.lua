-- The keys of `plugins.booking-templates` in calhost.yaml.
local text = {
  type = "map", fields = {
    { name = "title", type = "string", title = "One line, such as \"{{subject}} with {{other.name}}\"" },
    { name = "description", type = "string", title = "The text of the event" },
  },
}
return {
  fields = {
    {
      name = "texts", type = "map", title = "Your own texts: language, then role, then title and description",
      values = {
        type = "map", fields = {
          { name = "client", type = "map", fields = text.fields },
          { name = "tutor", type = "map", fields = text.fields },
        },
      },
    },
  },
}
