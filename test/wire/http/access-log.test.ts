import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type AccessLogEntry,
  accessLogLine,
  DEFAULT_ACCESS_LOG_FORMAT,
  parseAccessLogFormat,
} from "../../../src/wire/http/access-log.ts";
import { asByteString, utf8Encode } from "../../../src/wire/text/byte-string.ts";

const ACCESS_LOG_LINE_MAX_BYTES = 8192;

/** 2026-06-25T12:10:12.123Z */
const TIME = 1_782_389_412_123;
const CHINA = 480;

const ENTRY: AccessLogEntry = {
  time: TIME,
  zoneOffset: CHINA,
  clientAddress: "192.0.2.7:40312",
  workerPid: 4711,
  method: "GET",
  serviceUrl: asByteString("/rtp/239.0.0.1:1234?fcc=192.0.2.1:8027"),
  host: "tv.example:5140",
  userAgent: "VLC/3.0",
  forwardedFor: "198.51.100.9",
  serviceType: "rtp",
  upstreamUrl: asByteString("rtp://239.0.0.1:1234?fcc=192.0.2.1:8027"),
};

function line(format: string, changes: Partial<AccessLogEntry> = {}): string {
  return accessLogLine(parseAccessLogFormat(format), { ...ENTRY, ...changes });
}

describe("the format", () => {
  test("is by default address, time, service, type and upstream", () => {
    const service = "/rtp/239.0.0.1:1234?fcc=192.0.2.1:8027";
    const upstream = "rtp://239.0.0.1:1234?fcc=192.0.2.1:8027";
    expect(line(DEFAULT_ACCESS_LOG_FORMAT)).toBe(
      `192.0.2.7:40312 [2026-06-25T20:10:12+08:00] "${service}" rtp "${upstream}"\n`,
    );
  });

  test.each([
    ["$time_iso8601", "2026-06-25T20:10:12+08:00"],
    ["$time_local", "25/Jun/2026:20:10:12 +0800"],
    ["$msec", "1782389412.123"],
    ["$client_addr", "192.0.2.7:40312"],
    ["$remote_addr", "192.0.2.7"],
    ["$remote_port", "40312"],
    ["$worker_pid", "4711"],
    ["$request", "GET /rtp/239.0.0.1:1234?fcc=192.0.2.1:8027"],
    ["$request_method", "GET"],
    ["$service_url", "/rtp/239.0.0.1:1234?fcc=192.0.2.1:8027"],
    ["$host", "tv.example:5140"],
    ["$http_user_agent", "VLC/3.0"],
    ["$http_x_forwarded_for", "198.51.100.9"],
    ["$service_type", "rtp"],
    ["$upstream_url", "rtp://239.0.0.1:1234?fcc=192.0.2.1:8027"],
  ])("knows %s", (format, value) => {
    expect(line(format)).toBe(`${value}\n`);
  });

  test.each([
    ["", ""],
    ["plain text", "plain text"],
    ["$$", "$"],
    ["$$host", "$host"],
    ["$$$host", "$tv.example:5140"],
    ["$host$host", "tv.example:5140tv.example:5140"],
    ["$host.$host-", "tv.example:5140.tv.example:5140-"],
    ["$hosts", "$hosts"],
    ["$host_", "$host_"],
    ["$host1", "$host1"],
    ["$Host", "$Host"],
    ["$unknown $_x9", "$unknown $_x9"],
    ["$constructor $__proto__", "$constructor $__proto__"],
    [`\${host}`, `\${host}`],
    ["$", "$"],
    ["a$", "a$"],
    ["$ $1 $-", "$ $1 $-"],
    ["$é", utf8Encode("$é")],
    ['"\\\t频道', utf8Encode('"\\\t频道')],
  ])("reads %j as %j", (format, expected) => {
    expect(line(format)).toBe(`${expected}\n`);
  });
});

