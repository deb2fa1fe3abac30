// jose verifies tokens with the keys that Azure AD publishes. The argument is a device token, a file of roadtx.
import { readFileSync } from "node:fs";

import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";

import { HOME, LOGIN, SCOPES, TENANT, USER, check, thrown } from "./checks.mjs";

const device = JSON.parse(readFileSync(process.argv[2], "utf8")).accessToken;
const answer = await fetch(`${HOME}/oauth2/v2.0/token`, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "password", client_id: TENANT.client_app, scope: `${SCOPES[0]} openid`,
    username: USER.upn, password: USER.password,
  }),
});
const { access_token: user, id_token: identity } = await answer.json();
check("a user has a token", user && identity, answer.status);

const metadata = async (version) => (await fetch(`${HOME}${version}/.well-known/openid-configuration`)).json();
const [v1, v2] = [await metadata(""), await metadata("/v2.0")];
// The resource wants version 1, whatever endpoint the token came from.
const right = { issuer: v1.issuer, audience: TENANT.resource };

/** One character of the signature changed. */
function tampered(token) {
  const middle = token.length - 100;
  return token.slice(0, middle) + (token[middle] === "A" ? "B" : "A") + token.slice(middle + 1);
}

/** Another key is named. */
function renamed(token) {
  const [head, ...rest] = token.split(".");
  const header = { ...JSON.parse(Buffer.from(head, "base64url")), kid: "another" };
  return [Buffer.from(JSON.stringify(header)).toString("base64url"), ...rest].join(".");
}

for (const { jwks_uri: uri } of [v1, v2]) {
  const keys = createRemoteJWKSet(new URL(uri));
  const where = `jose with ${uri.replace(LOGIN, "")}`;
  const good = async (what, token, expected) => {
    const error = await thrown(() => jwtVerify(token, keys, expected));
    check(`${where}: ${what}`, error === undefined, error);
  };
  const bad = async (what, code, token, expected) => {
    const error = await thrown(() => jwtVerify(token, keys, expected));
    check(`${where}: ${what}: ${code}`, error?.code === code, error ?? "it was accepted");
  };
  const later = new Date((decodeJwt(user).exp + 1) * 1000);
  await good("a user token", user, right);
  await good("a device token", device, right);
  await good("an ID token", identity, { issuer: v2.issuer, audience: TENANT.client_app });
  await bad("a user token tampered with", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", tampered(user), right);
  await bad("a device token tampered with", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", tampered(device), right);
  await bad("one under another key's name", "ERR_JWKS_NO_MATCHING_KEY", renamed(user), right);
  await bad("one that has expired", "ERR_JWT_EXPIRED", user, { ...right, currentDate: later });
  const claim = "ERR_JWT_CLAIM_VALIDATION_FAILED";
  await bad("one for another audience", claim, user, { ...right, audience: "https://elsewhere" });
  await bad("one of another issuer", claim, user, { ...right, issuer: v2.issuer });
}
