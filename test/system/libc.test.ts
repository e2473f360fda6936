import { expect, test } from "bun:test";
import { join } from "node:path";
import { errno, libc } from "../../src/system/libc.ts";

const SYSTEM = join(import.meta.dir, "../../src/system");
const EBADF = 9;

test("errno is that of the last call", () => {
  expect(libc!.close(-1)).toBe(-1);
  expect(errno(libc!)).toBe(EBADF);
});

/** Joins on the loopback interface, sends itself one datagram, and prints what it is and what it got. */
const RECEIVE_ONE = `
  const { libc } = await import("${SYSTEM}/libc.ts");
  const { interfaceIndex } = await import("${SYSTEM}/interfaces.ts");
  const { openReceiver, RECEIVER_KIND } = await import("${SYSTEM}/datagram-receiver.ts");
  const { tuneListeningSocket } = await import("${SYSTEM}/tcp.ts");
  const { allocate, copyBytes } = await import("${SYSTEM}/memory.ts");
  const group = { family: 4, bytes: Uint8Array.of(239, 1, process.pid >> 8, process.pid) };
  const port = 20_000 + process.pid % 10_000;
  const receiver = openReceiver({ group, port, interfaceName: "lo", interfaceIndex: interfaceIndex("lo") ?? 0 }, 1 << 20);
  const sender = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data() {}, error() {} } });
  sender.setMulticastInterface("127.0.0.1");
  tuneListeningSocket(sender.fd);
  const copy = allocate(5);
  const sink = { datagram: (memory, offset, length) => copyBytes(copy, 0, memory, offset, length) };
  do {
    sender.send("media", port, group.bytes.join("."));
    await Bun.sleep(1);
  } while (receiver.receive(sink) === 0);
  receiver.close();
  sender.close();
  console.log(libc === undefined, RECEIVER_KIND, Buffer.from(copy.bytes).toString());
`;

// Without its compiler Bun has no ffi.
test.each([
  ["0", "true evented media\n"],
  ["1", "false batched media\n"],
])("with BUN_JSC_useJIT=%s multicast is received all the same", async (useJit, expected) => {
  const child = Bun.spawn([process.execPath, "-e", RECEIVE_ONE], {
    env: { ...process.env, BUN_JSC_useJIT: useJit },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 8000,
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(errors).toBe("");
  expect(output).toBe(expected);
});
