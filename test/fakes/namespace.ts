/** Network namespaces for tests that need interfaces of their own, and the means to look at the one we are in. */

import { dlopen } from "bun:ffi";
import { afterEach, beforeEach, describe, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { bindSocket, closeSocket, openSocket, SOCK_DGRAM } from "../../src/system/socket.ts";
import { formatIpAddress, type IpAddress } from "../../src/wire/ip/address.ts";
import { until } from "./until.ts";

/** Title of the tests that this process is to run inside the namespace it was started in. */
const INSIDE = process.env["SLUICE_TEST_NAMESPACE"];
const TIMEOUT_MS = 60_000;
const INTERFACE_WAIT_MS = 20_000;
// A user namespace gives the rights over a network namespace to those who are not root.
const UNSHARE = process.getuid?.() === 0 ? ["unshare", "-n"] : ["unshare", "-Urn"];

/**
 * Runs the tests that `body` defines in a network namespace that has only a loopback interface, which is up: the test
 * file is run once more by a child process, and outside the whole counts as one test. No test is skipped if CI=true.
 * @param file `import.meta.path` of the test file
 * @param limitMs for all of them, in milliseconds
 */
export function describeInNamespace(file: string, title: string, body: () => void, limitMs = TIMEOUT_MS): void {
  if (INSIDE === title) {
    ip("link set lo up");
    describe(title, body);
  }
  if (INSIDE !== undefined) return;
  const obstacle = process.env["CI"] === "true" ? undefined : whatIsMissing();
  if (obstacle) test.skip(`${title}: ${obstacle}`, () => {});
  else test(`${title}, in a network namespace`, () => runInside(file, title, limitMs), limitMs);
}

function whatIsMissing(): string | undefined {
  const program = ["ip", "unshare"].find((name) => Bun.which(name) === null);
  if (program) return `the program ${program} is not installed`;
  const { success } = Bun.spawnSync([...UNSHARE, "ip", "link", "add", "a0", "type", "veth", "peer", "name", "a1"]);
  return success ? undefined : "the kernel has no network namespaces or veth interfaces for us";
}

async function runInside(file: string, title: string, limitMs: number): Promise<void> {
  const child = Bun.spawn([...UNSHARE, process.execPath, "test", "--test-name-pattern", `^${title} `, file], {
    env: { ...process.env, SLUICE_TEST_NAMESPACE: title },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: limitMs,
  });
  const results = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(results);
}

/** Runs `ip` with these words. */
export function ip(words: string): void {
  const { success, stderr } = Bun.spawnSync(["ip", ...words.split(" ")]);
  if (!success) throw new Error(`ip ${words}: ${stderr}`);
}

/**
 * Makes two connected interfaces and waits until they run. What one sends the other receives.
 * @param address of the first: address, prefix and flags as `ip` takes them
 */
export async function addInterfacePair(name: string, peer: string, address: string): Promise<void> {
  ip(`link add ${name} type veth peer name ${peer}`);
  ip(`addr add ${address} dev ${name}`);
  ip(`link set ${name} up`);
  ip(`link set ${peer} up`);
  // Only interfaces that run are listed.
  await until(() => networkInterfaces()[name] !== undefined, INTERFACE_WAIT_MS, `${name} to run`);
}

/** How many sockets in our namespace are members of the group. */
export function memberCount(group: IpAddress): number {
  // The kernel prints an IPv4 address as one number in its own byte order, which is that of Uint32Array.
  const hex =
    group.family === 4
      ? new Uint32Array(group.bytes.slice().buffer)[0]!.toString(16).toUpperCase().padStart(8, "0")
      : Buffer.from(group.bytes).toString("hex");
  const table = readFileSync(group.family === 4 ? "/proc/self/net/igmp" : "/proc/self/net/igmp6", "utf8");
  if (!/\slo\s/.test(table)) throw new Error(`cannot look for ${formatIpAddress(group)}: the table has another form`);
  return [...table.matchAll(/\b([0-9A-Fa-f]{8,32})\s+(\d+)\s/g)]
    .filter(([, address]) => address === hex)
    .reduce((count, [, , users]) => count + Number(users), 0);
}

/** The sockets that this process has open, as the kernel names them, without those of an earlier look. */
export function openSockets(except: readonly string[] = []): string[] {
  const names: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      const name = readlinkSync(`/proc/self/fd/${fd}`);
      if (name.startsWith("socket:") && !except.includes(name)) names.push(name);
    } catch {
      // The descriptor with which the directory was read.
    }
  }
  return names;
}

