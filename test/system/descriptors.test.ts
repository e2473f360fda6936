import { expect, test } from "bun:test";
import { join } from "node:path";

const SYSTEM = join(import.meta.dir, "../../src/system");

/** Opens sockets until there are none, and prints the limit, how many there are below its reserve, and the reason. */
const OPEN_ALL = `
  const { raiseDescriptorLimit, descriptorsForAll, descriptorsForUpstreams, descriptorsForClients, isDescriptorLeftForMedia }
    = await import("${SYSTEM}/descriptors.ts");
  const { openSocket, SOCK_DGRAM } = await import("${SYSTEM}/socket.ts");
  const limit = raiseDescriptorLimit();
  let last = -1, lastForMedia = -1, reason = "";
  try {
    for (;;) {
      if (isDescriptorLeftForMedia()) lastForMedia = last + 1;
      last = openSocket(2, SOCK_DGRAM);
    }
  } catch (error) {
    reason = error.message;
  }
  const file = Bun.file("/proc/self/limits");
  const isRaised = (await file.text()).includes("Max open files            " + limit);
  console.log(limit, isRaised, lastForMedia, last, descriptorsForClients(), reason);
`;

test.each([
  ["ulimit -S -n 40; ulimit -H -n 100", "100 true 74 81 93.75 socket: too many open files ("],
  ["ulimit -n 500", "500 true 435 451 484 socket: too many open files ("],
])("after %s the limit is the highest, and the last descriptors are kept", async (limits, expected) => {
  const child = Bun.spawn(["sh", "-c", `${limits}; exec "$@"`, "sh", process.execPath, "-e", OPEN_ALL], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(errors).toBe("");
  expect(output.trim()).toStartWith(expected);
});
