/** Who may say how the outside sees us. */
import { expect, test } from "bun:test";
import { UdpSocket } from "../../../src/system/udp-socket.ts";
import { StunQuery } from "../../../src/upstream/rtsp/stun-query.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import type { MappedAddress } from "../../../src/wire/ip/stun.ts";

const COOKIE = [0x21, 0x12, 0xa4, 0x42];
const ID_BYTES = 12;

/** RFC 8489 section 14.2, for 192.0.2.7. */
function binding(request: Uint8Array, port: number): Uint8Array {
  const shown = port ^ 0x2112;
  const address = [192, 0, 2, 7].map((byte, i) => byte ^ COOKIE[i]!);
  const id = request.subarray(8, 8 + ID_BYTES);
  return Uint8Array.of(1, 1, 0, 12, ...COOKIE, ...id, 0, 0x20, 0, 8, 0, 1, shown >> 8, shown & 0xff, ...address);
}

test("somebody else who knows the question does not answer it", async () => {
  const other = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { error() {} } });
  const stranger = await Bun.udpSocket({ hostname: "127.0.0.2", socket: { error() {} } });
  const server = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data(own, request, port, address) {
        other.send(binding(request, 1111), port, address);
        stranger.send(binding(request, 2222), port, address);
        own.send(binding(request, 40_404), port, address);
      },
      error() {},
    },
  });
  const socket = new UdpSocket({ address: parseIpAddress("127.0.0.1")! });
  try {
    const { promise, resolve } = Promise.withResolvers<MappedAddress | undefined>();
    new StunQuery(socket, { host: "127.0.0.1", port: server.port }, resolve);
    expect((await promise)?.port).toBe(40_404);
  } finally {
    for (const each of [other, stranger, server, socket]) each.close();
  }
});
