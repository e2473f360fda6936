import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseSdp } from "../../../src/wire/rtsp/sdp.ts";

const parse = (...lines: string[]) => parseSdp(Buffer.from(lines.join("\r\n"), "latin1"));

test("a whole description", () => {
  const sdp = parse(
    "v=0",
    "o=- 1 1 IN IP4 10.0.0.1",
    "s=",
    "t=0 0",
    "a=control:rtsp://h/session/",
    "a=range:npt=0-0:01:30.5",
    "m=video 0 RTP/AVP 33",
    "a=control:trackID=1",
    "m=audio 0 RTP/AVP 14",
    "a=control:trackID=2",
    "",
  );
  expect(sdp).toEqual({
    isRtp: true,
    control: "trackID=1",
    sessionControl: "rtsp://h/session/",
    range: { startS: 0, endS: 90.5 },
  });
});

test("a description without anything", () => {
  const nothing = { isRtp: false, control: undefined, sessionControl: undefined, range: undefined };
  expect(parse()).toEqual(nothing);
  expect(parse("v=0", "m=video 0 udp 33", "b=AS:1", "junk", "=", "a=", "a=controlled:1")).toEqual(nothing);
});

test.each<[line: string, isRtp: boolean]>([
  ["m=video 0 RTP/AVP 33", true],
  ["m=video 5000/2 rtp/savp 96 33 97", true],
  ["m=video 0 MP2T/RTP/UDP 33", false],
  ["m=video 0 RTP/AVP 96", false],
  ["m=video 0 RTP/AVP 133 330", false],
  ["m=video 33 RTP/AVP", false],
  ["a=rtpmap:96 MP2T/90000", true],
  ["A=RTPMAP:33  mp2t/90000", true],
  ["a=rtpmap:33 MP2TX/90000", false],
  ["a=rtpmap:96 H264/90000", false],
  ["a=rtpmap:MP2T/90000", false],
])("%j: MPEG-TS in RTP is %p", (line, isRtp) => {
  expect(parse("v=0", line).isRtp).toBe(isRtp);
});

test("the control URL is the first behind the first medium", () => {
  expect(parse("a=control:session", "m=video 0 RTP/AVP 33", "a=x:1", "m=audio 0 x 1", "a=control:2").control).toBe("2");
  expect(parse("a=control:session", "m=video 0 RTP/AVP 33").control).toBeUndefined();
  expect(parse("v=0", "a=control:session", "a=control:2").control).toBe("session");
  expect(parse("a=control: rtsp://h/a?b=\xe4 \t").control).toBe("rtsp://h/a?b=\xe4");
  expect(parse("a=control:").control).toBe("");
});

test("the range is the first with two ends, wherever it stands", () => {
  expect(parse("m=video 0 RTP/AVP 33", "a=range:npt=now-", "a=range:npt=1-2", "a=range:npt=3-4").range).toEqual({
    startS: 1,
    endS: 2,
  });
  expect(parse("a=range:clock=20240101T000000Z-", "a=range:npt=0-", "a=range:npt=2-1").range).toBeUndefined();
});

test("lines may end in CR, LF or both, and have blanks around them", () => {
  const lines = ["v=0", " m=video 0 RTP/AVP 33 ", "a=control:1\t", "a=range:npt=0-1"];
  const whole = parse(...lines);
  expect(whole).toMatchObject({ isRtp: true, control: "1", range: { startS: 0, endS: 1 } });
  for (const end of ["\r", "\n", "\r\n", "\n\n"]) expect(parseSdp(Buffer.from(lines.join(end)))).toEqual(whole);
});

test("what is written is read", () => {
  const control = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  const noise = fc.array(fc.constantFrom("v=0", "s=x", "b=AS:1", "a=tool:x", "a=rtpmap:96 H264/90000"), {
    maxLength: 5,
  });
  const time = fc.integer({ min: 0, max: 1e9 }).map((thousandths) => thousandths / 1000);
  fc.assert(
    fc.property(noise, noise, control, time, time, fc.boolean(), (before, behind, url, startS, lengthS, isRtp) => {
      const endS = startS + lengthS;
      const media = isRtp ? "m=video 0 RTP/AVP 33" : "m=video 0 RTP/AVP 96";
      const lines = [...before, `a=range:npt=${startS}-${endS}`, media, ...behind, `a=control:${url}`];
      expect(parse(...lines)).toMatchObject({ isRtp, control: url, range: { startS, endS } });
    }),
  );
});

test("random and truncated bytes never throw", () => {
  const line = fc.constantFrom(
    "m=video 0 RTP/AVP ",
    "33",
    "a=control:",
    "a=range:npt=",
    "1",
    "-",
    "\r\n",
    "a=rtpmap:1 ",
  );
  const near = fc.array(line, { maxLength: 20 }).map((parts) => Buffer.from(parts.join("")));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), near), fc.nat(200), (body, end) => {
      parseSdp(body);
      parseSdp(body.subarray(0, end));
    }),
  );
});

test("a description of very many or very long lines is read as far as a server needs", () => {
  const control = "m=video 0 RTP/AVP 33\r\na=control:track1\r\n";
  const parse = (text: string) => parseSdp(Buffer.from(text)).control;
  expect(parse("a=x\r\n".repeat(900) + control)).toBe("track1");
  expect(parse("a=x\r\n".repeat(1000) + control)).toBeUndefined();
  expect(parse(`m=video 0 RTP/AVP${" 0".repeat(100_000)}\r\n${control}`)).toBe("track1");
});
