import { expect, test } from "bun:test";
import { exposedListener } from "../../src/supervisor/exposure.ts";

const HOME = ["127.0.0.1", "192.168.1.2", "::1", "fe80::1", "fd00::2"];

test.each<[listen: string, own: readonly string[], exposed: string | undefined]>([
  ["0.0.0.0", HOME, undefined],
  ["::", HOME, undefined],
  ["0.0.0.0", [...HOME, "8.8.4.4"], "8.8.4.4 port 5140"],
  ["::", [...HOME, "8.8.4.4"], undefined],
  ["::", [...HOME, "2a00:1::5"], "2a00:1::5 port 5140"],
  ["0.0.0.0", [...HOME, "2a00:1::5"], undefined],
  ["192.168.1.2", [...HOME, "8.8.4.4"], undefined],
  ["8.8.4.4", HOME, "8.8.4.4 port 5140"],
  ["2a00:1::5", HOME, "2a00:1::5 port 5140"],
  ["10.1.1.1", [], undefined],
  ["100.64.0.1", [], undefined],
  ["172.31.0.1", [], undefined],
  ["172.32.0.1", [], "172.32.0.1 port 5140"],
  ["203.0.113.9", [], undefined],
  ["2001:db8::1", [], undefined],
])("%s on a machine with %p: %s", (address, own, exposed) => {
  expect(exposedListener([{ address, port: 5140 }], own)).toBe(exposed as string);
});

test("the first of several is told; without listeners there is none", () => {
  const listeners = ["127.0.0.1", "8.8.4.4", "1.1.1.1"].map((address, i) => ({ address, port: 80 + i }));
  expect(exposedListener(listeners, [])).toBe("8.8.4.4 port 81");
  expect(exposedListener([], ["8.8.4.4"])).toBeUndefined();
});
