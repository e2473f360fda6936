import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  basicAuthorization,
  type Challenge,
  type DigestChallenge,
  digestAuthorization,
  parseChallenges,
} from "../../../src/wire/http/digest.ts";

const md5 = (text: string) => createHash("md5").update(text, "latin1").digest("hex");
const DIGEST: DigestChallenge = {
  scheme: "digest",
  realm: "r",
  nonce: "n",
  opaque: undefined,
  algorithm: undefined,
  hasQop: false,
  isStale: false,
};
const REQUEST = { method: "DESCRIBE", uri: "rtsp://h/a", nonceCount: 1, cnonce: "c" };

/** The parameters of an `Authorization: Digest`, without quotes. */
function parametersOf(authorization: string): Record<string, string> {
  expect(authorization).toStartWith("Digest ");
  const pairs = [...authorization.slice(7).matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))/g)];
  return Object.fromEntries(pairs.map(([, name, quoted, bare]) => [name, quoted ?? bare]));
}

describe("challenges", () => {
  const digest = (more: Partial<DigestChallenge>): Challenge[] => [{ ...DIGEST, ...more }];

  test.each<[value: string, challenges: Challenge[]]>([
    ['Basic realm="r"', [{ scheme: "basic" }]],
    ["basic", [{ scheme: "basic" }]],
    ['Digest realm="r", nonce="n"', digest({})],
    ['DIGEST NONCE = "n" , Realm= "r",Opaque="o", stale=TRUE', digest({ opaque: "o", isStale: true })],
    ['Digest realm="r" nonce="n" opaque=""', digest({ opaque: "" })],
    ["Digest realm=r,nonce=n,stale=false,domain=/", digest({})],
    ['Digest realm="a, b=\\"c\\" \\\\", nonce="n="', digest({ realm: 'a, b="c" \\', nonce: "n=" })],
    ['Digest realm="r", nonce="n", opaque="o', digest({ opaque: "o" })],
    ['Digest realm="r", nonce="n", opaque="o\\', digest({ opaque: "o" })],
    ['Digest realm="r", nonce="n", nonce="m"', digest({})],
    ['Digest nonce="n"', digest({ realm: "" })],
    [',, Digest ,realm="r",, nonce="n",', digest({})],
    ['Digest realm="\xe4", nonce="n", qop="auth-int, auth"', digest({ realm: "\xe4", hasQop: true })],
    ['Digest realm="r", nonce="n", qop=AUTH', digest({ hasQop: true })],
    ['Digest realm="r", nonce="n", qop=""', digest({})],
    ['Digest realm="r", nonce="n", algorithm=Md5', digest({ algorithm: "Md5" })],
    ['Digest realm="r", nonce="n", algorithm="SHA-256"', digest({ algorithm: "SHA-256" })],
    ['Digest realm="r", nonce="n", qop="auth-int"', []],
    ['Digest realm="r", nonce="n", algorithm=SHA-512-256', []],
    ['Digest realm="r", nonce="n", algorithm=constructor', []],
    ['Digest realm="r"', []],
    ["Negotiate YII==", []],
    ['realm="r", nonce="n"', []],
    ["", []],
  ])("%j", (value, challenges) => {
    expect(parseChallenges([value])).toEqual(challenges);
  });

  test("are taken from all headers, Digest first", () => {
    const both = 'Basic realm="b", Digest realm="r", nonce="n", algorithm=MD5, Digest realm="s", nonce="n"';
    const wanted = [
      { ...DIGEST, algorithm: "MD5" },
      { ...DIGEST, realm: "s" },
    ];
    expect(parseChallenges([both])).toEqual([...wanted, { scheme: "basic" }]);
    expect(parseChallenges(['Basic realm="b"', 'Digest realm="r", nonce="n"'])).toEqual([DIGEST, { scheme: "basic" }]);
    expect(parseChallenges([])).toEqual([]);
  });
});

test("Basic", () => {
  // RFC 7617 section 2.
  const credentials = { user: "Aladdin", password: "open sesame" };
  expect(basicAuthorization(credentials)).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  expect(basicAuthorization({ user: "u", password: "" })).toBe(`Basic ${btoa("u:")}`);
  expect(basicAuthorization({ user: "\xe4", password: "\xff" })).toBe(`Basic ${btoa("\xe4:\xff")}`);
});

