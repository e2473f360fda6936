import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readListenAddress, showListenAddress } from "../../src/config/listen.ts";

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
    ["/run/sluice.sock", "Unix sockets are not supported yet"],
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
