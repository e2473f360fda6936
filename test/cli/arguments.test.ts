import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseArguments } from "../../src/cli/arguments.ts";
import type { CommandLine } from "../../src/config/load.ts";
import { OPTIONS } from "../../src/config/options.ts";
import type { SettingValues } from "../../src/config/settings.ts";
import { LOG_ERROR, LOG_FATAL } from "../../src/system/log.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";

function commandLineOf(...argv: string[]): CommandLine {
  const { commandLine, diagnostics, action } = parseArguments(argv);
  expect(diagnostics).toEqual([]);
  expect(action).toEqual({ kind: "run" });
  return commandLine;
}

function settingsOf(...argv: string[]): Readonly<SettingValues> {
  return commandLineOf(...argv).values;
}

function usageErrorOf(...argv: string[]): [word: string, diagnostic: string] {
  const { diagnostics, action } = parseArguments(argv);
  if (action.kind !== "usage") throw new Error(`understood as ${action.kind}`);
  expect(diagnostics).toEqual([{ level: LOG_FATAL, message: expect.stringMatching(/^Unknown option! -/) }]);
  return [diagnostics[0]?.message.slice("Unknown option! ".length) ?? "", action.diagnostic];
}

describe("forms of an option", () => {
  test.each([[["--maxclients", "7"]], [["--maxclients=7"]], [["-m", "7"]], [["-m7"]], [["--maxc", "7"]], [["--ma=7"]]])(
    "%p",
    (argv) => {
      const { values, given } = commandLineOf(...argv);
      expect(values.maxClients).toBe(7);
      expect([...given]).toEqual(["maxClients"]);
    },
  );

  test("flags form clusters, the last of which may take an argument", () => {
    expect(settingsOf("-UC")).toMatchObject({ udpxy: false });
    expect(settingsOf("-UCqm7")).toMatchObject({ udpxy: false, verbosity: 0, maxClients: 7 });
    expect(settingsOf("-Um", "7")).toMatchObject({ udpxy: false, maxClients: 7 });
  });

  test("an argument may look like an option", () => {
    expect(settingsOf("-i", "-U")).toMatchObject({ upstreamInterface: "-U", udpxy: true });
    expect(settingsOf("-i", "--")).toMatchObject({ upstreamInterface: "--" });
    expect(settingsOf("--upstream-interface=a=b")).toMatchObject({ upstreamInterface: "a=b" });
  });

  test("an empty argument is an argument", () => {
    expect(settingsOf("-i", "eth0", "-i", "").upstreamInterface).toBeUndefined();
    expect(settingsOf("-i", "eth0", "--upstream-interface=").upstreamInterface).toBeUndefined();
  });

  test("the whole name wins over what it abbreviates", () => {
    expect(settingsOf("--upstream-interface", "eth0").upstreamInterface).toBe("eth0");
  });

  test("an option of our own leaves the abbreviations of rtp2httpd alone", () => {
    expect(settingsOf("--ver", "3").verbosity).toBe(3);
    expect(settingsOf("--mcast", "60").multicastRejoinInterval).toBe(60);
    expect(settingsOf("--mcast-g", "60").multicastGapTimeout).toBe(60);
    expect(parseArguments(["--vers"]).action).toEqual({ kind: "version" });
  });

  test("empty words and a lone dash are passed over", () => {
    expect(settingsOf("", "-m", "7", "-", "", "--", "", "-").maxClients).toBe(7);
  });
});

describe("repeated options", () => {
  test("the last one wins", () => {
    expect(settingsOf("-m", "7", "--maxclients=8").maxClients).toBe(8);
    expect(settingsOf("-q", "-v", "3").verbosity).toBe(3);
    expect(settingsOf("-v", "3", "-q").verbosity).toBe(0);
  });

  test("-l adds up, and its first use replaces the default", () => {
    const { values, given } = commandLineOf("-l", "80", "--listen=[::1]:81", "-l*:82", "-l/run/x.sock");
    expect(values.listen).toEqual([
      { host: undefined, port: 80 },
      { host: "::1", port: 81 },
      { host: undefined, port: 82 },
      { path: "/run/x.sock" },
    ]);
    expect(given.has("listen")).toBe(true);
  });

  test("-M adds up, and an empty one takes all back", () => {
    expect(settingsOf("-M", "file:///a", "-Mhttp://b/c").externalM3u).toEqual(["file:///a", "http://b/c"]);
    expect(settingsOf("-M", "file:///a", "--external-m3u=", "-M", "http://b").externalM3u).toEqual(["http://b"]);
    expect(commandLineOf("-M", "").given.has("externalM3u")).toBe(true);
  });

  test("-c and -C keep their order", () => {
    expect(settingsOf("-c", "a")).toEqual(settingsOf());
    expect(commandLineOf("-c", "a", "-UC", "--config=b").configFiles).toEqual(["a", undefined, "b"]);
    expect(commandLineOf().configFiles).toEqual([]);
  });
});

