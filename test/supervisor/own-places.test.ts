import { describe, expect, test } from "bun:test";
import { type Listening, OwnPlaces } from "../../src/supervisor/own-places.ts";
import { load } from "../config/files.ts";

const ADDRESSES = [
  ["lo", "127.0.0.1"],
  ["docker0", "172.17.0.1"],
  ["eth0", "192.168.1.2"],
  ["eth1", "10.5.0.2"],
  ["eth0", "fe80::1"],
  ["eth0", "2001:db8::2"],
].map(([interfaceName = "", address = ""]) => ({ interfaceName, address }));
const ALL: Listening[] = ["0.0.0.0", "::"].map((address) => ({ address, port: 5140 }));

function places(listeners: readonly Listening[], words: readonly string[] = [], addresses = ADDRESSES): OwnPlaces {
  return new OwnPlaces(listeners, addresses, load(["-C", ...words], {}).settings);
}

test("a URL leads to the address that the house reaches, not to this machine alone", () => {
  expect(places(ALL).url("/player")).toBe("http://192.168.1.2:5140/player");
});

test("other addresses follow, those of upstreams and containers behind", () => {
  const authorities = ["192.168.1.2:5140", "10.5.0.2:5140", "172.17.0.1:5140", "[2001:db8::2]:5140"];
  expect(places(ALL, ["-r", "eth1"]).authorities).toEqual(authorities);
});

describe("URLs", () => {
  test.each<[readonly Listening[], readonly string[], string | undefined]>([
    [ALL, ["--app-path-prefix", "/tv"], "http://192.168.1.2:5140/tv/player"],
    [ALL, ["-T", "a b&c"], "http://192.168.1.2:5140/player?r2h-token=a%20b%26c"],
    [ALL, ["-H", "tv.example"], "http://tv.example:5140/player"],
    [ALL, ["-H", "https://tv.example"], "https://tv.example/player"],
    [ALL, ["-H", "https://tv.example/x"], "https://tv.example/x/player"],
    [[{ address: "127.0.0.1", port: 80 }], [], "http://127.0.0.1/player"],
    [[{ address: "2001:db8::2", port: 81 }], [], "http://[2001:db8::2]:81/player"],
    [
      [
        { address: "127.0.0.1", port: 81 },
        { address: "10.5.0.2", port: 82 },
      ],
      [],
      "http://10.5.0.2:82/player",
    ],
    [[], [], undefined],
    [[], ["-H", "tv.example"], undefined],
  ])("of %j with %j: %p", (listeners, words, url) => {
    expect(places(listeners, words).url("/player")).toBe(url as string);
  });

  test("lead to this machine when it has no network", () => {
    expect(places(ALL, [], ADDRESSES.slice(0, 1)).url("/")).toBe("http://localhost:5140/");
  });
});
