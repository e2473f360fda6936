/** Ports and multicast groups that no other test uses, in this process or in one that runs beside it. */

import { createSocket } from "node:dgram";
import { once } from "node:events";

// Below the kernel's ephemeral ports (32768 and up), which any outgoing connection may take at any time.
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
/** Each process takes its ports from a slice of its own. Listeners share ports (SO_REUSEPORT), so a clash is silent. */
const PORTS_PER_PROCESS = 200;
const SLICES = Math.floor((LAST_PORT - FIRST_PORT) / PORTS_PER_PROCESS);
const GROUPS_PER_PROCESS = 254;

// The counters outlive this module, which the test runner loads anew for each test file. Where it makes a new world for each
// (`--parallel`), what the last one has just closed is not used again at once: they begin anywhere.
const random = (below: number) => Math.floor(Math.random() * below);
interface Counters {
  ports: number;
  groups: number;
}
const holder = globalThis as { sluiceTestCounters?: Counters };
holder.sluiceTestCounters ??= { ports: random(PORTS_PER_PROCESS), groups: random(GROUPS_PER_PROCESS) };
const counters = holder.sluiceTestCounters;

/** Returns a TCP port on which nothing listens. Throws if this process has used up its ports. */
export async function freeTcpPort(): Promise<number> {
  return nextPort(async (port) => {
    Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {} } }).stop(true);
  });
}

/** Returns a UDP port to which nothing is bound. Throws if this process has used up its ports. */
export async function freeUdpPort(): Promise<number> {
  return nextPort(async (port) => {
    const socket = createSocket("udp4");
    try {
      socket.bind(port, "0.0.0.0");
      await once(socket, "listening");
    } finally {
      socket.close();
    }
  });
}

/** Returns an IPv4 multicast group (239.0.0.0/8) of which no other test is told. */
export function uniqueGroup(): string {
  const host = 1 + (counters.groups++ % GROUPS_PER_PROCESS);
  return `239.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}.${host}`;
}

/** Returns the next port of this process that `probe` can bind. */
async function nextPort(probe: (port: number) => Promise<void>): Promise<number> {
  const first = FIRST_PORT + (process.pid % SLICES) * PORTS_PER_PROCESS;
  for (let tries = 0; tries < PORTS_PER_PROCESS; tries++) {
    const port = first + (counters.ports++ % PORTS_PER_PROCESS);
    try {
      await probe(port);
      return port;
    } catch {
      // In use: the next one may be free.
    }
  }
  throw new Error(`no free port from ${first} to ${first + PORTS_PER_PROCESS - 1}`);
}
