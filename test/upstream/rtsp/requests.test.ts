/** Requests with their numbers, sessions and proofs, and keepalives. */

import { afterEach, describe, expect, jest, test } from "bun:test";
import { Keepalive } from "../../../src/upstream/rtsp/keepalive.ts";
import { Requests } from "../../../src/upstream/rtsp/requests.ts";
import { transportCandidates } from "../../../src/upstream/rtsp/transport-candidates.ts";
import type { RtspResponse } from "../../../src/wire/rtsp/message.ts";

const USER = { user: "u", password: "" };

function response(status: number, headers: Readonly<Record<string, string>>): RtspResponse {
  const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { kind: "response", status, reason: "", headers: fields, body: new Uint8Array(0) };
}

function text(requests: Requests): string {
  return Buffer.from(requests.make("DESCRIBE", "rtsp://h/", [{ name: "Accept", value: "a/b" }])).toString();
}

describe("a request", () => {
  test("has its number, our name and what belongs to the method", () => {
    const requests = new Requests("sluice", undefined);
    expect(text(requests)).toBe("DESCRIBE rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: sluice\r\nAccept: a/b\r\n\r\n");
    expect(text(requests)).toContain("CSeq: 2\r\n");
  });

  test("names the session, until another server is asked", () => {
    const requests = new Requests("sluice", undefined);
    requests.learn(response(200, { Session: "abc;timeout=10" }));
    expect(text(requests)).toContain("\r\nSession: abc\r\n");
    expect(requests.timeoutS).toBe(10);
    requests.learn(response(200, { Session: "abc" }));
    expect(requests.timeoutS).toBe(10);
    requests.forget(undefined);
    expect(requests).toMatchObject({ hasSession: false, timeoutS: undefined, cseq: 1 });
    expect(text(requests)).not.toContain("Session");
  });

  test("says who we are: with Basic at first, then as the server wants it", () => {
    const requests = new Requests("sluice", USER);
    expect(text(requests)).toContain("\r\nAuthorization: Basic dTo=\r\n");
    expect(requests.challenged(response(401, { "WWW-Authenticate": 'Digest realm="r", nonce="n"' }))).toBeUndefined();
    expect(text(requests)).toContain('\r\nAuthorization: Digest username="u", realm="r", nonce="n", uri="rtsp://h/"');
    requests.forget(USER);
    expect(text(requests)).toContain("Authorization: Basic ");
  });

  test("is worth two more tries in a row", () => {
    const requests = new Requests("sluice", USER);
    const challenge = response(401, { "WWW-Authenticate": 'Basic realm="r"' });
    expect(requests.challenged(challenge)).toBeUndefined();
    expect(requests.challenged(challenge)).toBeUndefined();
    expect(requests.challenged(challenge)).toBe("does not accept ours");
    requests.learn(response(200, {}));
    expect(requests.challenged(challenge)).toBeUndefined();
  });

  test.each([
    [undefined, { "WWW-Authenticate": "Basic realm=r" }, "the URL names no user"],
    [USER, {}, "asks for it in a way that is not known here"],
    [USER, { "WWW-Authenticate": "Negotiate x" }, "asks for it in a way that is not known here"],
  ])("of %j is not worth another after %j", (credentials, headers, reason) => {
    expect(new Requests("sluice", credentials).challenged(response(401, headers as Record<string, string>))).toBe(
      reason,
    );
  });

  test.each([
    ["3", 3],
    ["2", 2],
    ["0", 3],
    ["4", 3],
    ["x", 3],
    [undefined, 3],
  ])("is answered by a response with the number %s: %d", (CSeq, answered) => {
    const requests = new Requests("sluice", undefined);
    for (let i = 0; i < 3; i++) text(requests);
    expect(requests.answeredCseq(response(200, CSeq === undefined ? {} : { CSeq }))).toBe(answered);
  });
});

describe("keepalives", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each([
    [undefined, 30_000],
    [600, 30_000],
    [60, 30_000],
    [10, 5000],
    [1, 500],
  ])("of a session that lasts %s s come every %d ms", (timeoutS, ms) => {
    jest.useFakeTimers();
    let sent = 0;
    const keepalive = new Keepalive(() => ++sent);
    keepalive.start(undefined, timeoutS);
    jest.advanceTimersByTime(ms - 1);
    expect(sent).toBe(0);
    jest.advanceTimersByTime(1 + 2 * ms);
    expect(sent).toBe(3);
    keepalive.stop();
    jest.advanceTimersByTime(2 * ms);
    expect(sent).toBe(3);
  });

  test("change their method once, although several are refused", () => {
    const methods: string[] = [];
    const keepalive = new Keepalive((method) => methods.push(method));
    keepalive.start(["PLAY", "GET_PARAMETER"], undefined);
    keepalive.send();
    keepalive.send();
    expect(keepalive.accepts(501, 1)).toBe(true);
    keepalive.send();
    expect(keepalive.accepts(454, 2)).toBe(true);
    expect(keepalive.accepts(200, 3)).toBe(true);
    expect(keepalive.accepts(454, 3)).toBe(false);
    expect(keepalive.accepts(500, 2)).toBe(false);
    expect(methods).toEqual(["GET_PARAMETER", "GET_PARAMETER", "OPTIONS"]);
    keepalive.stop();
  });

  test("are OPTIONS for a server that does not know the other", () => {
    const methods: string[] = [];
    const keepalive = new Keepalive((method) => methods.push(method));
    keepalive.start(["OPTIONS", "PLAY"], undefined);
    keepalive.send();
    keepalive.stop();
    expect(methods).toEqual(["OPTIONS"]);
  });
});

test("offers are made all at once, then one by one", () => {
  expect(transportCandidates({ rtpPort: 10_000, clientAddress: "192.0.2.1" }).slice(1)).toEqual([
    "RTP/AVP/TCP;unicast;interleaved=0-1",
    "RTP/AVP;unicast;client_port=10000-10001",
  ]);
  expect(transportCandidates(undefined)).toHaveLength(2);
});
