import { describe, expect, test } from "bun:test";
import { dirname, resolve } from "node:path";
import fc from "fast-check";
import {
  anyText,
  boolean,
  hostNames,
  integer,
  interfaceName,
  logLevel,
  optionalText,
  pagePath,
  pathPrefix,
  playlistUrls,
  portRange,
  publicHost,
  serverAddress,
  textOr,
} from "../../src/config/values.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";

/** A number as the program reads it; NaN for what is none. */
function numberOf(text: string): number {
  const reading = integer(-(2 ** 31)).read(text, "number", undefined);
  return "value" in reading ? reading.value : Number.NaN;
}

test.each([
  ["5", 5],
  [" \t\n\v\f\r7", 7],
  ["+3", 3],
  ["-3", -3],
  ["-0", 0],
  ["12 abc", 12],
  ["12;abc", 12],
  ["12# abc", 12],
  ["12abc", Number.NaN],
  ["2h", Number.NaN],
  ["12é", Number.NaN],
  ["0x10", Number.NaN],
  ["1.9", Number.NaN],
  ["", Number.NaN],
  ["abc", Number.NaN],
  ['"3"', Number.NaN],
  ["- 3", Number.NaN],
  ["--3", Number.NaN],
  ["99999999999999999999", 2147483647],
  ["-99999999999999999999", -2147483647],
])("the number %p", (text, value) => {
  expect(numberOf(text)).toBe(value);
});

test("any text is a 32-bit number or none", () => {
  fc.assert(
    fc.property(fc.string(), (text) =>
      expect(Math.abs(numberOf(text)) < 2 ** 31 || !/^\s*[+-]?\d+$/.test(text)).toBeTrue(),
    ),
  );
  fc.assert(fc.property(fc.integer({ min: -2147483647 }), (value) => expect(numberOf(`${value} x`)).toBe(value)));
});

describe("integer", () => {
  test.each([
    ["1", 1],
    ["256", 256],
    ["12 clients", 12],
  ])("accepts %p", (text, value) => {
    expect(integer(1, 256).read(text, "maxclients", undefined)).toEqual({ value });
  });

  test.each(["0", "257", "-1", "", "many"])("refuses %p", (text) => {
    expect(integer(1, 256).read(text, "maxclients", undefined)).toEqual({
      refused: "Invalid maxclients! Must be between 1 and 256. Ignoring.",
      fatal: false,
    });
  });

  test("without a maximum says so", () => {
    expect(integer(0).read("2147483647", "x", undefined)).toEqual({ value: 2147483647 });
    expect(integer(0).read("-1", "x", undefined)).toEqual({
      refused: "Invalid x! Must be >= 0. Ignoring.",
      fatal: false,
    });
  });
});

test.each(["1", "on", "TRUE", "Yes"])("%p is true", (text) => {
  expect(boolean.read(text, "", undefined)).toEqual({ value: true });
});

test.each(["", "0", "off", "no", "False"])("%p is false", (text) => {
  expect(boolean.read(text, "", undefined)).toEqual({ value: false });
});

test.each(["2", "y", "on ", "yes please", "ture", "enabled"])("%p is false, and said to be no boolean", (text) => {
  const refused = `Invalid xff value: ${text}! Must be on or off. Taken as off.`;
  expect(boolean.read(text, "xff", undefined)).toEqual({ value: false, refused });
});

test.each([
  ["0", 0],
  ["3", 3],
  ["9", 4],
  ["2 # warnings", 2],
  ["debug", 4],
  ["Warning", 2],
  ["fatal", 0],
] as const)("log level %p", (text, value) => {
  expect(logLevel.read(text, "", undefined)).toEqual({ value });
});

test.each(["loud", "", "-2", "3x", '"3"', "0x3", "verbose", "-l"])(
  "log level %p is refused, and so silences nothing",
  (text) => {
    const refused = `Invalid verbosity value: ${text}! Must be 0 to 4, or fatal, error, warn, info, debug. Ignoring.`;
    expect(logLevel.read(text, "verbosity", 2)).toEqual({ refused, fatal: false });
  },
);

test.each(["https://", "tv.example:0", "a b", "[::1", '"tv.example:80"'])(
  "the host %p admits nobody, and is told",
  (text) => {
    const refused = `Invalid hostname! Until it is a host, HOST:PORT or a URL, every request is refused: ${text}`;
    expect(publicHost.read(text, "hostname", undefined)).toEqual({ value: parsePublicHost(text), refused });
  },
);

