import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  aggregateUrls,
  followRedirect,
  formatRtspUrl,
  parseRtspUrl,
  type RtspUrl,
  trackUrls,
} from "../../../src/wire/rtsp/url.ts";

const MAX_CREDENTIAL_BYTES = 127;
const MAX_RTSP_URL_BYTES = 2047;

function url(rest: string): RtspUrl {
  const outcome = parseRtspUrl(rest);
  if (outcome.kind !== "url") throw new Error(`${rest}: ${outcome.status}`);
  return outcome.url;
}

describe("an upstream URL", () => {
  test.each<[rest: string, host: string, port: number, path: string, requestUrl: string]>([
    ["h", "h", 554, "/", "rtsp://h/"],
    ["h:554/a", "h", 554, "/a", "rtsp://h/a"],
    ["h:/a", "h", 554, "/a", "rtsp://h/a"],
    ["h:8554?x=/y@z", "h", 8554, "/?x=/y@z", "rtsp://h:8554/?x=/y@z"],
    ["10.0.0.1:1/a//b/%2e%zz?c=d&e#f", "10.0.0.1", 1, "/a//b/%2e%zz?c=d&e#f", "rtsp://10.0.0.1:1/a//b/%2e%zz?c=d&e#f"],
    ["[2001:DB8::1]:554/a", "2001:DB8::1", 554, "/a", "rtsp://[2001:DB8::1]/a"],
    ["[::1]:8554/a@b", "::1", 8554, "/a@b", "rtsp://[::1]:8554/a@b"],
    ["h/\xe4 b\t", "h", 554, "/\xe4%20b%09", "rtsp://h/\xe4%20b%09"],
  ])("%j", (rest, host, port, path, requestUrl) => {
    expect(url(rest)).toEqual({ host, port, path, credentials: undefined });
    expect(formatRtspUrl(url(rest))).toBe(requestUrl);
  });

  test.each<[rest: string, user: string, password: string]>([
    ["u:p@h/", "u", "p"],
    ["u@h/", "u", ""],
    ["u:@h/", "u", ""],
    ["u:p:q@h/", "u", "p:q"],
    ["a@b:c@d@h/", "a@b", "c@d"],
    ["%75%40:%2f%3A%00@h/", "u@", "/:\0"],
    ["\xe4:%e4@h", "\xe4", "\xe4"],
    [`${"u".repeat(MAX_CREDENTIAL_BYTES)}:p@h`, "u".repeat(MAX_CREDENTIAL_BYTES), "p"],
  ])("%j names a user", (rest, user, password) => {
    expect(url(rest)).toMatchObject({ host: "h", port: 554, path: "/", credentials: { user, password } });
    expect(formatRtspUrl(url(rest))).toBe("rtsp://h/");
  });

  test.each(["@h/", ":p@h/"])("%j names no user", (rest) => {
    expect(url(rest).credentials).toBeUndefined();
  });

  test("may be as long as the limit", () => {
    const rest = `h/${"x".repeat(MAX_RTSP_URL_BYTES - "rtsp://h/".length)}`;
    expect(parseRtspUrl(rest).kind).toBe("url");
    expect(parseRtspUrl(`${rest}x`)).toEqual({ kind: "error", status: 503 });
  });

  test.each([
    "/a",
    "?a",
    ":554/a",
    "u:p@/a",
    "u:p@:554",
    "h:0/",
    "h:65536/",
    "h:x/",
    "h b/",
    "[::1/a",
    "[fe80::1%eth0]/",
    "a:b:c/",
    "%zz@h/",
    "u:%1@h/",
    `${"u".repeat(MAX_CREDENTIAL_BYTES + 1)}@h/`,
    `u:${"p".repeat(MAX_CREDENTIAL_BYTES + 1)}@h/`,
  ])("%j is 503", (rest) => {
    expect(parseRtspUrl(rest)).toEqual({ kind: "error", status: 503 });
  });

  test("is 404 when nothing is there", () => {
    expect(parseRtspUrl("")).toEqual({ kind: "error", status: 404 });
  });
});

describe("a redirect", () => {
  const from = url("u:p@h:8554/a?b");

  test("takes the user along to the same server, unless it names one", () => {
    const { credentials } = from;
    expect(followRedirect("rtsp://H:8554/c", from)).toEqual({ host: "H", port: 8554, path: "/c", credentials });
    for (const other of ["rtsp://other:8554/c", "rtsp://h/c", "rtsp://h:8555/c", "rtsp://x.h:8554/c"]) {
      expect(followRedirect(other, from)).toMatchObject({ path: "/c", credentials: undefined });
    }
    expect(followRedirect("rtsp://v:@other/c", from)?.credentials).toEqual({ user: "v", password: "" });
    expect(followRedirect("rtsp://other/c", url("h/"))?.credentials).toBeUndefined();
  });

  test.each(["", "/c", "//other/c", "other", "rtspu://other/", "rtsp:other", "rtsp://", "rtsp:///c"])(
    "does not lead to %j",
    (location) => expect(followRedirect(location, from)).toBeUndefined(),
  );
});