test("every letter is the one that rtp2httpd has", () => {
  const argv =
    "-l 80 -w 2 -m 7 -b 100 -B 65536 -Z -H tv.example -X -T secret -O * -U -s /s -p /p -i eth0 -r eth1 -f eth2 -t eth3 -y eth4 -R 30 -P 8000-9000 -N stun.example -u tv/1 -g tv/2 -M http://m3u.example/ -I 60 -S -F /bin/ffmpeg -A -an -v 2";
  expect(settingsOf(...argv.split(" "))).toEqual<unknown>({
    ...settingsOf(),
    listen: [{ host: undefined, port: 80 }],
    workers: 2,
    maxClients: 7,
    bufferPoolMaxSize: 100,
    udpReceiveBufferSize: 65536,
    zerocopyOnSend: true,
    hostname: parsePublicHost("tv.example"),
    xff: true,
    r2hToken: "secret",
    corsAllowOrigin: "*",
    udpxy: false,
    statusPagePath: "/s",
    playerPagePath: "/p",
    upstreamInterface: "eth0",
    upstreamInterfaceMulticast: "eth1",
    upstreamInterfaceFcc: "eth2",
    upstreamInterfaceRtsp: "eth3",
    upstreamInterfaceHttp: "eth4",
    multicastRejoinInterval: 30,
    fccListenPortRange: { min: 8000, max: 9000 },
    rtspStunServer: { host: "stun.example", port: 3478 },
    rtspUserAgent: "tv/1",
    httpProxyUserAgent: "tv/2",
    externalM3u: ["http://m3u.example/"],
    externalM3uUpdateInterval: 60,
    videoSnapshot: true,
    ffmpegPath: "/bin/ffmpeg",
    ffmpegArgs: "-an",
    verbosity: 2,
  });
});

describe("bad values", () => {
  test.each([
    [["-m", "0"], "Invalid maxclients! Must be between 1 and 65535. Ignoring."],
    [["-m", "65536"], "Invalid maxclients! Must be between 1 and 65535. Ignoring."],
    [["-b0"], "Invalid buffer-pool-max-size! Must be >= 1. Ignoring."],
    [["-B", "65535"], "Invalid udp-rcvbuf-size! Must be >= 65536 (64KB). Ignoring."],
    [["-R", "-1"], "Invalid mcast-rejoin-interval! Must be >= 0. Ignoring."],
    [["--mcast-gap-timeout=0"], "Invalid mcast-gap-timeout! Must be between 1 and 3600. Ignoring."],
    [["--mcast-gap-timeout=3601"], "Invalid mcast-gap-timeout! Must be between 1 and 3600. Ignoring."],
    [["-w", "33"], "Invalid workers! Must be between 1 and 32. Ignoring."],
    [["-I-1"], "Invalid external-m3u-update-interval! Must be >= 0. Ignoring."],
    [["-P", "9-8"], "Invalid fcc-listen-port-range value: 9-8"],
    [["-N", "stun:0"], "Invalid rtsp-stun-server value: stun:0"],
    [
      ["-M", "ftp://a/b"],
      "Invalid external-m3u value: ftp://a/b: must be a path, or begin with file://, http:// or https://",
    ],
    [["-v", "loud"], "Invalid verbose value: loud! Must be 0 to 4, or fatal, error, warn, info, debug. Ignoring."],
    [["-I", "2h"], "Invalid external-m3u-update-interval! Must be >= 0. Ignoring."],
    [["-s", ""], "status-page-path cannot be empty, keeping previous value"],
    [["--player-page-path="], "player-page-path cannot be empty, keeping previous value"],
  ])("%p does not stop the start", (argv, message) => {
    const { commandLine, diagnostics, action } = parseArguments([...argv, "-U"]);
    expect(diagnostics).toEqual([{ level: LOG_ERROR, message }]);
    expect(action).toEqual({ kind: "run" });
    expect(commandLine).toEqual(commandLineOf("-U"));
  });

  test("a bad value leaves an earlier good one in force", () => {
    expect(parseArguments(["-m", "7", "-m", "x"]).commandLine.values.maxClients).toBe(7);
  });

  test("a path that cannot be listened on stops the start", () => {
    const { diagnostics, action } = parseArguments(["-l", "/run/a b"]);
    expect(action).toEqual({ kind: "stop" });
    expect(diagnostics).toEqual([{ level: LOG_FATAL, message: "Invalid Unix socket bind path: /run/a b" }]);
  });

  test("an impossible address to listen on stops the start", () => {
    const { diagnostics, action } = parseArguments(["-m", "0", "-l", "[::1"]);
    expect(action).toEqual({ kind: "stop" });
    expect(diagnostics).toEqual([
      { level: LOG_ERROR, message: "Invalid maxclients! Must be between 1 and 65535. Ignoring." },
      { level: LOG_FATAL, message: 'Invalid listen address "[::1": write an IPv6 address as [ADDRESS]:PORT' },
    ]);
  });
});

