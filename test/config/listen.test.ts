import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  isTcpAddress,
  listenAddresses,
  readBindLine,
  showBindLine,
  showListenAddress,
} from "../../src/config/listen.ts";

function readListenAddress(text: string) {
  const reading = listenAddresses.read(text, "listen", undefined);
  return "value" in reading ? { value: reading.value[0]! } : reading;
}

describe("listen arguments", () => {
  test.each([
    ["5140", undefined, 5140],
    ["0", undefined, 0],
    ["65535", undefined, 65535],
    ["*:8080", undefined, 8080],
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["192.168.1.1:8081", "192.168.1.1", 8081],
    ["tv.example:5140", "tv.example", 5140],
    ["[::1]:5140", "::1", 5140],
    ["[::]:5140", "::", 5140],
    ["[fe80::1%eth0]:5140", "fe80::1%eth0", 5140],
    // Split at the last colon, brackets or not.
    ["2001:db8::1:5140", "2001:db8::1", 5140],
  ])("%s", (text, host, port) => {
    expect(readListenAddress(text)).toEqual({ value: { host, port } });
  });

  test.each([
    ["[::1", "write an IPv6 address as [ADDRESS]:PORT"],
    ["[::1]", "write an IPv6 address as [ADDRESS]:PORT"],
    ["[::1]5140", "write an IPv6 address as [ADDRESS]:PORT"],
    ["[::1]:", "the port must be a number from 0 to 65535"],
    ["[192.0.2.1]:80", "192.0.2.1 is not an IPv6 address"],
    ["[*]:80", "* is not an IPv6 address"],
    ["http://tv.example:80", "http://tv.example is not an IPv6 address"],
    ["tv/example:80", "tv/example is not a host name or address"],
    ["tv example:80", "tv example is not a host name or address"],
    ["**:80", "** is not a host name or address"],
    [":80", "the address is empty; write *:PORT for all addresses"],
    ["", "the port must be a number from 0 to 65535"],
    ["tv.example", "the port must be a number from 0 to 65535"],
    ["tv.example:", "the port must be a number from 0 to 65535"],
    ["65536", "the port must be a number from 0 to 65535"],
    ["-1", "the port must be a number from 0 to 65535"],
    ["80 ", "the port must be a number from 0 to 65535"],
    ["0x50", "the port must be a number from 0 to 65535"],
    ["*:123456", "the port must be a number from 0 to 65535"],
  ])("%p is refused", (text, reason) => {
    expect(readListenAddress(text)).toEqual({ refused: `Invalid listen address "${text}": ${reason}`, fatal: true });
  });

  test("a path is a Unix socket", () => {
    expect(readListenAddress("/run/x:80")).toEqual({ value: { path: "/run/x:80" } });
    expect(isTcpAddress({ path: "/run/x" })).toBe(false);
    expect(isTcpAddress({ host: undefined, port: 0 })).toBe(true);
  });

  test.each(["/a b", "/a\tb", "/a\rb", "/a\nb", "/a\0b"])("%p is no path of a Unix socket", (path) => {
    expect(readListenAddress(path)).toEqual({ refused: `Invalid Unix socket bind path: ${path}`, fatal: true });
  });

  test("what is shown is read back", () => {
    const host = fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), { nil: undefined });
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65535 }), (host, port) => {
        expect(readListenAddress(showListenAddress({ host, port }))).toEqual({ value: { host, port } });
      }),
    );
  });

  test("any text is read or refused, never thrown at", () => {
    const piece = fc.oneof(fc.constantFrom("[", "]", ":", "*", "/", "::", "80"), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const reading = readListenAddress(pieces.join(""));
        if ("value" in reading) {
          expect(readListenAddress(showListenAddress(reading.value))).toEqual(reading);
        } else expect(reading.refused).not.toBe("");
      }),
    );
  });
});

describe("lines of [bind]", () => {
  const servicePort = (name: string) => (name === "http-alt" ? 8080 : undefined);

  test.each([
    ["* 5140", { host: undefined, port: 5140 }],
    ["192.168.1.1 8081", { host: "192.168.1.1", port: 8081 }],
    ["192.168.1.1\t \t8081 and more", { host: "192.168.1.1", port: 8081 }],
    ["host.example http-alt", { host: "host.example", port: 8080 }],
    ["2001:db8::1 5140", { host: "2001:db8::1", port: 5140 }],
    ["[2001:db8::1] 5140", { host: "2001:db8::1", port: 5140 }],
    ["/run/x.sock", { path: "/run/x.sock" }],
  ])("%p", (line, value) => {
    expect(readBindLine(line, servicePort)).toEqual({ value });
    expect(readBindLine(showBindLine(value), servicePort)).toEqual({ value });
  });

  test.each([
    ["192.168.1.1", "Invalid TCP bind address line: missing port for 192.168.1.1"],
    ["5140", 'Invalid TCP bind address line: missing port for 5140; write it as "* 5140"'],
    ["[::1]:80", 'Invalid TCP bind address line: missing port for [::1]:80; write it as "::1 80"'],
    ["* 65536", "Invalid TCP bind address line: unknown port 65536 for *"],
    ["* bogus", "Invalid TCP bind address line: unknown port bogus for *"],
    ["a/b 80", "Invalid TCP bind address line: a/b is not a host name or address"],
    ["[192.0.2.1] 80", "Invalid TCP bind address line: 192.0.2.1 is not an IPv6 address"],
    ["1.2.3.4:80 80", "Invalid TCP bind address line: 1.2.3.4:80 is not an IPv6 address"],
    ["/run/a b", "Invalid Unix socket bind path (whitespace is not supported): /run/a b"],
  ])("%p is refused", (line, refused) => {
    expect(readBindLine(line, servicePort)).toEqual({ refused, fatal: false });
  });
});

test("listen addresses add up, and a bad one is refused", () => {
  const first = { host: "a", port: 1 };
  expect(listenAddresses.read("b:2", "listen", [first])).toEqual({ value: [first, { host: "b", port: 2 }] });
  expect(listenAddresses.read("*", "listen", [first])).toMatchObject({ fatal: true });
  expect(listenAddresses.show([first, { host: "::", port: 2 }, { path: "/x" }])).toBe("a:1, [::]:2, /x");
});
