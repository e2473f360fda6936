/** Requests with their numbers, sessions and proofs. */

import { describe, expect, test } from "bun:test";
import { Requests } from "../../../src/upstream/rtsp/requests.ts";
import type { RtspResponse } from "../../../src/wire/rtsp/message.ts";

const USER = { user: "u", password: "" };

function response(status: number, headers: Readonly<Record<string, string>>): RtspResponse {
  const fields = Object.entries(headers);
  return { kind: "response", status, reason: "", headers: fields, body: new Uint8Array(0) };
}

function text(requests: Requests): string {
  return Buffer.from(requests.make("DESCRIBE", "rtsp://h/", [["Accept", "a/b"]])).toString();
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
    const others = requests.forAnotherServer(undefined);
    expect(others).toMatchObject({ hasSession: false, timeoutS: undefined, cseq: 1 });
    expect(text(others)).not.toContain("Session");
    expect(text(requests)).toContain("Session");
  });

  test("says who we are once it is asked, as the server wants it, on other connections too", () => {
    const requests = new Requests("sluice", USER);
    expect(text(requests)).not.toContain("Authorization");
    expect(requests.challenged(response(401, { "WWW-Authenticate": 'Digest realm="r", nonce="n"' }))).toBeUndefined();
    expect(text(requests)).toContain('\r\nAuthorization: Digest username="u", realm="r", nonce="n", uri="rtsp://h/"');
    requests.learn(response(200, { Session: "abc" }));
    const onAnother = requests.forAnotherConnection();
    expect(text(onAnother)).toContain('Digest username="u", realm="r", nonce="n"');
    expect(text(onAnother)).not.toContain("Session");
    expect(text(requests.forAnotherServer(USER))).not.toContain("Authorization");
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
