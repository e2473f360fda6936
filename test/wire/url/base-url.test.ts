import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { type BaseUrlRules, baseUrl } from "../../../src/wire/url/base-url.ts";
import { parsePublicHost } from "../../../src/wire/url/public-host.ts";

const RULES: BaseUrlRules = {
  relative: false,
  appPathPrefix: asByteString(""),
  trustForwarded: false,
  local: { host: "192.168.1.1", port: 5140 },
};

function base(headers: Readonly<Record<string, string>>, more: Partial<BaseUrlRules> = {}): string {
  return baseUrl(Object.entries(headers), { ...RULES, ...more });
}

test("relative URLs have the prefix only", () => {
  expect(base({ Host: "h" }, { relative: true })).toBe("/");
  expect(
    base({}, { relative: true, appPathPrefix: asByteString("/a/b"), hostname: parsePublicHost("https://x") }),
  ).toBe("/a/b/");
});

describe("the host that the client named", () => {
  test.each([
    ["h", "http://h/"],
    ["H:80", "http://H:80/"],
    ["[2001:db8::1]:5140", "http://[2001:db8::1]:5140/"],
    ["2001:db8::1", "http://[2001:db8::1]/"],
  ])("%j stands there as it came", (host, url) => {
    expect(base({ host })).toBe(url);
    expect(base({ host }, { appPathPrefix: asByteString("/tv") })).toBe(`${url}tv/`);
  });

  test.each(["a".repeat(256), 'h"', "h/x", "a b", "@"])(
    "is believed of a proxy only where it is one: %j",
    (forwarded) => {
      const headers = { Host: "h", "X-Forwarded-Host": forwarded, "X-Forwarded-Proto": "x".repeat(33) };
      expect(base(headers, { trustForwarded: true })).toBe("http://h/");
    },
  );

  test("has the scheme of the configured hostname, not its path or port", () => {
    expect(base({ Host: "h:1" }, { hostname: parsePublicHost("https://x:8443/path") })).toBe("https://h:1/");
    expect(base({ Host: "h:1" }, { hostname: parsePublicHost("x:8443") })).toBe("http://h:1/");
  });
});

describe("forwarded headers", () => {
  const headers = { Host: "h", "X-Forwarded-Host": " tv.example:8443 , inner", "X-Forwarded-Proto": "https,http" };

  test("count when they are trusted", () => {
    expect(base(headers)).toBe("http://h/");
    expect(base(headers, { trustForwarded: true, hostname: parsePublicHost("ftp://x") })).toBe(
      "https://tv.example:8443/",
    );
  });

  test("count each for itself", () => {
    const trust = { trustForwarded: true };
    expect(base({ Host: "h", "X-Forwarded-Proto": "https" }, trust)).toBe("https://h/");
    expect(base({ "X-Forwarded-Host": "::1" }, trust)).toBe("http://[::1]/");
    expect(base({ Host: "h", "X-Forwarded-Host": "", "X-Forwarded-Proto": "/x" }, trust)).toBe("http://h/");
  });
});

describe("without a host in the request", () => {
  test("the relay's own address stands there", () => {
    expect(base({})).toBe("http://192.168.1.1:5140/");
    expect(base({ Host: "" }, { appPathPrefix: asByteString("/tv") })).toBe("http://192.168.1.1:5140/tv/");
    expect(base({}, { local: { host: "192.168.1.1", port: 80 } })).toBe("http://192.168.1.1/");
    expect(base({}, { local: { host: "2001:db8::1", port: 443 } })).toBe("http://[2001:db8::1]:443/");
    expect(base({ "X-Forwarded-Proto": "https" }, { trustForwarded: true })).toBe("http://192.168.1.1:5140/");
  });

  test.each([
    ["x", "http://x:5140/"],
    ["x:80", "http://x/"],
    ["x:8080", "http://x:8080/"],
    ["[::1]:8080", "http://[::1]:8080/"],
    ["http://x", "http://x/"],
    ["https://x", "https://x/"],
    ["https://x:443/a", "https://x/a/"],
    ["HTTPS://x:443/a/", "HTTPS://x/a/"],
    ["https://x:80", "https://x:80/"],
    ["http://x:y/", "http://192.168.1.1:5140/"],
  ])("the configured hostname %j means %s", (hostname, url) => {
    expect(base({}, { hostname: parsePublicHost(hostname) })).toBe(url);
  });

  test("the prefix goes before the hostname's own path", () => {
    expect(base({}, { hostname: parsePublicHost("https://x/a/"), appPathPrefix: asByteString("/tv") })).toBe(
      "https://x/tv/",
    );
  });
});

test("whatever comes in, it ends in a slash", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (host, proto, hostname, trustForwarded) => {
      const headers = { Host: host, "X-Forwarded-Proto": proto, "X-Forwarded-Host": proto };
      expect(base(headers, { hostname: parsePublicHost(hostname), trustForwarded })).toEndWith("/");
    }),
  );
});
