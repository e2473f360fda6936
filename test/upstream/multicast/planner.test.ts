/** What `fec=` means for a plan: streams are shared, whatever it says. */
import { expect, test } from "bun:test";
import { multicastPlanner } from "../../../src/upstream/multicast/planner.ts";
import type { OwnLinks } from "../../../src/upstream/planner.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { OPEN_REACH } from "../../fakes/reach.ts";
import { recordingLog } from "../../fakes/recording-log.ts";

const SETTINGS = {
  upstreamInterfaceMulticast: undefined,
  upstreamInterface: undefined,
  udpReceiveBufferSize: undefined,
  multicastRejoinInterval: 0,
  multicastGapTimeout: 15,
};

function plan(url: string) {
  // Nothing here makes links.
  const links = {} as OwnLinks;
  const planner = multicastPlanner(SETTINGS, { log: recordingLog(), links, reach: OPEN_REACH });
  const request = { method: "GET", headers: [], body: new Uint8Array(0), isSnapshot: false, nowMs: 0 };
  return planner({ ...request, url: asByteString(url), serviceUrl: undefined, path: asByteString("/") });
}

test("with parity ports, without, and with what is none: one stream, and a name without them", () => {
  const queries = ["", "?fec=5002", "?fec=5002,5004", "?FEC=5002%2C5004", "?fec=x", "?fec=0", "?fec="];
  const plans = queries.map((query) => plan(`rtp://239.1.1.1:5000${query}`));
  for (const each of plans) {
    expect(each).toMatchObject({
      key: "multicast 239.1.1.1 5000 ",
      about: { url: "rtp://239.1.1.1:5000" },
      accessLog: { url: "rtp://239.1.1.1:5000" },
    });
  }
});
