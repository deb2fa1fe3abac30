// Microsoft's library for Node: an app for itself, and users with and without a browser.
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import * as msal from "@azure/msal-node";

import { HOME, LOGIN, READY, SCOPES, TENANT, UNKNOWN, USER } from "./checks.mjs";
import { app, atTheBrowser, check, claims, thrown } from "./checks.mjs";

const DAEMON = app("Lab daemon");
const NOWHERE = ["https://Nowhere/.default"];

const own = (auth, origin = {}) =>
  new msal.ConfidentialClientApplication({ auth: { clientId: DAEMON.id, authority: HOME, ...auth, ...origin } });
const secret = (clientSecret = DAEMON.secret, clientId = DAEMON.id) => own({ clientSecret, clientId });
const users = () => new msal.PublicClientApplication({ auth: { clientId: TENANT.client_app, authority: HOME } });

const byClient = (client, scopes = SCOPES) => client.acquireTokenByClientCredential({ scopes });
const byPassword = (username, password, scopes = SCOPES, client = users()) =>
  client.acquireTokenByUsernamePassword({ scopes, username, password });
const byDeviceCode = (client, ...decline) =>
  client.acquireTokenByDeviceCode({ scopes: SCOPES, deviceCodeCallback: (told) => atTheBrowser(told, ...decline) });

/** Checks that a call is refused with this AADSTS code, as an error of this class. */
async function refused(text, code, type, call) {
  const error = await thrown(call);
  const held = error?.constructor === type && Number(error.errorNo) === code;
  check(`${text}: ${type.name} with AADSTS${code}`, held, error ?? "it was accepted");
  return error;
}

const { ServerError, InteractionRequiredAuthError } = msal;

// An app for itself.
let answer = await byClient(secret());
let found = claims(answer.accessToken);
check("an app with a secret gets a token", found.appid === DAEMON.id && found.roles?.includes("Lab.Read"), found);
await refused("a wrong secret", 7000215, ServerError, () => byClient(secret("wrong")));
await refused("an unknown app", 700016, ServerError, () => byClient(secret("any", UNKNOWN)));
await refused("an unknown resource", 500011, ServerError, () => byClient(secret(), NOWHERE));

const pem = readFileSync(READY.app_certificates[DAEMON.id], "utf8");
const privateKey = pem.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/)[0];
const thumbprintSha256 = createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
const certificate = (clientId) => own({ clientId, clientCertificate: { thumbprintSha256, privateKey } });
answer = await byClient(certificate(DAEMON.id));
check("an app with a certificate gets a token", claims(answer.accessToken).appidacr === "2", answer.tokenType);
await refused("the certificate of another app", 700027, ServerError, () => byClient(certificate(app("Lab web").id)));

// Users.
const client = users();
answer = await byPassword(USER.upn, USER.password, SCOPES, client);
found = claims(answer.accessToken);
check("a user signs in with a password", found.upn === USER.upn && found.aud === TENANT.resource, found);
check("the account is the user's", answer.account.homeAccountId === `${USER.id}.${TENANT.id}`, answer.account);
const silent = { account: answer.account, scopes: SCOPES };
const cached = await client.acquireTokenSilent(silent);
check("the token is found again", cached.fromCache && cached.accessToken === answer.accessToken, cached.fromCache);
const renewed = await client.acquireTokenSilent({ ...silent, forceRefresh: true });
const another = claims(renewed.accessToken);
check("it is renewed without the user", !renewed.fromCache && another.uti !== found.uti, another);
await refused("a wrong password", 50126, ServerError, () => byPassword(USER.upn, "wrong"));
await refused("an unknown user", 50034, ServerError, () => byPassword("nobody@lab.test", "any"));

// What the user can do something about is an error of its own.
let error = await refused("a second factor", 50076, InteractionRequiredAuthError,
  () => byPassword("mfa@lab.test", USER.password));
check("its suberror is basic_action", error?.subError === "basic_action", error);
error = await refused("no consent", 65001, InteractionRequiredAuthError,
  () => byPassword(USER.upn, USER.password, ["api://lab-daemon/.default"]));
check("its suberror is consent_required", error?.subError === "consent_required", error);

answer = await byDeviceCode(users());
check("a user approves a device code", claims(answer.accessToken).upn === USER.upn, answer.account);
error = await thrown(() => byDeviceCode(users(), "decline"));
check("a user declines one", error?.message.includes("authorization_declined"), error ?? "it was accepted");

// The same service under an origin of its own, which the library takes only when it is told so.
const authority = `${READY.own_origin}/${TENANT.id}`;
const known = { authority, knownAuthorities: [new URL(authority).host] };
answer = await byClient(own({ clientSecret: DAEMON.secret }, known));
check("an origin of its own issues in its own name", claims(answer.accessToken).iss === `${authority}/`, authority);
check("and not in Microsoft's", !claims(answer.accessToken).iss.startsWith(LOGIN), authority);
error = await thrown(() => byClient(own({ clientSecret: DAEMON.secret }, { authority })));
check("it is refused when it is not known", error instanceof msal.AuthError, error ?? "it was accepted");
