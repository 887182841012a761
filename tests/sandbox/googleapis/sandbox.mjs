// The sandbox as the tests reach it, and a client of Google's own making that talks to it.
import { createHash, randomBytes } from "node:crypto";
import { google } from "googleapis";

export const base = process.env.CALHOST_URL;
export const skip = base ? false : "CALHOST_URL is not set: it names a running sandbox host";

const provider = `${base}/sandbox/google`;
const redirect = "http://127.0.0.1:8080/api/calendar/auth/google/callback";
export const scopes = [
  "openid",
  "email",
  "https://www.googleapis.com/auth/calendar",
];

/** One call of the control API. */
export async function control(method, path, body) {
  const response = await fetch(`${base}/sandbox/control${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** A fresh account with its calendar client, connected by code and PKCE. */
export async function connect() {
  const email = `node-${randomBytes(6).toString("hex")}@example.com`;
  await control("POST", "/accounts", { email, name: "Node", time_zone: "Europe/Berlin" });
  const auth = new google.auth.OAuth2({
    clientId: process.env.SANDBOX_CLIENT_ID ?? "sandbox-client",
    clientSecret: process.env.SANDBOX_CLIENT_SECRET ?? "sandbox-secret",
    redirectUri: process.env.SANDBOX_REDIRECT_URI ?? redirect,
    endpoints: {
      oauth2AuthBaseUrl: `${provider}/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${provider}/token`,
      oauth2RevokeUrl: `${provider}/revoke`,
      tokenInfoUrl: `${provider}/tokeninfo`,
    },
  });
  const verifier = randomBytes(32).toString("base64url");
  const url = auth.generateAuthUrl({
    access_type: "offline",
    scope: scopes,
    state: "a state & more",
    login_hint: email,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const consent = await fetch(`${url}&auto=allow`, { redirect: "manual" });
  const landing = new URL(consent.headers.get("location"));
  const { tokens } = await auth.getToken({
    code: landing.searchParams.get("code"),
    codeVerifier: verifier,
  });
  auth.setCredentials(tokens);
  // The client's rootUrl loses a path; the sandbox has one.
  auth.transporter.interceptors.request.add({
    resolved: async (options) => {
      const url = new URL(options.url);
      if (url.pathname.startsWith("/calendar/v3/")) url.pathname = `/sandbox/google${url.pathname}`;
      return { ...options, url };
    },
  });
  const calendar = google.calendar({ version: "v3", auth, rootUrl: base });
  return { email, auth, calendar, tokens, landing, provider };
}

/** The HTTP status and Google's reason of a call that fails. */
export async function failure(call) {
  try {
    await call;
  } catch (error) {
    const body = error.response?.data?.error;
    return `${error.response?.status} ${body?.errors?.[0]?.reason ?? body}`;
  }
  return "no failure";
}
