import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadSettings } from "../../src/config/load.ts";
import { LOG_DEBUG, LOG_ERROR, LOG_FATAL, LOG_WARN } from "../../src/system/log.ts";
import { commandLineOf, loadText, readerOf } from "./files.ts";

/** Each diagnostic as `line: message`. */
function diagnosticsOf(text: string, ...argv: string[]): string[] {
  return loadText(text, ...argv).diagnostics.map(({ line, message }) => `${line}: ${message}`);
}

describe("[global]", () => {
  test("the last of equal keys wins, in any case of letters", () => {
    const { settings, diagnostics } = loadText("[global]\nmaxclients = 7\n[bind]\n[global]\nMaxClients=8 clients\n");
    expect(diagnostics).toEqual([]);
    expect(settings.maxClients).toBe(8);
    expect([...settings.given]).toEqual(["maxClients"]);
  });

  test("a key that adds up on the command line is replaced in a file", () => {
    const text = "[global]\nexternal-m3u = http://a\nexternal-m3u = http://b http://c\n";
    expect(loadText(text).settings.externalM3u).toEqual(["http://b", "http://c"]);
  });

  test("bad lines are told with their places, and are skipped", () => {
    const { settings, diagnostics } = loadText(
      "max = 1\n[global]\nmaxclients = 0\nworkers=33\nnonsense\nbogus = 1\n[oops]\nx=1\n[global\nstatus-page-path =\nxff = yes\nr2h-token\n",
    );
    expect(diagnostics).toEqual(
      [
        "1 Unrecognised config line: max = 1",
        "3 Invalid maxclients! Must be between 1 and 65535. Ignoring.",
        "4 Invalid workers value! Must be between 1 and 32. Ignoring.",
        "5 Unrecognised config line: nonsense",
        "6 Unknown config parameter: bogus",
        "7 Invalid section name: oops",
        "9 Unterminated section: [global",
      ].map((text) => ({
        level: LOG_ERROR,
        message: text.slice(2),
        file: "test.conf",
        line: Number(text[0]),
      })),
    );
    expect(settings).toMatchObject({ maxClients: 5, workers: 1, xff: false });
    expect(settings.given.size).toBe(0);
  });

  test("a refused value leaves an earlier one of the file in force", () => {
    expect(loadText("[global]\nmaxclients = 7\nmaxclients = 0").settings.maxClients).toBe(7);
  });

  test("names of Object's own properties are unknown keys", () => {
    expect(diagnosticsOf("[global]\n__proto__ = 1\nconstructor = 2")).toEqual([
      "2: Unknown config parameter: __proto__",
      "3: Unknown config parameter: constructor",
    ]);
  });

  test("a long line is not repeated as a whole", () => {
    const [diagnostic] = loadText(`[global]\n${"x".repeat(5000)}`).diagnostics;
    expect(diagnostic?.message).toStartWith("Unrecognised config line: xxx");
    expect(diagnostic?.message.length).toBeLessThan(400);
  });
});

describe("what the command line sets", () => {
  test("is locked, with a warning under the documented key", () => {
    const { settings, diagnostics } = loadText(
      "[global]\nWorkers = 99\naccess_log = /b\n",
      "-w",
      "2",
      "--access-log=/a",
    );
    expect(settings).toMatchObject({ workers: 2, accessLog: "/a" });
    expect(diagnostics).toEqual([
      {
        level: LOG_WARN,
        message: 'Config file value "workers" ignored (already set on command line)',
        file: "test.conf",
        line: 2,
      },
      {
        level: LOG_WARN,
        message: 'Config file value "access-log" ignored (already set on command line)',
        file: "test.conf",
        line: 3,
      },
    ]);
  });

  test("is not locked by a value that was refused", () => {
    expect(loadText("[global]\nmaxclients = 7", "-m", "0").settings.maxClients).toBe(7);
  });

  test("is locked by an empty value too", () => {
    expect(loadText("[global]\npid-file = /b", "--pid-file=").settings.pidFile).toBeUndefined();
  });

  test("is locked silently for the STUN server", () => {
    const { settings, diagnostics } = loadText("[global]\nrtsp-stun-server = b", "-N", "a");
    expect(settings.rtspStunServer?.host).toBe("a");
    expect(diagnostics).toEqual([]);
  });

  test("-q locks the verbosity", () => {
    expect(loadText("[global]\nverbosity = 4", "-q").settings.verbosity).toBe(0);
  });

  test("-l makes all of [bind] be ignored, with one warning", () => {
    const { settings, diagnostics } = loadText("[bind]\n* 81\nbogus\n[global]\n[bind]\n* 82", "-l", "80");
    expect(settings.listen).toEqual([{ host: undefined, port: 80 }]);
    expect(diagnostics).toEqual([
      {
        level: LOG_WARN,
        message: 'Config file section "[bind]" ignored (already set on command line)',
        file: "test.conf",
        line: 2,
      },
    ]);
    expect(diagnosticsOf("[bind]\n# nothing\n", "-l", "80")).toEqual([]);
  });
});

