/** What is found in streams that FFmpeg makes agrees with what ffprobe finds in them. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Codec } from "../../src/wire/mpegts/codec.ts";
import { TransportHealth } from "../../src/wire/mpegts/health.ts";

const isPossible = Bun.which("ffmpeg") !== null && Bun.which("ffprobe") !== null;
if (!isPossible && process.env["CI"] === "true") throw new Error("this test needs ffmpeg and ffprobe");

interface ProbedStream {
  readonly id: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly r_frame_rate?: string;
  readonly field_order?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly tags?: { readonly language?: string };
}

interface Probed {
  readonly programs: readonly {
    readonly program_id: number;
    readonly tags?: { readonly service_name?: string; readonly service_provider?: string };
    readonly streams: readonly ProbedStream[];
  }[];
}

/** codec_name of ffprobe */
const CODECS: Readonly<Record<string, Codec>> = {
  h264: "H.264",
  hevc: "H.265",
  mpeg2video: "MPEG-2",
  mpeg1video: "MPEG-1",
  aac: "AAC",
  aac_latm: "AAC LATM",
  ac3: "AC-3",
  eac3: "E-AC-3",
  mp2: "MP2",
  mp3: "MP3",
};

function run(command: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe" });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

function sourceOf(size: string, rate: string): string[] {
  return ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=${rate}`];
}
const tone = (rate: number, layout: string) => [
  ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${rate},aformat=channel_layouts=${layout}`],
];
const X265 = ["-x265-params", "log-level=none"];

test.skipIf(!isPossible).each<[string, readonly string[]]>([
  ["H.264 and AAC", [...sourceOf("1280x720", "50"), ...tone(48_000, "stereo"), "-c:v", "libx264", "-c:a", "aac"]],
  ["H.264 of a height that is no multiple of 16", [...sourceOf("1920x1080", "25"), "-c:v", "libx264"]],
  ["H.264 with high chroma", [...sourceOf("640x362", "24"), "-c:v", "libx264", "-pix_fmt", "yuv444p"]],
  [
    "H.264 interlaced",
    [...sourceOf("720x576", "25"), "-c:v", "libx264", "-flags", "+ildct+ilme", "-x264opts", "tff=1"],
  ],
  ["H.264 at 30000/1001", [...sourceOf("704x480", "30000/1001"), "-c:v", "libx264"]],
  ["H.265", [...sourceOf("1920x1080", "25"), "-c:v", "libx265", ...X265]],
  [
    "H.265 of an odd size, 10 bits",
    [...sourceOf("854x482", "60"), "-c:v", "libx265", "-pix_fmt", "yuv420p10le", ...X265],
  ],
  ["MPEG-2", [...sourceOf("720x576", "25"), ...tone(48_000, "stereo"), "-c:v", "mpeg2video", "-c:a", "mp2"]],
  [
    "MPEG-2 interlaced at 30000/1001",
    [...sourceOf("720x480", "30000/1001"), "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-field_order", "tt"],
  ],
  ["MPEG-1", [...sourceOf("352x288", "25"), "-c:v", "mpeg1video"]],
  ["AAC mono at 44.1 kHz", [...tone(44_100, "mono"), "-c:a", "aac"]],
  ["AAC 5.1", [...tone(48_000, "5.1"), "-c:a", "aac"]],
  ["AAC in LATM", [...tone(48_000, "stereo"), "-c:a", "aac", "-mpegts_flags", "+latm"]],
  ["AC-3 stereo", [...tone(48_000, "stereo"), "-c:a", "ac3"]],
  ["AC-3 5.1", [...tone(48_000, "5.1"), "-c:a", "ac3"]],
  ["AC-3 as DVB has it", [...tone(32_000, "mono"), "-c:a", "ac3", "-mpegts_flags", "+system_b"]],
  ["E-AC-3 5.1", [...tone(48_000, "5.1"), "-c:a", "eac3"]],
  [
    "two programmes",
    [
      ...[
        ...sourceOf("640x360", "25"),
        ...tone(48_000, "stereo"),
        "-c:v",
        "libx264",
        "-c:a",
        "mp2",
        "-map",
        "0",
        "-map",
        "1",
      ],
      ...["-program", "title=One:program_num=5:st=0", "-program", "title=Two:program_num=700:st=1"],
    ],
  ],
  ["MP2 mono at half the rate", [...tone(24_000, "mono"), "-c:a", "mp2"]],
])(
  "%s",
  (_, options) => {
    const directory = mkdtempSync(join(tmpdir(), "stream-formats-"));
    try {
      const file = join(directory, "stream.ts");
      const names = ["-metadata", "service_name=Ö1 第一", "-metadata", "service_provider=ÖRF"];
      const languages = ["-metadata:s:a:0", "language=deu"];
      const common = ["-t", "2", "-preset", "ultrafast", "-g", "25", ...names, ...languages, "-f", "mpegts", file];
      run(["ffmpeg", "-v", "error", "-y", ...options, ...common]);
      const shown = "-show_programs";
      const { programs }: Probed = JSON.parse(run(["ffprobe", "-v", "error", shown, "-of", "json", file]));
      const bytes = readFileSync(file);
      const health = new TransportHealth();
      health.look(bytes, 0, bytes.length, 0);
      expect(health).toMatchObject({ continuityErrors: 0, syncLosses: 0, pcrJumps: 0 });
      const found = health.programmes.all.map(({ number, streams = [] }) => ({
        number,
        name: health.programmes.serviceOf(number)?.name,
        provider: health.programmes.serviceOf(number)?.provider,
        streams: streams.map((stream) => ({
          pid: stream.pid,
          codec: stream.codec,
          width: stream.video?.width,
          height: stream.video?.height,
          frameRate: stream.frameRate,
          isInterlaced: stream.video?.isInterlaced,
          sampleRate: stream.audio?.sampleRate,
          channels: stream.audio?.channels,
          language: stream.language,
        })),
      }));
      expect(found).toEqual(
        programs.map(({ program_id, tags, streams }) => ({
          number: program_id,
          name: tags?.service_name,
          provider: tags?.service_provider,
          streams: streams.map(expectedOf),
        })),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  60_000,
);

function expectedOf(stream: ProbedStream) {
  const [over = 0, under = 1] = (stream.r_frame_rate ?? "0/1").split("/").map(Number);
  const isVideo = stream.width !== undefined;
  return {
    pid: Number(stream.id),
    codec: CODECS[stream.codec_name],
    width: stream.width,
    height: stream.height,
    frameRate: isVideo ? Math.round((over / under) * 1000) / 1000 : undefined,
    isInterlaced: isVideo ? stream.field_order !== "progressive" && stream.field_order !== undefined : undefined,
    sampleRate: isVideo ? undefined : Number(stream.sample_rate),
    channels: stream.channels,
    language: stream.tags?.language ?? "",
  };
}
