import { describe, expect, test } from "bun:test";
import { digestAnswer, loginFor } from "../../../src/upstream/http/login.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { type ProxyUrl, parseProxyUrl } from "../../../src/wire/url/proxy-url.ts";

function urlOf(rest: string): ProxyUrl {
  const outcome = parseProxyUrl(rest);
  if (outcome.kind === "error") throw new Error(rest);
  return outcome.url;
}

describe("user and password", () => {
  test.each<[rest: string, user: string, password: string]>([
    ["u:p@h/", "u", "p"],
    ["u@h/", "u", ""],
    ["u:a:b@h/", "u", "a:b"],
    ["u%3a%40:%70%C3%A4@h/", "u:@", "p\xc3\xa4"],
    ["u:100%@h/", "u", "100%"],
    ["u%3Ap%3Aq%40h/", "u", "p:q"],
    [":p@h/", "", "p"],
  ])("of %j", (rest, user, password) => {
    expect(loginFor(urlOf(rest), undefined)).toEqual({ user, password });
  });

  test.each<[rest: string, channel: string, isTheirs: boolean]>([
    ["h:81/seg.ts", "http://u:p@H:81/list.m3u8", true],
    ["h/seg.ts", "http://u:p@h:80/", true],
    ["h:82/seg.ts", "http://u:p@h:81/list.m3u8", false],
    ["other/seg.ts", "http://u:p@h/", false],
    ["h:443/seg.ts", "https://u:p@h/", false],
    ["h/http.ts", "http://u:p@h:8080/", false],
    ["h/seg.ts", "http://h/", false],
    ["h/seg.ts", "rtsp://u:p@h/", false],
  ])("for %j of the channel %j: %p", (rest, channel, isTheirs) => {
    const login = loginFor(urlOf(rest), asByteString(channel));
    expect(login).toEqual(isTheirs ? { user: "u", password: "p" } : undefined);
  });
});

test("a step to TLS on the same host is no other server", () => {
  const outcome = parseProxyUrl("h/seg.ts", "https");
  if (outcome.kind === "error") throw new Error("no URL");
  expect(loginFor(outcome.url, asByteString("http://u:p@h/"))).toEqual({ user: "u", password: "p" });
});

test("a challenge is answered once, if it asks for more than was sent", () => {
  const answer = (value: string) =>
    digestAnswer({ user: "u", password: "p" }, [["WWW-Authenticate", value]], "GET", "/x?y");
  expect(answer('Basic realm="a"')).toBeUndefined();
  expect(answer("Negotiate")).toBeUndefined();
  expect(answer('Digest realm="a", nonce="b", qop="auth", algorithm=MD5')).toMatch(
    /^Digest username="u", realm="a", nonce="b", uri="\/x\?y", response="[0-9a-f]{32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="[0-9a-f]{16}"$/,
  );
});
