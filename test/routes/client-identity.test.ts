import { expect, test } from "bun:test";
import type { Connection } from "../../src/http/connection.ts";
import type { HttpRequest } from "../../src/http/request.ts";
import { clientIdentity } from "../../src/routes/client-identity.ts";
import type { Exchange } from "../../src/routes/route.ts";
import { shownUrl } from "../../src/upstream/shown-url.ts";
import { asByteString, utf8Encode } from "../../src/wire/text/byte-string.ts";

function identity(exchange: Partial<Exchange>, userAgent?: string) {
  const request = { header: () => userAgent } as Partial<HttpRequest> as HttpRequest;
  const usual = {
    request,
    connection: {} as Connection,
    query: asByteString(""),
    clientAddress: "1.2.3.4:5",
    isCors: false,
    isForeignEmbed: false,
  };
  return clientIdentity({ ...usual, path: asByteString("/"), ...exchange }, "http");
}

test("is what the access log calls it, as text", () => {
  expect(identity({ path: asByteString("/%E4%B8%80/"), query: asByteString("a=%20") }, "VLC R2HTOKEN/secret")).toEqual({
    address: "1.2.3.4:5",
    serviceUrl: "/一?a=%20",
    userAgent: "VLC",
    kind: "http",
  });
  expect(identity({}).userAgent).toBe("");
});

test("is cut between characters", () => {
  const long = utf8Encode("一".repeat(200));
  const { address, serviceUrl, userAgent } = identity({ path: asByteString(`/${long}`), clientAddress: long }, long);
  expect(address).toBe("一".repeat(42));
  expect(Buffer.byteLength(userAgent)).toBe(255);
  expect(Buffer.byteLength(serviceUrl)).toBeLessThanOrEqual(255);
});

test("shows no token, not even of a URL within", () => {
  expect(shownUrl("http://a/b?r2h-token=secret&u=http%3A%2F%2Fc%3Fr2h-token%3Dsecret")).not.toContain("secret");
});