test.each([
  ["eth0", "eth0"],
  ["", undefined],
  ["abcdefghijklmnopq", "abcdefghijklmno"],
  ["ääääääää", "äääääää"],
])("interface name %p keeps at most 15 bytes", (text, value) => {
  expect(interfaceName.read(text, "", undefined)).toEqual({ value });
});

test("an empty text means none, a fallback, or itself", () => {
  expect(optionalText.read("", "", undefined)).toEqual({ value: undefined });
  expect(textOr("x").read("", "", undefined)).toEqual({ value: "x" });
  expect(anyText.read("", "", undefined)).toEqual({ value: "" });
  for (const type of [optionalText, textOr("x"), anyText])
    expect(type.read(' "a" ', "", undefined)).toEqual({ value: ' "a" ' });
});

describe("paths", () => {
  test.each([
    ["/status", "/status"],
    ["status", "/status"],
    ["///a//b///", "/a//b"],
    ["/", "/"],
    ["////", "/"],
    ["/A%2fb/ c", "/A%2fb/ c"],
  ])("%p of a page is %p", (text, value) => {
    expect(pagePath.read(text, "status-page-path", undefined)).toEqual({ value });
    expect(pathPrefix.read(text, "app-path-prefix", undefined)).toEqual<unknown>({
      value: value === "/" ? undefined : value,
    });
  });

  test("an empty one is refused for a page and no prefix", () => {
    expect(pagePath.read("", "player-page-path", undefined)).toEqual({
      refused: "player-page-path cannot be empty, keeping previous value",
      fatal: false,
    });
    expect(pathPrefix.read("", "app-path-prefix", undefined)).toEqual({ value: undefined });
  });

  test.each([pagePath, pathPrefix])("2047 bytes are too many", (type) => {
    expect(type.read(`/${"a".repeat(2045)}`, "x", undefined)).toEqual({ value: `/${"a".repeat(2045)}` });
    expect(type.read(`/${"a".repeat(2046)}`, "x", undefined)).toEqual({
      refused: "x is too long, keeping previous value",
      fatal: false,
    });
    expect(type.read(`/${"é".repeat(1023)}`, "x", undefined)).toMatchObject({ fatal: false });
  });
});

describe("port ranges", () => {
  test.each([
    ["8000", { min: 8000, max: 8000 }, "8000"],
    ["1-65535", { min: 1, max: 65535 }, "1-65535"],
    [" 40000\t- 40100 ", { min: 40000, max: 40100 }, "40000-40100"],
    ["7-7", { min: 7, max: 7 }, "7"],
  ])("%p", (text, value, shown) => {
    expect(portRange.read(text, "x", undefined)).toEqual({ value });
    expect(portRange.show(value)).toBe(shown);
  });

  test.each(["", "0", "0-5", "5-4", "65536", "1-65536", "a", "1-", "-1", "1-2-3", "1 2", "1-2x", "123456"])(
    "%p is refused",
    (text) => {
      const refused = `Invalid fcc-listen-port-range value: ${text}`;
      expect(portRange.read(text, "fcc-listen-port-range", undefined)).toEqual({ refused, fatal: false });
    },
  );
});

describe("server addresses", () => {
  const type = serverAddress(3478);

  test.each([
    ["stun.example", { host: "stun.example", port: 3478 }, "stun.example:3478"],
    ["stun.example:19302", { host: "stun.example", port: 19302 }, "stun.example:19302"],
    ["192.0.2.1:1", { host: "192.0.2.1", port: 1 }, "192.0.2.1:1"],
    ["2001:db8::1", { host: "2001:db8::1", port: 3478 }, "[2001:db8::1]:3478"],
    ["[2001:db8::1]:5", { host: "2001:db8::1", port: 5 }, "[2001:db8::1]:5"],
  ])("%p", (text, value, shown) => {
    expect(type.read(text, "x", undefined)).toEqual({ value });
    expect(type.show(value)).toBe(shown);
  });

  test("an empty one is none", () => expect(type.read("", "x", undefined)).toEqual({ value: undefined }));

  test.each(["a b", "a:0", "a:65536", ":5", "[::1", "stun:a:5"])("%p is refused", (text) => {
    const refused = `Invalid rtsp-stun-server value: ${text}`;
    expect(type.read(text, "rtsp-stun-server", undefined)).toEqual({ refused, fatal: false });
  });
});