describe("a value", () => {
  test.each([
    ["", "-"],
    ["-", "-"],
    ["\\", "\\\\"],
    ['a"b', 'a\\"b'],
    ["\n\r\t", "\\n\\r\\t"],
    ["\0\x07\x1b[31m\x7f", "\\x00\\x07\\x1B[31m\\x7F"],
    [utf8Encode("é频"), utf8Encode("é频")],
    ["\x80\xff", "\x80\xff"],
    ["$host $$", "$host $$"],
  ])("%j is shown as %j", (host, shown) => {
    expect(line("$host", { host })).toBe(`${shown}\n`);
  });

  test.each([
    ["192.0.2.1:80", "192.0.2.1", "80"],
    ["[2001:db8::1]:443", "2001:db8::1", "443"],
    ["[2001:db8::1]", "2001:db8::1", "-"],
    ["2001:db8::1", "2001:db8::1", "-"],
    ["::1", "::1", "-"],
    ["localhost", "localhost", "-"],
    ["198.51.100.9", "198.51.100.9", "-"],
    ["198.51.100.9:", "198.51.100.9", "-"],
    ["", "-", "-"],
    ["[broken", "[broken", "-"],
    ["[::1]x:80", "[::1]x:80", "-"],
  ])("the client %j has address %j and port %j", (clientAddress, address, port) => {
    expect(line("$remote_addr $remote_port", { clientAddress })).toBe(`${address} ${port}\n`);
  });

  test.each([
    [0, "2026-06-25T12:10:12+00:00", "25/Jun/2026:12:10:12 +0000"],
    [-210, "2026-06-25T08:40:12-03:30", "25/Jun/2026:08:40:12 -0330"],
    [345, "2026-06-25T17:55:12+05:45", "25/Jun/2026:17:55:12 +0545"],
    [765, "2026-06-26T00:55:12+12:45", "26/Jun/2026:00:55:12 +1245"],
  ])("the time %s minutes from UTC is %s", (zoneOffset, iso, local) => {
    expect(line("$time_iso8601 $time_local", { zoneOffset })).toBe(`${iso} ${local}\n`);
  });

  test("the milliseconds have three digits", () => {
    expect(line("$msec", { time: 5_000 })).toBe("5.000\n");
    expect(line("$msec", { time: 5_007.9 })).toBe("5.007\n");
  });
});

describe("a long line", () => {
  const overhead = 1;
  const longest = ACCESS_LOG_LINE_MAX_BYTES - overhead;

  test.each([
    [longest - 1, longest],
    [longest, longest + 1],
    [longest + 1, longest + 1],
    [100_000, longest + 1],
  ])("of %i bytes is written as %i", (length, written) => {
    const text = line("$host", { host: "x".repeat(length) });
    expect(text).toHaveLength(written);
    expect(text).toEndWith("x\n");
  });

  test.each([0, 1, 2, 3])("is not cut inside a character (%i bytes before them)", (before) => {
    const text = line("$host", { host: "x".repeat(before) + utf8Encode("😀".repeat(3000)) });
    expect(text.length).toBeGreaterThan(ACCESS_LOG_LINE_MAX_BYTES - 4);
    expect(text.length).toBeLessThanOrEqual(ACCESS_LOG_LINE_MAX_BYTES);
    expect(Buffer.from(text, "latin1").toString("utf8")).not.toContain("\ufffd");
  });

  test("of bytes that are no characters is cut all the same", () => {
    expect(line("$host", { host: "\x80".repeat(10_000) })).toHaveLength(ACCESS_LOG_LINE_MAX_BYTES);
  });
});

const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) });
const variable = fc.constantFrom(
  "host",
  "http_user_agent",
  "client_addr",
  "remote_addr",
  "remote_port",
  "upstream_url",
);

describe("any request", () => {
  test("is one line of limited length that no value can break or fake", () => {
    fc.assert(
      fc.property(fc.string(), variable, bytes, fc.integer({ min: 0, max: 3000 }), (literal, name, value, times) => {
        const format = `${literal.replaceAll("\n", "")} "$${name}"`;
        const repeated = value.repeat(times);
        const text = line(format, {
          host: repeated,
          userAgent: repeated,
          clientAddress: repeated,
          upstreamUrl: asByteString(repeated),
        });
        expect(text.indexOf("\n")).toBe(text.length - 1);
        expect(text.length).toBeLessThanOrEqual(ACCESS_LOG_LINE_MAX_BYTES);
      }),
    );
  });

  test("gives its value back when the escapes are undone", () => {
    const names: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
    fc.assert(
      fc.property(
        bytes.filter((value) => value !== "" && value !== "-"),
        (host) => {
          const shown = line("$host", { host }).slice(0, -1);
          expect(shown).toMatch(/^[ -~\u0080-\u00ff]+$/);
          const undone = shown.replace(/\\(x(..)|.)/g, (_, what: string, code?: string) =>
            code === undefined ? (names[what] ?? what) : String.fromCharCode(Number.parseInt(code, 16)),
          );
          expect(undone).toBe(host);
        },
      ),
    );
  });

  test("has a time that reads back", () => {
    // The years that are written in four digits, in the zones that there are.
    const time = fc.integer({ min: 0, max: 253_000_000_000_000 });
    const zone = fc.integer({ min: -12 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(time, zone, (at, zoneOffset) => {
        const [iso = "", msec] = line("$time_iso8601 $msec", { time: at, zoneOffset }).trimEnd().split(" ");
        expect(Date.parse(iso)).toBe(at - (at % 1000));
        expect(Math.round(Number(msec) * 1000)).toBe(at);
      }),
    );
  });

  test("and any format give a line, whatever the clock says", () => {
    fc.assert(
      fc.property(fc.string(), fc.double(), fc.double(), (format, time, zoneOffset) => {
        expect(line(`${format}$time_local$time_iso8601$msec`, { time, zoneOffset })).toEndWith("\n");
      }),
    );
  });
});
