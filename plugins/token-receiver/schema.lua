-- The keys of `plugins.token-receiver` in calhost.yaml.
return {
  fields = {
    { name = "secret", type = "string", secret = true, title = "What the sender signs with" },
    { name = "account", type = "string", default = "received", title = "Label that the connections get here" },
    {
      name = "users", type = "map", title = "The sender's user id: e-mail address of the user here",
      values = { type = "string" },
    },
  },
}