describe("playlist URLs", () => {
  test.each([
    ["http://a/b", ["http://a/b"]],
    ["HTTPS://a", ["HTTPS://a"]],
    ["file:///my list.m3u", ["file:///my list.m3u"]],
    [
      "http://a/  file:///my list.m3u \thttps://b/?u=http://c",
      ["http://a/", "file:///my list.m3u", "https://b/?u=http://c"],
    ],
  ])("%p", (text, value) => {
    expect(playlistUrls.read(text, "x", undefined)).toEqual({ value });
    expect(playlistUrls.read(playlistUrls.show(value), "x", undefined)).toEqual({ value });
    expect(playlistUrls.read(text, "x", ["file:///0"])).toEqual({ value: ["file:///0", ...value] });
  });

  test("an empty text takes all back", () => {
    expect(playlistUrls.read("", "x", ["file:///0"])).toEqual({ value: [] });
    expect(playlistUrls.show([])).toBe("");
  });

  test.each([
    ["/list.m3u", ["file:///list.m3u"]],
    ["/my list.m3u", ["file:///my list.m3u"]],
    ["/a/../b.m3u", ["file:///b.m3u"]],
    ["/a /b\t./c", ["file:///a", "file:///b", `file://${process.cwd()}/c`]],
    ["/a http://b/c", ["file:///a", "http://b/c"]],
    ["http://b/c /a", ["http://b/c", "file:///a"]],
    ["list.m3u", [`file://${process.cwd()}/list.m3u`]],
    ["../list.m3u8", [`file://${dirname(process.cwd())}/list.m3u8`]],
    ["file:/list.m3u", ["file:///list.m3u"]],
    ["FILE:///List.m3u", ["file:///List.m3u"]],
    ["file://localhost/list.m3u", ["file:///list.m3u"]],
  ])("the path %p is a URL", (text, value) => {
    expect(playlistUrls.read(text, "x", undefined)).toEqual({ value });
  });

  test.each(["tv.example/list.m3u", "192.168.1.1:8080/a", "nas:80/a", "tv.example:80/get.php?u=1"])(
    "%p lacks its scheme",
    (text) => {
      const refused = `Invalid external-m3u value: ${text}: write http:// before the name of a server, or ./ before a path`;
      expect(playlistUrls.read(text, "external-m3u", undefined)).toEqual({ refused, fatal: false });
    },
  );

  test.each(["lists/a.m3u", "./tv.example/list.m3u", "a.m3u", "../a.b/c", "my lists/x.m3u"])("%p is a path", (text) => {
    expect(playlistUrls.read(text, "x", undefined)).toEqual({ value: [`file://${resolve(text)}`] });
  });

  test.each(["ftp://a", "http://", "http:/a", "file://list.m3u", "file:list.m3u", "rtp://239.1.1.1:5000"])(
    "%p is refused",
    (text) => {
      const refused = `Invalid external-m3u value: ${text}: must be a path, or begin with file://, http:// or https://`;
      expect(playlistUrls.read(text, "external-m3u", undefined)).toEqual({ refused, fatal: false });
    },
  );
});

describe("names of this relay", () => {
  test("are separated by blanks and commas, and add up", () => {
    const given = hostNames.read("a", "allowed-hosts", []);
    expect("value" in given && given.value.map(({ text }) => text)).toEqual(["a"]);
    const more = hostNames.read(" b:80,\t.c , *", "allowed-hosts", "value" in given ? given.value : []);
    expect("value" in more && hostNames.show(more.value)).toBe("a b:80 .c *");
    expect(hostNames.read(" ", "allowed-hosts", "value" in more ? more.value : [])).toEqual({ value: [] });
  });

  test.each([
    ["a http://b", "http://b: must be HOST, HOST:PORT, .DOMAIN or *. Ignoring all."],
    ["*.a", "*.a: must be HOST, HOST:PORT, .DOMAIN or *. Ignoring all."],
    ["a ".repeat(65), "more than 64 names. Ignoring."],
  ])("%p is refused", (text, why) => {
    const refused = `Invalid allowed-hosts value: ${why}`;
    expect(hostNames.read(text, "allowed-hosts", undefined)).toEqual({ refused, fatal: false });
  });
});
