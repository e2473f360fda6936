import { describe, expect, test } from "bun:test";
import { cookiesFor, withMarkedCookies } from "../../../src/upstream/http/cookies.ts";
import type { ProxyUrl } from "../../../src/wire/url/proxy-url.ts";

function server(url: string): ProxyUrl {
  const [, scheme, host = ""] = /^(https?):\/\/\[?([^\]]*)\]?$/.exec(url) ?? [];
  return { scheme: scheme as "http", host, port: 80, path: "/" };
}

function marked(setCookie: string, url = "http://tv.example"): string | undefined {
  const [first = "", second] = withMarkedCookies(
    [
      ["set-cookie", setCookie],
      ["X", "1"],
    ],
    server(url),
  ).map(([, value]) => value);
  return second === undefined ? undefined : first;
}

describe("a cookie that an upstream sets", () => {
  test.each([
    ["SID=1", "r2hc~tv.example~SID=1; HttpOnly; SameSite=Lax"],
    ["SID=a=b; Path=/live; Max-Age=60", "r2hc~tv.example~SID=a=b; Path=/live; Max-Age=60; HttpOnly; SameSite=Lax"],
    ["SID=1; Domain=.Example; SameSite=None; HttpOnly", "r2hc~tv.example~SID=1; HttpOnly; SameSite=Lax"],
    ["r2h-token=evil", "r2hc~tv.example~r2h-token=evil; HttpOnly; SameSite=Lax"],
    ["r2hc~other~SID=1", "r2hc~tv.example~r2hc~other~SID=1; HttpOnly; SameSite=Lax"],
    ["SID=1; Domain=other.test", "r2hc~tv.example~SID=1; HttpOnly; SameSite=Lax"],
    ["SID=1; Secure; Path=/a; SameSite=None", "r2hc~tv.example~SID=1; Path=/a; HttpOnly; SameSite=Lax"],
    ["SID=1; Domain=", "r2hc~tv.example~SID=1; HttpOnly; SameSite=Lax"],
  ])("%s bears its name: %s", (setCookie, value) => {
    expect(marked(setCookie)).toBe(value);
  });

  test("that was set over TLS for TLS alone says so in its name: on our side there is none", () => {
    const value = "r2hs~tv.example~__Host-SID=1; Path=/; HttpOnly; SameSite=Lax";
    expect(marked("__Host-SID=1; Secure; Path=/", "https://TV.example")).toBe(value);
  });

  test.each(["SID", "=1", ""])("%j is none", (text) => {
    expect(marked(text)).toBeUndefined();
  });

  test("of an IPv6 server has no colon in its name", () => {
    expect(marked("a=1", "http://[2001:db8::1]")).toStartWith("r2hc~2001|db8||1~a=1");
  });
});

describe("an upstream gets", () => {
  const cookies = "nas=1; r2hc~tv.example~a=2; r2hs~tv.example~b=3; r2hc~other~c=4;d=5; r2hc~tv.example~r2hc~other~e=6";

  test.each<[url: string, isOwnOnly: boolean, sent: string]>([
    ["http://tv.example", true, "a=2; r2hc~other~e=6"],
    ["https://TV.Example", true, "a=2; b=3; r2hc~other~e=6"],
    ["http://tv.example", false, "nas=1; a=2;d=5; r2hc~other~e=6"],
    ["http://other", true, "c=4"],
    ["http://evil.test", true, ""],
    ["http://evil.test", false, "nas=1;d=5"],
  ])("%s, only its own %p: %j", (url, isOwnOnly, sent) => {
    expect(cookiesFor(server(url), cookies, isOwnOnly)).toBe(sent);
  });

  test("what it has set, whatever it looks like", () => {
    for (const cookie of ["SID=1", "r2hc~other~x=y", "a=b=c", "x~y=z"]) {
      const [pair = ""] = marked(cookie)!.split(";");
      expect(cookiesFor(server("http://tv.example"), pair, true)).toBe(cookie);
    }
  });

  test("the cookies of a program untouched", () => {
    expect(cookiesFor(server("http://h"), " a=1 ;; b", false)).toBe(" a=1 ;; b");
  });
});
