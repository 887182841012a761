// The sandbox as the tests reach it, and a client of Microsoft's own making that talks to it.
import { createHash, randomBytes } from "node:crypto";
import { Client, RetryHandler } from "@microsoft/microsoft-graph-client";

export const base = process.env.CALHOST_URL;
export const skip = base ? false : "CALHOST_URL is not set: it names a running sandbox host";

const provider = `${base}/sandbox/outlook`;
const redirect = "http://127.0.0.1:8080/api/calendar/auth/outlook/callback";
const identity = {
  client_id: process.env.SANDBOX_CLIENT_ID ?? "sandbox-client",
  client_secret: process.env.SANDBOX_CLIENT_SECRET ?? "sandbox-secret",
};
const scope = "openid profile offline_access User.Read Calendars.ReadWrite MailboxSettings.Read";

/** One call of the control API. */
export async function control(method, path, body) {
  const response = await fetch(`${base}/sandbox/control/outlook${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** One call of the token endpoint. */
export async function askForTokens(fields) {
  const response = await fetch(`${provider}/common/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({ ...identity, ...fields }),
  });
  return { status: response.status, ...(await response.json()) };
}

const real = "https://graph.microsoft.com";

/** The client reads links and sends tokens only where the real Graph is: this stands in between. */
class ToSandbox {
  constructor(token) {
    this.token = token;
  }

  async execute(context) {
    const url = context.request.replace(real, provider);
    const headers = { ...context.options.headers, Authorization: `Bearer ${this.token}` };
    const response = await fetch(url, { ...context.options, headers });
    const text = (await response.text()).replaceAll(provider, real);
    const body = response.status === 204 ? null : text;
    context.response = new Response(body, { status: response.status, headers: response.headers });
  }
}

/** A fresh account with its client, connected by code and PKCE. */
export async function connect() {
  const email = `node-${randomBytes(6).toString("hex")}@contoso.example`;
  await control("POST", "/accounts", { email, name: "Node", time_zone: "Europe/Berlin" });
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: identity.client_id,
    redirect_uri: redirect,
    response_type: "code",
    scope,
    state: "a state & more",
    login_hint: email,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    auto: "allow",
  });
  const consent = await fetch(`${provider}/common/oauth2/v2.0/authorize?${query}`, {
    redirect: "manual",
  });
  const landing = new URL(consent.headers.get("location"));
  const tokens = await askForTokens({
    grant_type: "authorization_code",
    code: landing.searchParams.get("code"),
    redirect_uri: redirect,
    code_verifier: verifier,
  });
  const retry = new RetryHandler();
  retry.setNext(new ToSandbox(tokens.access_token));
  const client = Client.initWithMiddleware({
    middleware: retry,
    baseUrl: real,
    defaultVersion: "v1.0",
  });
  return { email, client, tokens, landing };
}

/** The HTTP status and Graph's code of a call that fails. */
export async function failure(call) {
  try {
    await call;
  } catch (error) {
    return `${error.statusCode} ${error.code}`;
  }
  return "no failure";
}

const at = (clock) => ({ dateTime: `2026-11-23T${clock}:00`, timeZone: "W. Europe Standard Time" });
export const tea = (more = {}) => ({ subject: "Tea", start: at("10:00"), end: at("11:00"), ...more });
export const view = {
  startDateTime: "2026-11-20T00:00:00Z",
  endDateTime: "2026-12-20T00:00:00Z",
};