describe("misuse", () => {
  const helpOf = (name: string) => OPTIONS.find(({ long }) => long === name)?.help;
  const MAX_CLIENTS = `N, ${helpOf("maxclients")}`;
  const VERBOSE = `LEVEL, ${helpOf("verbose")}`;

  test.each([
    [["doctor"], "doctor", "options begin with a dash"],
    [["-m", "7", "8"], "8", "options begin with a dash"],
    [["-U", "on"], "on", "-U takes no value in a word of its own"],
    [["--xff", "off"], "off", "--xff takes no value in a word of its own"],
    [["-l", "80", "demo"], "demo", "a command comes first, before all options"],
    [["--", "serve"], "serve", "a command comes first, before all options"],
    [["--", "--xff"], "--xff", "options begin with a dash"],
  ])("the word in %p is refused", (argv, word, reason) => {
    const { diagnostics, action } = parseArguments(argv);
    expect(action).toEqual({ kind: "usage", diagnostic: `unexpected word '${word}': ${reason}` });
    expect(diagnostics).toEqual([{ level: LOG_FATAL, message: `Unknown word! ${word}` }]);
  });

  test.each([
    [["--bogus"], "--bogus", "unrecognized option '--bogus'"],
    [["--bogus=secret"], "--bogus", "unrecognized option '--bogus'"],
    [["--=5"], "--", "unrecognized option '--'"],
    [["--no"], "--no", "option '--no' is ambiguous; possibilities: '--noudpxy' '--noconfig'"],
    [["--quiet=1"], "--quiet", "option '--quiet' doesn't allow an argument"],
    [["--maxclient-s", "5"], "--maxclient-s", "unrecognized option '--maxclient-s'; did you mean '--maxclients'?"],
    [["--max_clients=5"], "--max_clients", "unrecognized option '--max_clients'; did you mean '--maxclients'?"],
    [["--lisen=80"], "--lisen", "unrecognized option '--lisen'; did you mean '--listen'?"],
    [["--token", "x"], "--token", "unrecognized option '--token'; did you mean '--r2h-token'?"],
    [["--port", "80"], "--port", "unrecognized option '--port'; did you mean '--listen'?"],
    [["--constructor"], "--constructor", "unrecognized option '--constructor'"],
    [["-listen", "80"], "-listen", "invalid option '-listen'; did you mean '--listen'?"],
    [["-verbose=4"], "-verbose", "invalid option '-verbose'; did you mean '--verbose'?"],
    [["--maxclients"], "--maxclients", `option '--maxclients' requires an argument: ${MAX_CLIENTS}`],
    [["--maxc"], "--maxc", `option '--maxclients' requires an argument: ${MAX_CLIENTS}`],
    [["-z"], "-z", "invalid option -- 'z'; did you mean '-Z' (--zerocopy-on-send)?"],
    [["-Uz5"], "-z", "invalid option -- 'z'"],
    [["-é"], "-é", "invalid option -- 'é'"],
    [["-v"], "-v", `option requires an argument -- 'v': ${VERBOSE}`],
    [["-Uqv"], "-v", `option requires an argument -- 'v': ${VERBOSE}`],
  ])("%p", (argv, word, diagnostic) => {
    expect(usageErrorOf(...argv)).toEqual([word, diagnostic]);
  });

  test("nothing behind it is read", () => {
    expect(parseArguments(["--bogus", "--help", "-m", "7"])).toMatchObject({
      action: { kind: "usage" },
      commandLine: { values: { maxClients: 5 } },
    });
  });
});

test.each([
  ["-h", "help"],
  ["--help", "help"],
  ["-Uh", "help"],
  ["--version", "version"],
] as const)("%s asks for %s, whatever follows", (word, kind) => {
  expect(parseArguments([word, "--bogus"]).action).toEqual({ kind });
});

test("any command line gives complete settings or a reason", () => {
  const names = OPTIONS.flatMap(({ long, short }) => [`--${long}`, `--${long}=1`, `-${short}`, `-${short}1`]);
  const word = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.string({ maxLength: 8, unit: "binary" }),
    fc.constantFrom(...names),
    fc.constantFrom("-", "--", "--=", "-_", "--__proto__", "--constructor=1"),
  );
  const complete = Object.keys(settingsOf()).sort();
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const { commandLine, diagnostics, action } = parseArguments(argv);
      expect(Object.keys(commandLine.values).sort()).toEqual(complete);
      expect(commandLine.values.listen.length).toBeGreaterThan(0);
      const isRefused = action.kind === "usage" || action.kind === "stop";
      expect(diagnostics.some(({ level }) => level === LOG_FATAL)).toBe(isRefused);
    }),
    { numRuns: 300 },
  );
});
