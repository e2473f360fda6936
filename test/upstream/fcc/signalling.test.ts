/** Whose media counts as the burst's. */
import { expect, test } from "bun:test";
import type { Memory } from "../../../src/system/memory.ts";
import { DIALECTS } from "../../../src/upstream/fcc/dialect.ts";
import { Signalling, type SignallingParent } from "../../../src/upstream/fcc/signalling.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { OPEN_REACH } from "../../fakes/reach.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 20_000;
const UNNAMED = { address: undefined, signallingPort: undefined, mediaPort: undefined };

test("after an answer that names no address, that of the server and of one other machine", async () => {
  const heard: number[] = [];
  const parent: SignallingParent = {
    answered() {},
    media: (_from: Signalling, { bytes }: Memory, offset: number) => void heard.push(bytes[offset + 12]!),
    strangerAnswered() {},
  };
  const [server, media, stranger, last] = await Promise.all(
    ["127.0.0.1", "127.0.0.5", "127.0.0.6", "127.0.0.5"].map((hostname) =>
      Bun.udpSocket({ hostname, socket: { error() {} } }),
    ),
  );
  const asked = { address: parseIpAddress("127.0.0.1")!, port: server!.port };
  const group = { group: parseIpAddress("239.1.1.1")!, groupPort: 5000 };
  const options = {
    range: undefined,
    interfaceName: undefined,
    receiveBufferBytes: 65_536,
    serverHost: "127.0.0.1",
    reach: OPEN_REACH,
  };
  const signalling = new Signalling(parent, DIALECTS.telecom, asked, group, options);
  try {
    const port = Number(signalling.local.split(":")[1]);
    const send = (socket: typeof server, mark: number) =>
      socket!.send(Uint8Array.of(0x80, 33, 0, mark, 0, 0, 0, 0, 0, 0, 0, 1, mark), port, "127.0.0.1");
    send(stranger, 91);
    send(server, 1);
    signalling.receive();
    signalling.accept(UNNAMED, undefined);
    send(media, 2);
    send(stranger, 92);
    send(last, 93);
    send(server, 3);
    send(media, 4);
    const isThere = () => {
      signalling.receive();
      return heard.length >= 4;
    };
    await until(isThere, WAIT_MS, () => `four packets, but ${heard} came`);
    expect(heard).toEqual([1, 2, 3, 4]);
  } finally {
    for (const each of [server, media, stranger, last]) each!.close();
    signalling.close();
  }
});
