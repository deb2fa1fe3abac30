// What every Node check shares: one line per check, and the lab as its ready file tells it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export const READY = JSON.parse(readFileSync(process.env.CMGLAB_READY, "utf8"));
export const TENANT = READY.topology.azure_ad.tenants[0];
export const USER = TENANT.users[0];
export const LOGIN = "https://login.microsoftonline.com";
export const HOME = `${LOGIN}/${TENANT.id}`;
export const SCOPES = [`${TENANT.resource}/.default`];
// One that nothing in the lab has.
export const UNKNOWN = "00000000-1111-4222-8333-444444444444";

export const app = (name) => TENANT.apps.find((one) => one.name === name);

/** Prints whether `text` held, and what speaks against it. */
export function check(text, held, evidence = "") {
  if (!held) process.exitCode = 1;
  const told = evidence instanceof Error ? `${evidence.name}: ${evidence.message}` : JSON.stringify(evidence);
  console.log(held ? `ok      ${text}` : `FAILED  ${text}: ${told}`);
  return held;
}

/** What an asynchronous call throws, or undefined. */
export async function thrown(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
}

/** The claims of a JWT, unverified. */
export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** The user enters a device code at a browser and approves, or declines. Returns when it is done. */
export function atTheBrowser({ verificationUri, userCode }, ...decline) {
  const browser = `${process.env.CMGLAB_INTEROP}/aad/browser.py`;
  const [file, ...args] = [browser, verificationUri, userCode, USER.upn, USER.password, ...decline];
  execFileSync(process.env.CMGLAB_PYTHON, [file, ...args]);
}