describe("Digest", () => {
  test("in the form of RFC 2069", () => {
    // RFC 2069 section 2.4 with the response of its erratum 749.
    const challenge = { ...DIGEST, realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093" };
    const request = { ...REQUEST, method: "GET", uri: "/dir/index.html" };
    const opaque = "5ccc069c403ebaf9f0171e9517f40e41";
    const credentials = { user: "Mufasa", password: "CircleOfLife" };
    expect(digestAuthorization({ ...challenge, opaque }, credentials, request)).toBe(
      'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
        'uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    );
  });

  test.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ])("with qop and %s", (algorithm, response) => {
    // RFC 7616 section 3.9.1.
    const challenge = {
      ...DIGEST,
      realm: "http-auth@example.org",
      nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
      opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
      algorithm,
      hasQop: true,
    };
    const cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const request = { method: "GET", uri: "/dir/index.html", nonceCount: 1, cnonce };
    const credentials = { user: "Mufasa", password: "Circle of Life" };
    const authorization = digestAuthorization(challenge, credentials, request);
    expect(parametersOf(authorization)).toMatchObject({ response, cnonce });
    expect(authorization).toContain(`, algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="`);
  });

  test("counts in hex", () => {
    const request = { ...REQUEST, nonceCount: 0x1ab };
    const { nc, response } = parametersOf(
      digestAuthorization({ ...DIGEST, hasQop: true }, { user: "u", password: "p" }, request),
    );
    expect(nc).toBe("000001ab");
    expect(response).toBe(md5(`${md5("u:r:p")}:n:000001ab:c:auth:${md5("DESCRIBE:rtsp://h/a")}`));
  });

  test("with MD5-sess needs our nonce, with qop and without", () => {
    const a1 = md5(`${md5("u:r:p")}:n:c`);
    const a2 = md5("DESCRIBE:rtsp://h/a");
    const sess = { ...DIGEST, algorithm: "md5-SESS" };
    const answer = (challenge: DigestChallenge) =>
      parametersOf(digestAuthorization(challenge, { user: "u", password: "p" }, REQUEST));
    expect(answer(sess)).toMatchObject({ response: md5(`${a1}:n:${a2}`), cnonce: "c", algorithm: "md5-SESS" });
    expect(answer({ ...sess, hasQop: true })["response"]).toBe(md5(`${a1}:n:00000001:c:auth:${a2}`));
  });

  test("escapes what would end a quoted text", () => {
    const authorization = digestAuthorization({ ...DIGEST, realm: 'a"b' }, { user: "u\\", password: "" }, REQUEST);
    expect(authorization).toStartWith('Digest username="u\\\\", realm="a\\"b", nonce="n"');
    expect(parametersOf(authorization)["response"]).toBe(md5(`${md5('u\\:a"b:')}:n:${md5("DESCRIBE:rtsp://h/a")}`));
  });
});

describe("for all texts", () => {
  const quoted = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
  const text = fc.stringMatching(/^[\t -~\x80-\xff]{0,20}$/);
  const challenge = fc.record({
    scheme: fc.constant("digest" as const),
    realm: text,
    nonce: text,
    opaque: fc.option(text, { nil: undefined }),
    algorithm: fc.constantFrom(undefined, "MD5", "md5-sess", "SHA-256", "SHA-256-sess"),
    hasQop: fc.boolean(),
    isStale: fc.boolean(),
  });

  function emit({ realm, nonce, opaque, algorithm, hasQop, isStale }: DigestChallenge): string {
    const parameters = [`realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`, `stale=${isStale}`];
    if (opaque !== undefined) parameters.push(`opaque=${quoted(opaque)}`);
    if (algorithm !== undefined) parameters.push(`algorithm=${algorithm}`);
    if (hasQop) parameters.push('qop="auth,auth-int"');
    return `Digest ${parameters.join(", ")}`;
  }

  test("a challenge is read back, with or without others around it", () => {
    fc.assert(
      fc.property(fc.array(challenge, { minLength: 1, maxLength: 3 }), (challenges) => {
        expect(parseChallenges(challenges.map(emit))).toEqual(challenges);
        expect(parseChallenges([challenges.map(emit).join(", ")])).toEqual(challenges);
      }),
    );
  });

  test("an answer can be read back", () => {
    fc.assert(
      fc.property(challenge, text, text, (c, user, password) => {
        const { username, realm, nonce, opaque } = parametersOf(digestAuthorization(c, { user, password }, REQUEST));
        const wanted = [user, c.realm, c.nonce, c.opaque];
        expect([username, realm, nonce, opaque].map((value) => value?.replace(/\\(.)/g, "$1"))).toEqual(wanted);
      }),
    );
  });

  test("none makes it throw", () => {
    const near = fc.string({
      unit: fc.constantFrom("Digest ", "nonce", "=", '"', "\\", ",", " ", "qop", "auth", "Basic", "algorithm=MD5"),
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (value) => {
        for (const found of parseChallenges([value, `Digest nonce="n",${value}`])) {
          if (found.scheme === "digest") digestAuthorization(found, { user: value, password: value }, REQUEST);
        }
      }),
    );
  });
});
