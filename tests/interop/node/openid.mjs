// openid-client takes nothing on trust: issuer, nonce, PKCE, times and the user's id are compared to the letter.
import * as client from "openid-client";

import { HOME, READY, TENANT, USER, app, check, thrown } from "./checks.mjs";

const web = app("Lab web");
const back = web.redirect_uris[0];

/** Fills in the sign-in page as a browser does; where that leads. */
async function signIn(url, password) {
  const page = await fetch(url, { redirect: "manual" });
  const html = await page.text();
  const cookie = page.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const action = html.match(/<form[^>]*action="([^"]+)"/)[1].replaceAll("&amp;", "&");
  const body = new URLSearchParams({ ctx: html.match(/name="ctx" value="([^"]+)"/)[1], login: USER.upn, passwd: password });
  const answer = await fetch(new URL(action, url), { method: "POST", body, headers: { cookie }, redirect: "manual" });
  return answer.headers.get("location");
}

for (const [face, issuer] of [["own origin", `${READY.own_origin}/${TENANT.id}/v2.0`], ["real names", `${HOME}/v2.0`]]) {
  const config = await client.discovery(new URL(issuer), web.id, web.secret);
  const text = (what) => `openid-client, ${face}: ${what}`;
  check(text("the issuer is the one that was asked"), config.serverMetadata().issuer === issuer, issuer);

  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: back, scope: "openid profile email offline_access User.Read", state, nonce, max_age: "3600",
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  check(text("a wrong password leads nowhere"), (await signIn(url, "wrong")) === null);
  const landed = new URL(await signIn(url, USER.password));
  const redeem = (checks) => client.authorizationCodeGrant(config, landed, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 3600, idTokenExpected: true, ...checks,
  });
  const other = await thrown(() => redeem({ pkceCodeVerifier: client.randomPKCECodeVerifier() }));
  check(text("another verifier is refused"), other?.cause?.error_codes?.[0] === 501481, other);
  const tokens = await redeem({});
  const { sub, email, auth_time: time } = tokens.claims();
  check(text("code with PKCE, nonce and max_age"), email === USER.upn && time > 0, tokens.claims());
  const info = await client.fetchUserInfo(config, tokens.access_token, sub);
  check(text("userinfo is about the same subject"), info.email === USER.upn, info);
  const stranger = await thrown(() => client.fetchUserInfo(config, tokens.access_token, "another"));
  check(text("and about no other"), stranger !== undefined);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  check(text("the session is renewed"), renewed.access_token !== tokens.access_token, renewed.scope);
  const used = await thrown(() => redeem({}));
  check(text("the code is good once: 54005"), used?.cause?.error_codes?.[0] === 54005, used);
}