/** Each test of the file that calls this must leave no socket open for longer than `waitMs`. */
export function closesItsSockets(waitMs: number): void {
  let before: string[] = [];
  beforeEach(() => {
    before = openSockets();
  });
  afterEach(async () => {
    await until(() => openSockets(before).length === 0, waitMs, "all sockets to be closed");
  });
}

const libc = dlopen("libc.so.6", {
  capget: { args: ["ptr", "ptr"], returns: "i32" },
  capset: { args: ["ptr", "ptr"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
}).symbols;

const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_NET_RAW = 13;

/** Runs `body` without the privilege to open raw sockets. */
export function withoutRawSockets(body: () => void): void {
  const header = Uint32Array.of(CAPABILITY_VERSION_3, 0);
  // Effective, permitted and inheritable set of the capabilities 0 to 31, then of the others.
  const sets = new Uint32Array(6);
  if (libc.capget(header, sets) !== 0) throw new Error("capget was refused");
  const fewer = sets.slice();
  fewer[0] = fewer[0]! & ~(1 << CAP_NET_RAW);
  if (libc.capset(header, fewer) !== 0) throw new Error("capset was refused");
  try {
    body();
  } finally {
    libc.capset(header, sets);
  }
}

export interface IgmpPacket {
  /** Destination. */
  readonly to: string;
  readonly ttl: number;
  /** IP options, in hex. */
  readonly options: string;
  readonly message: Uint8Array;
}

const AF_PACKET = 17;
const ETH_P_IP = 0x0800;
const IPPROTO_IGMP = 2;
const SOCKADDR_LL_BYTES = 20;
const CAPTURE_WAIT_MS = 20_000;

/** Reads the IGMP packets that arrive at an interface. Needs the privilege for raw sockets. */
export class IgmpCapture {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(2048);

  constructor(interfaceIndex: number) {
    const address = new DataView(new ArrayBuffer(SOCKADDR_LL_BYTES));
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, ETH_P_IP);
    address.setInt32(4, interfaceIndex, true);
    this.#fd = openSocket(AF_PACKET, SOCK_DGRAM);
    bindSocket(this.#fd, new Uint8Array(address.buffer));
  }

  /** Waits for `count` packets for which `wanted` holds; others are dropped. */
  async take(count: number, wanted: (packet: IgmpPacket) => boolean): Promise<IgmpPacket[]> {
    const packets: IgmpPacket[] = [];
    const enough = () => {
      for (let packet = this.#next(); packet; packet = packets.length < count ? this.#next() : undefined) {
        if (wanted(packet)) packets.push(packet);
      }
      return packets.length >= count;
    };
    await until(enough, CAPTURE_WAIT_MS, `${count} IGMP packets`);
    return packets;
  }

  /** What has arrived and not been taken. */
  rest(): IgmpPacket[] {
    const packets: IgmpPacket[] = [];
    for (let packet = this.#next(); packet; packet = this.#next()) packets.push(packet);
    return packets;
  }

  close(): void {
    closeSocket(this.#fd);
  }

  #next(): IgmpPacket | undefined {
    const length = libc.recv(this.#fd, this.#buffer, this.#buffer.length, 0);
    if (length < 0) return undefined;
    const packet = this.#buffer.slice(0, length);
    if (packet[9] !== IPPROTO_IGMP) return this.#next();
    const headerBytes = (packet[0]! & 0x0f) * 4;
    return {
      to: packet.subarray(16, 20).join("."),
      ttl: packet[8]!,
      options: packet.subarray(20, headerBytes).toHex(),
      message: packet.slice(headerBytes, (packet[2]! << 8) | packet[3]!),
    };
  }
}