describe("the URL of a track", () => {
  const REQUEST_URL = "rtsp://h:8554/dir/movie?a=/b";

  test.each<[control: string | undefined, base: string | undefined, expected: string]>([
    [undefined, undefined, REQUEST_URL],
    ["", "rtsp://x/", REQUEST_URL],
    ["*", "rtsp://x/", REQUEST_URL],
    ["rtsp://y/t?c=1", "rtsp://x/", "rtsp://y/t?c=1"],
    ["RTSP://y/t", "rtsp://x/", "RTSP://y/t"],
    ["t=1", undefined, "rtsp://h:8554/dir/t=1"],
    ["t=1", "rtsp://x/a/b/", "rtsp://x/a/b/t=1"],
    ["t=1", "rtsp://x/a/b", "rtsp://x/a/t=1"],
    ["t=1", "rtsp://x/a/b?q=/r/", "rtsp://x/a/t=1"],
    ["t=1", "rtsp://x", "rtsp://x/t=1"],
    ["t=1", "rtsp://x?q", "rtsp://x/t=1"],
    ["t=1", "", "rtsp://h:8554/dir/t=1"],
    ["t=1", "/relative/", "rtsp://h:8554/dir/t=1"],
    ["t=1", "rtsp://", "rtsp://h:8554/dir/t=1"],
    ["t=1", "http://x/", "rtsp://h:8554/dir/t=1"],
    ["track:1", "rtsp://x/a/", "rtsp://x/a/track:1"],
    ["/t", "rtsp://x/a/b/", "rtsp://x/t"],
    ["../t", "rtsp://x/a/b/", "rtsp://x/a/t"],
    ["?t=1", "rtsp://x/a/b", "rtsp://x/a/b?t=1"],
    ["t 1\r\nEvil: 1", "rtsp://x/a/", "rtsp://x/a/t%201%0D%0AEvil:%201"],
    ["t", "rtsp://x/a b/", "rtsp://x/a%20b/t"],
  ])("%j at %j is %j", (control, base, expected) => {
    expect(trackUrls({ requestUrl: REQUEST_URL, contentBase: base, session: undefined }, control)[0]).toBe(expected);
  });

  test.each<[control: string | undefined, base: string | undefined, session: string | undefined, others: string[]]>([
    ["t=1", undefined, undefined, [`${REQUEST_URL}/t=1`, REQUEST_URL]],
    ["t=1", "rtsp://x/a/b", undefined, ["rtsp://x/a/b/t=1", `${REQUEST_URL}/t=1`, REQUEST_URL]],
    ["t=1", "rtsp://x/1?m=l&s=0/", undefined, ["rtsp://x/1?m=l&s=0/t=1", `${REQUEST_URL}/t=1`, REQUEST_URL]],
    ["t=1", "rtsp://x/a/", "rtsp://y/s/", ["rtsp://y/s/t=1", `${REQUEST_URL}/t=1`, REQUEST_URL]],
    ["t=1", "rtsp://x/a/", "*", [`${REQUEST_URL}/t=1`, REQUEST_URL]],
    ["/t", "rtsp://x/a/b/", undefined, ["rtsp://x/a/b/t", `${REQUEST_URL}/t`, REQUEST_URL]],
    ["rtsp://10.0.0.1/t?c=1", undefined, undefined, ["rtsp://h:8554/t?c=1", REQUEST_URL]],
    ["rtsp://10.0.0.1", undefined, undefined, ["rtsp://h:8554", REQUEST_URL]],
    ["*", "rtsp://x/a/", "s", ["rtsp://x/a/s", "rtsp://x/a/"]],
    [undefined, undefined, "rtsp://y/", ["rtsp://y/"]],
    [undefined, undefined, undefined, []],
  ])("%j at %j in session %j is tried also as", (control, contentBase, session, others) => {
    expect(trackUrls({ requestUrl: REQUEST_URL, contentBase, session }, control).slice(1)).toEqual(others);
  });

  test("the session's is the one that was asked for, else its own, else the base", () => {
    const urls = aggregateUrls({ requestUrl: REQUEST_URL, contentBase: "rtsp://x/a/", session: "rtsp://y/" });
    expect(urls).toEqual([REQUEST_URL, "rtsp://y/", "rtsp://x/a/"]);
    expect(aggregateUrls({ requestUrl: REQUEST_URL, contentBase: undefined, session: "*" })).toEqual([REQUEST_URL]);
  });
});

describe("for all texts", () => {
  const credential = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
  const rtspUrl = fc.record({
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65535 }),
    path: fc.stringMatching(/^\/[!-~\x80-\xff]{0,30}$/),
  });

  test("an emitted URL parses to itself, and its user is split off", () => {
    fc.assert(
      fc.property(rtspUrl, credential, credential, (parts, user, password) => {
        const wanted: RtspUrl = { ...parts, credentials: undefined };
        const rest = formatRtspUrl(wanted).slice("rtsp://".length);
        expect(url(rest)).toEqual(wanted);
        expect(url(`${user}:${password}@${rest}`)).toEqual({ ...parts, credentials: { user, password } });
        expect(followRedirect(`rtsp://${rest}`, wanted)).toEqual(wanted);
      }),
    );
  });

  test("a track's URL can stand in a request line", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: "binary" }), (base, control) => {
        for (const contentBase of [base, `rtsp://h/${base}`]) {
          const urls = trackUrls({ requestUrl: "rtsp://h/a", contentBase, session: base }, control);
          expect(urls.every((each) => /^rtsp:\/\/[!-~\x80-\xff]+$/i.test(each)) && urls.length <= 5).toBe(true);
        }
      }),
    );
  });

  test("none makes them throw", () => {
    const near = fc.string({
      unit: fc.constantFrom("@", ":", "/", "?", "[", "]", "%", "4", "h", "#", "."),
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        parseRtspUrl(text);
        followRedirect(`rtsp://${text}`, url("h/"));
        trackUrls({ requestUrl: `rtsp://h/${text}`, contentBase: `rtsp://${text}`, session: text }, text);
      }),
    );
  });
});
