import { describe, expect, test } from "bun:test";
import { defaultDraft, OPTIONS } from "../../src/config/options.ts";
import type { SettingValues } from "../../src/config/settings.ts";

/** The compiler keeps this complete, and with it the table. */
const DEFAULTS: SettingValues = {
  listen: [{ host: undefined, port: 5140 }],
  maxClients: 5,
  bufferPoolMaxSize: 16384,
  udpReceiveBufferSize: undefined,
  upstreamInterface: undefined,
  upstreamInterfaceMulticast: undefined,
  upstreamInterfaceHttp: undefined,
  httpProxyUserAgent: undefined,
  proxyHttps: false,
  multicastRejoinInterval: 0,
  multicastGapTimeout: 15,
  fastStart: true,
  verbosity: 1,
  udpxy: true,
};

function effectOf(long: string) {
  const effect = OPTIONS.find((option) => option.long === long)?.effect;
  if (effect?.kind !== "set") throw new Error(`--${long} sets nothing`);
  return effect;
}

describe("the table", () => {
  test("gives every setting its default", () => {
    const { values, given } = defaultDraft();
    expect(Object.keys(values).sort()).toEqual(Object.keys(DEFAULTS).sort());
    expect(values).toEqual(DEFAULTS);
    expect(given.size).toBe(0);
  });

  test("has each name once, in the form that the parser expects", () => {
    const names = OPTIONS.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
    const keys = OPTIONS.flatMap(({ keys = [] }) => keys);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { long, short } of OPTIONS) {
      expect(long).toMatch(/^[a-z0-9][a-z0-9-]+$/);
      if (short !== undefined) expect(short).toMatch(/^[A-Za-z]$/);
    }
    for (const key of keys) expect(key).toMatch(/^[a-z0-9_-]+$/);
  });

  test("a key of the file can say what its flag says, and the opposite", () => {
    const draft = defaultDraft();
    const effect = effectOf("no-fast-start");
    effect.apply(draft, undefined);
    expect(draft.values.fastStart).toBe(false);
    effect.apply(draft, "yes");
    expect(draft.values.fastStart).toBe(true);
  });

  test("a refused text changes nothing and does not count as given", () => {
    const draft = defaultDraft();
    expect(effectOf("udp-rcvbuf-size").apply(draft, "65535")).toEqual({
      refused: "Invalid udp-rcvbuf-size! Must be >= 65536 (64KB). Ignoring.",
      fatal: false,
    });
    expect(draft).toEqual(defaultDraft());
  });

  test("a reset brings the default back", () => {
    const draft = defaultDraft();
    for (const long of ["udp-rcvbuf-size", "maxclients"]) {
      effectOf(long).apply(draft, "70000");
      effectOf(long).apply(draft, "7");
      effectOf(long).reset(draft);
    }
    effectOf("quiet").apply(draft, undefined);
    effectOf("quiet").reset(draft);
    expect(draft.values).toEqual({ ...DEFAULTS, verbosity: 0 });
    effectOf("verbose").reset(draft);
    expect(draft.values).toEqual(DEFAULTS);
  });
});