describe("[bind]", () => {
  test("adds up over its sections, without its bad lines", () => {
    const { settings, diagnostics } = loadText("[bind]\n* 80\nhost\n[global]\n[bind]\n/run/x\n/run/a b\n[::1] 81 # x");
    expect(settings.listen).toEqual([{ host: undefined, port: 80 }, { path: "/run/x" }, { host: "::1", port: 81 }]);
    expect(settings.given.has("listen")).toBe(true);
    expect(diagnostics.map(({ line, level, message }) => [line, level, message])).toEqual([
      [3, LOG_ERROR, "Invalid TCP bind address line: missing port for host"],
      [7, LOG_ERROR, "Invalid Unix socket bind path (whitespace is not supported): /run/a b"],
    ]);
  });

  test("without any line leaves the default", () => {
    const { settings } = loadText("[bind]\n# host\n");
    expect(settings.listen).toEqual([{ host: undefined, port: 5140 }]);
    expect(settings.given.has("listen")).toBe(false);
  });
});

describe("[services]", () => {
  test("collects the lines of a playlist from its header on, over all sections", () => {
    const text = `[services]
# not yet
; nor this
http://too/early
#EXTM3U x-tvg-url="http://e/epg.xml"
  #EXTINF:-1,One\r
rtp://239.0.0.1:1
; dropped
name = Old style
[global]
maxclients = 7
[services]
#EXTINF:-1,Two
RTP://239.0.0.2:2
rtsp://h/2
udp://239.0.0.3:3
http://h/4
https://h/5
ftp://h/6
`;
    const { settings, diagnostics } = loadText(text);
    expect(settings.services).toBe(`#EXTM3U x-tvg-url="http://e/epg.xml"
#EXTINF:-1,One
rtp://239.0.0.1:1
#EXTINF:-1,Two
RTP://239.0.0.2:2
rtsp://h/2
udp://239.0.0.3:3
http://h/4
https://h/5
ftp://h/6
`);
    expect(settings.maxClients).toBe(7);
    expect(diagnostics.map(({ line, level, message }) => [line, level, message])).toEqual([
      [4, LOG_DEBUG, "Ignoring unparsable line in [services]: 'http://too/early'"],
      [9, LOG_DEBUG, "Ignoring unparsable line in [services]: 'name = Old style'"],
    ]);
  });

  test.each(["#extm3u\nrtp://239.0.0.1:1\n", "#EXTINF:-1,A\nUDP://@239.0.0.1:1\n", "News,#genre#\nA,http://h/a?b=c\n"])(
    "begins with %j too",
    (list) => {
      expect(loadText(`[services]\n${list}`).settings.services).toBe(list);
    },
  );

  test("is empty without a beginning", () => {
    expect(loadText("[services]\n# a\nrtp://239.0.0.1:1\na = b,http://h/\n").settings.services).toBe("");
  });
});

test("random bytes as a config file give complete settings, or are refused", () => {
  const complete = Object.keys(loadText("#").settings).sort();
  const line = fc.oneof(
    fc.constantFrom("[global]", "[bind]", "[services]", "#EXTM3U", "* 80", "maxclients = 9", "[x", "xff"),
    fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const files = readerOf({ "test.conf": lines.join("\n") });
      const loaded = loadSettings(commandLineOf(["-c", "test.conf"]), files);
      if (loaded.kind === "refused") return expect(loaded.diagnostics.at(-1)?.level).toBe(LOG_FATAL);
      const { settings, diagnostics } = loaded;
      expect(Object.keys(settings).sort()).toEqual(complete);
      expect(settings.listen.length).toBeGreaterThan(0);
      for (const { line, message } of diagnostics) {
        expect(line).toBeGreaterThan(0);
        expect(message).not.toBe("");
      }
    }),
  );
});
