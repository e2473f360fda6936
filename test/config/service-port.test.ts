import { expect, test } from "bun:test";
import { readServicePort } from "../../src/config/service-port.ts";
import { readerOf } from "./files.ts";

const SERVICES = `# comment
http\t\t80/tcp\t\twww\t# WorldWideWeb HTTP
dns 53/udp
   http-alt  8080/tcp webcache # squid
broken x/tcp
dns 54/tcp
`;

test.each([
  ["http", 80],
  ["www", 80],
  ["http-alt", 8080],
  ["webcache", 8080],
  ["dns", 54],
  ["squid", undefined],
  ["HTTP", undefined],
  ["broken", undefined],
  ["80/tcp", undefined],
  ["", undefined],
])("%p is %p", (name, port) => {
  expect(readServicePort(name, readerOf({ "/etc/services": SERVICES }))).toBe(port);
});

test("a machine may have no such file", () => {
  expect(readServicePort("http", readerOf({}))).toBeUndefined();
});
