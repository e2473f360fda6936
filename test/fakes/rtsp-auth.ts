/** Passwords for the fake RTSP server, checked without the program's own code (RFC 7617, RFC 2069, RFC 7616). */

import { createHash } from "node:crypto";
import type { ClientRequest } from "./rtsp-input.ts";
import { answer, type RtspAnswer, type RtspServerOptions } from "./rtsp-server.ts";

export interface RtspAccount {
  readonly user: string;
  readonly password: string;
  readonly realm: string;
}

const NONCE = "0a1b2c3d";

/**
 * A `react` that asks for a password.
 * @param scheme `digest` is the form of RFC 2069, `digest-auth` the one with `qop=auth`
 * @param methods that need it; default all
 */
export function requirePassword(
  account: RtspAccount,
  scheme: "basic" | "digest" | "digest-auth",
  methods?: readonly string[],
): NonNullable<RtspServerOptions["react"]> {
  const isBasic = scheme === "basic";
  return (usual, request) => {
    const isOpen = methods !== undefined && !methods.includes(request.method);
    const isRight = isBasic
      ? basicIsRight(request, account)
      : digestIsRight(request, account, scheme === "digest-auth");
    return isOpen || isRight ? usual : unauthorized(request, challengeOf(account, scheme));
  };
}

/** The 401 with this challenge. */
export function unauthorized(request: ClientRequest, challenge: string): RtspAnswer {
  const CSeq = request.headers.get("cseq") ?? undefined;
  return answer(401, "Unauthorized", { CSeq, "WWW-Authenticate": challenge });
}

function challengeOf({ realm }: RtspAccount, scheme: "basic" | "digest" | "digest-auth"): string {
  if (scheme === "basic") return `Basic realm="${realm}"`;
  const qop = scheme === "digest-auth" ? ', qop="auth,auth-int", algorithm=MD5' : "";
  return `Digest realm="${realm}", nonce="${NONCE}", opaque="o"${qop}`;
}

function basicIsRight({ headers }: ClientRequest, { user, password }: RtspAccount): boolean {
  return headers.get("authorization") === `Basic ${btoa(`${user}:${password}`)}`;
}

function digestIsRight({ method, url, headers }: ClientRequest, account: RtspAccount, hasQop: boolean): boolean {
  const { user, password, realm } = account;
  const authorization = headers.get("authorization") ?? "";
  const get = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(authorization)?.[1] ?? "";
  const count = hasQop ? `${get("nc")}:${get("cnonce")}:auth:` : "";
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${NONCE}:${count}${md5(`${method}:${url}`)}`);
  const named = { username: user, realm, nonce: NONCE, uri: url, response, opaque: "o" };
  return authorization.startsWith("Digest ") && Object.entries(named).every(([name, value]) => get(name) === value);
}

function md5(text: string): string {
  return createHash("md5").update(text, "latin1").digest("hex");
}
