#!/usr/bin/env python3
"""Side-by-side benchmark of multicast/RTSP/HTTP -> HTTP relays.

Runs every target through every scenario, interleaved, in network namespaces of
its own (upstream -- relay -- clients, joined by veth pairs), and prints medians.
See README.md for the targets file and for what the columns mean.
"""

import argparse
import contextlib
import ctypes
import datetime
import json
import os
import platform
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
libc = ctypes.CDLL(None, use_errno=True)

# Addresses of the benchmark range (RFC 2544), only ever on veth pairs in our own namespaces.
UP_RELAY, UP_SRC = "198.18.0.1", "198.18.0.2"
LAN_RELAY, LAN_CLIENT = "198.18.1.1", "198.18.1.2"
UP_IF, LAN_IF = "up0", "lan0"
GROUP_BASE, MPORT, HTTP_PORT, RTSP_PORT = "239.81.0", 4056, 8081, 8554
TS = 188


def blob(mib):
    return (mib << 20) // TS * TS


# kind: stream = steady window, finite = until all bodies are through, zap = channel changes
SCENARIOS = {
    "multi8": dict(kind="stream", url="rtp", streams=8, clients=8, mbps=40, text="8 RTP groups x 40 Mbit/s, one client each"),
    "same8": dict(kind="stream", url="rtp", streams=1, clients=8, mbps=40, text="1 RTP group at 40 Mbit/s, 8 clients"),
    "same64": dict(kind="stream", url="rtp", streams=1, clients=64, mbps=8, text="1 RTP group at 8 Mbit/s, 64 clients"),
    "same250": dict(kind="stream", url="rtp", streams=1, clients=250, mbps=4, text="1 RTP group at 4 Mbit/s, 250 clients"),
    "same1000": dict(kind="stream", url="rtp", streams=1, clients=1000, mbps=2, text="1 RTP group at 2 Mbit/s, 1000 clients"),
    "multi64": dict(kind="stream", url="rtp", streams=64, clients=64, mbps=4, text="64 RTP groups x 4 Mbit/s, one client each"),
    "high1": dict(kind="stream", url="rtp", streams=1, clients=1, mbps=400, text="1 RTP group at 400 Mbit/s, 1 client"),
    "low1": dict(kind="stream", url="rtp", streams=1, clients=1, mbps=0.25, text="1 RTP group at 0.25 Mbit/s (radio), 1 client"),
    "udp8": dict(kind="stream", url="udp", streams=8, clients=8, mbps=8, text="8 plain UDP groups x 8 Mbit/s, one client each"),
    "zap": dict(kind="zap", url="rtp", streams=16, mbps=4, zaps=50, hold=150, text="50 channel changes among 16 groups of 4 Mbit/s"),
    "slow-mc": dict(kind="stream", url="rtp", streams=1, clients=5, slow=1, slow_rate=1_000_000, mbps=40,
                    text="1 RTP group at 40 Mbit/s, 4 fast clients and 1 which reads 8 Mbit/s"),
    "slow-proxy": dict(kind="finite", url="http", clients=2, slow=1, slow_rate=6 << 20, size=blob(64), limit=45,
                       text="HTTP proxy of 64 MiB to a 6 MiB/s client and a fast one"),
    "http-proxy": dict(kind="finite", url="http", clients=1, size=blob(1024), limit=60,
                       text="HTTP proxy of 1 GiB at full speed, 1 client"),
    "http-burst": dict(kind="finite", url="http", clients=4, size=blob(256), limit=60,
                       text="HTTP proxy of 4 x 256 MiB at full speed, 4 clients at once"),
    "http-live": dict(kind="stream", url="http", streams=8, clients=8, mbps=8, text="HTTP proxy of 8 live bodies x 8 Mbit/s"),
    "rtsp-tcp": dict(kind="stream", url="rtsp", streams=8, clients=8, mbps=8, text="8 RTSP TCP-interleaved sessions x 8 Mbit/s"),
}
NGINX_CONF = """
daemon off;
master_process off;
worker_processes 1;
pid @dir@/pid;
error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path @dir@/body;
  proxy_temp_path @dir@/proxy;
  fastcgi_temp_path @dir@/fastcgi;
  uwsgi_temp_path @dir@/uwsgi;
  scgi_temp_path @dir@/scgi;
  server {
    listen @port@ backlog=1024;
    location ~ ^/http/(?<upstream>[^/]+)(?<rest>/.*)$ {
      proxy_pass http://$upstream$rest;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
    }
  }
}
"""
# Measured like any other target, but built from this folder (or installed) and without an entry in a targets file.
# `kinds`: the kinds of scenarios that make sense; `stamped`: whether packets carry the time at which they were made.
BUILT_IN = {
    "send": {"cmd": ["@tools@/send", "--port", "@port@", "--mbps", "@mbps@"], "port": 5198, "kinds": ["stream"], "stamped": False,
             "urls": {"rtp": "/rtp/@group@:@mport@", "udp": "/udp/@group@:@mport@"}},
    "nginx": {"cmd": ["nginx", "-p", "@dir@", "-e", "stderr", "-c", "@dir@/nginx.conf"], "port": 5197, "files": {"nginx.conf": NGINX_CONF},
              "urls": {"http": "/http/@origin@:@oport@@path@"}},
    "floor": {"cmd": ["@tools@/floor", "--port", "@port@", "--interface", "@mcif@"], "port": 5199,
              "urls": {"rtp": "/rtp/@group@:@mport@", "udp": "/udp/@group@:@mport@"}},
}
DEFAULT = "multi8,same8,same64,high1,zap,slow-mc,slow-proxy,http-proxy,http-burst,http-live,rtsp-tcp"


class Skip(Exception):
    """The target has no URL for this scenario."""


class Failed(Exception):
    """The run gave no usable measurement."""


# --------------------------------------------------------------------- namespaces


def check(r, what):
    if r != 0:
        err = ctypes.get_errno()
        raise OSError(err, f"{what}: {os.strerror(err)}")


class Net:
    """This process moves to a fresh namespace, the relay's; two more are kept by descriptor."""

    def __init__(self):
        check(libc.unshare(CLONE_NEWNET), "unshare")
        self.src = self._other()
        self.cli = self._other()
        self.sh("ip link set lo up")
        self._pair(UP_IF, UP_RELAY, "up1", UP_SRC, self.src)
        self._pair(LAN_IF, LAN_RELAY, "lan1", LAN_CLIENT, self.cli)
        self.sh(f"ip route add 239.0.0.0/8 dev {UP_IF}")
        self.sh("ip route add 239.0.0.0/8 dev up1", self.src)
        # the same, common, congestion control for all, whatever the machine's default is
        self.sh(f"ip route change 198.18.0.0/24 dev {UP_IF} src {UP_RELAY} congctl cubic")
        self.sh(f"ip route change 198.18.1.0/24 dev {LAN_IF} src {LAN_RELAY} congctl cubic")
        self.sh(f"ip route change 198.18.0.0/24 dev up1 src {UP_SRC} congctl cubic", self.src)

    @staticmethod
    def _other():
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.write(w, b"1" if libc.unshare(CLONE_NEWNET) == 0 else b"0")
            signal.pause()
            os._exit(0)
        try:
            if os.read(r, 1) != b"1":
                raise OSError("unshare failed in the child")
            return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(r)
            os.close(w)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _pair(self, near, near_ip, far, far_ip, ns):
        self.sh(f"ip link add {near} type veth peer name {far}")
        # a namespace kept by descriptor is named to ip by a path of ours
        self.sh(f"ip link set {far} netns /proc/{os.getpid()}/fd/{ns}")
        self.sh(f"ip addr add {near_ip}/24 dev {near} && ip link set {near} up")
        self.sh(f"ip addr add {far_ip}/24 dev {far} && ip link set {far} up && ip link set lo up", ns)

    @staticmethod
    def sh(cmd, ns=None):
        def enter():
            if ns is not None:
                check(libc.setns(ns, CLONE_NEWNET), "setns")

        subprocess.run(["sh", "-c", cmd], check=True, preexec_fn=enter, pass_fds=() if ns is None else (ns,))


# --------------------------------------------------------------------- processes


def stat_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        return f.read().rpartition(b")")[2].split()


def tree(root):
    kids = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            with contextlib.suppress(OSError, IndexError):
                kids.setdefault(int(stat_of(d)[1]), []).append(int(d))
    out, todo = [], [root]
    while todo:
        pid = todo.pop()
        out.append(pid)
        todo += kids.get(pid, [])
    return out


def cpu_ns(root):
    """CPU time of the process, its live descendants and its reaped ones.

    The process clock is exact and holds threads that have ended; the time of
    reaped children is only known in clock ticks."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            f = stat_of(pid)
            total += time.clock_gettime_ns((~pid << 3) | 2) + (int(f[13]) + int(f[14])) * TICK_NS
    return total


def memory(root):
    pss = uss = 0
    for pid in tree(root):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                key, _, rest = line.partition(":")
                if key == "Pss":
                    pss += int(rest.split()[0])
                elif key in ("Private_Clean", "Private_Dirty"):
                    uss += int(rest.split()[0])
    return pss / 1024, uss / 1024


def machine_busy_ns():
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) * TICK_NS


def udp_drops():
    """Datagrams the relay's namespace threw away for want of socket buffer."""
    with open("/proc/net/snmp") as f:
        rows = [line.split() for line in f if line.startswith("Udp:")]
    return int(dict(zip(rows[0], rows[1]))["RcvbufErrors"])


class Proc:
    live = []

    def __init__(self, argv, ns=None, cpus=None, nice=0, stderr=None, env=None, cwd=None, pipe=True):
        def setup():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if ns is not None:
                check(libc.setns(ns, CLONE_NEWNET), "setns")
            if cpus:
                os.sched_setaffinity(0, cpus)
            if nice:
                os.nice(nice)

        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
                                  stdout=subprocess.PIPE if pipe else stderr, stderr=stderr, env=env, cwd=cwd,
                                  preexec_fn=setup, start_new_session=True)
        self.pid = self.p.pid
        self.buf = b""
        Proc.live.append(self)

    def line(self, timeout):
        """Next JSON line of stdout, or None at the end or when the time is over."""
        end = time.monotonic() + timeout
        fd = self.p.stdout.fileno()
        while b"\n" not in self.buf:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return None
            data = os.read(fd, 1 << 16)
            if not data:
                return None
            self.buf += data
        head, _, self.buf = self.buf.partition(b"\n")
        return json.loads(head)

    def event(self, name, timeout):
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            ev = self.line(left)
            if ev is None:
                return None
            if ev.get("ev") == name:
                return ev
        return None

    def say(self, word):
        with contextlib.suppress(BrokenPipeError):
            self.p.stdin.write(word.encode() + b"\n")
            self.p.stdin.flush()

    def cpu(self):
        return cpu_ns(self.pid) if self.p.poll() is None else 0

    def end(self, grace=2.0):
        """SIGTERM to the process, SIGKILL by pid to what is left of its tree."""
        pids = {}
        if self.p.poll() is None:
            for pid in tree(self.pid):
                with contextlib.suppress(OSError, IndexError):
                    pids[pid] = stat_of(pid)[19]
            self.p.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.p.wait(grace)
        for pid, started in pids.items():
            with contextlib.suppress(OSError, IndexError):
                if stat_of(pid)[19] == started:
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.p.wait(5)
        for f in (self.p.stdin, self.p.stdout):
            if f:
                with contextlib.suppress(OSError):
                    f.close()
        if self in Proc.live:
            Proc.live.remove(self)


# --------------------------------------------------------------------- one run


class Bench:
    def __init__(self, args, targets, tools, net, work):
        self.args, self.targets, self.tools, self.net, self.work = args, targets, tools, net, work
        cpus = sorted(os.sched_getaffinity(0))
        self.relay_cpus = self.tool_cpus = None
        if args.pin and len(cpus) > 1:
            self.relay_cpus, self.tool_cpus = {cpus[-1]}, set(cpus[:-1])

    def tool(self, name, ns, *argv):
        return Proc([str(self.tools / name), *map(str, argv)], ns=ns, cpus=self.tool_cpus, nice=self.args.nice)

    def path_of(self, target, sc):
        template = target["urls"].get(sc["url"])
        if template is None:
            raise Skip
        up = {"stream": f"/live/{round(sc.get('mbps', 0) * 1000)}/%d", "finite": f"/blob/{sc.get('size')}/%d"}.get(sc["kind"], "")
        return fill(template.replace("%", "%%"), {
            "group": f"{GROUP_BASE}.%d", "mport": MPORT, "origin": UP_SRC, "oport": HTTP_PORT, "rport": RTSP_PORT, "path": up})

    def run(self, name, sc_name):
        target, sc = self.targets[name], SCENARIOS[sc_name]
        if sc["kind"] not in target.get("kinds", [sc["kind"]]):
            raise Skip
        path = self.path_of(target, sc)
        d = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))
        values = {"port": target["port"], "mcif": UP_IF, "mcaddr": UP_RELAY, "bind": "0.0.0.0", "dir": d,
                  "tools": self.tools, "here": target.get("here", ""), "mbps": sc.get("mbps", 0), "origin": UP_SRC, "oport": HTTP_PORT, "rport": RTSP_PORT}
        for fname, text in target.get("files", {}).items():
            (d / fname).write_text(fill("\n".join(text) if isinstance(text, list) else text, values))
        env = {**os.environ, **{k: fill(v, values) for k, v in target.get("env", {}).items()}}
        log = open(d / "relay.log", "wb")
        made = []
        try:
            t0 = time.monotonic()
            relay = Proc([fill(a, values) for a in target["cmd"]], cpus=self.relay_cpus, nice=self.args.nice, stderr=log,
                         env=env, cwd=d, pipe=False)
            made.append(relay)
            self.wait_ready(relay, target["port"])
            r = {"target": name, "scenario": sc_name, "ready_ms": (time.monotonic() - t0) * 1000}
            time.sleep(1.0)
            c0, t0 = relay.cpu(), time.monotonic()
            time.sleep(1.0)
            r["idle_cpu_pct"] = (relay.cpu() - c0) / (time.monotonic() - t0) / 1e7
            r["idle_pss"], r["idle_uss"] = memory(relay.pid)
            if sc["url"] in ("rtp", "udp"):
                up = self.tool("gen", self.net.src, "--groups", sc["streams"], "--rate", sc["mbps"], "--if", "up1", "--base",
                               GROUP_BASE, "--port", MPORT, "--mode", sc["url"], "--seconds", 120)
            else:
                up = self.tool("origin", self.net.src, "--bind", UP_SRC, "--http", HTTP_PORT, "--rtsp", RTSP_PORT,
                               "--seconds", 120)
            made.append(up)
            time.sleep(0.3)
            sink_args = ["--host", LAN_RELAY, "--port", target["port"], "--path", path, "--seconds", 100]
            getattr(self, "run_" + sc["kind"])(sc, relay, up, sink_args, made, r)
            time.sleep(1.0)
            r["after_pss"], r["after_uss"] = memory(relay.pid)
            if relay.p.poll() is not None:
                raise Failed(f"relay ended with status {relay.p.returncode}")
            up.p.terminate()
            if sc["url"] in ("rtp", "udp"):
                r["gen"] = up.line(3)
            return r
        except Failed as e:
            log.flush()
            tail = (d / "relay.log").read_bytes()[-600:].decode("utf-8", "replace")
            raise Failed(f"{e}; log: {tail!r}" if tail else str(e)) from None
        finally:
            for p in reversed(made):
                p.end()
            log.close()
            shutil.rmtree(d, ignore_errors=True)

    @staticmethod
    def wait_ready(relay, port, timeout=15):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if relay.p.poll() is not None:
                raise Failed(f"relay ended with status {relay.p.returncode} before it was ready")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
                return
            time.sleep(0.01)
        raise Failed("relay not ready in time")

    def snapshot(self, relay, others):
        return {"t": time.monotonic(), "cpu": relay.cpu(), "ours": sum(p.cpu() for p in others) + time.process_time_ns(),
                "busy": machine_busy_ns(), "drops": udp_drops()}

    @staticmethod
    def cost(r, a, b):
        dt = b["t"] - a["t"]
        cpu = b["cpu"] - a["cpu"]
        r["cpu_s"], r["seconds"] = cpu / 1e9, dt
        r["cpu_pct"] = cpu / dt / 1e7
        r["noise_cores"] = max(0.0, (b["busy"] - a["busy"] - cpu - (b["ours"] - a["ours"])) / dt / 1e9)
        r["udp_drops"] = b["drops"] - a["drops"]

    @staticmethod
    def tally(r, ev, sc, base=None):
        """Faults of the fast clients since `base`, of the slow ones apart."""
        slow = sc.get("slow", 0)

        def diff(key, part):
            now = sum(ev[key][part])
            return now - (sum(base[key][part]) if base else 0)

        fast = slice(slow, None)
        r["lost"], r["late"] = diff("lost", fast), diff("late", fast)
        r["corrupt"] = sum(diff(k, fast) for k in ("corrupt", "wrong", "resync"))
        r["foreign"] = diff("foreign", fast)
        if slow:
            r["slow"] = {k: ev[k][0] for k in ("bytes", "lost", "corrupt", "resync", "late", "complete", "why")}
        r["ttfb"] = [x for x in ev["ttfb_ms"][slow:] if x >= 0]
        r["no_data"] = sum(x < 0 for x in ev["ttfb_ms"])
        r["chunked"] = max(ev["chunked"])
        r["why"] = sorted({w for w in ev["why"] if w})

    def run_stream(self, sc, relay, up, sink_args, made, r):
        argv = [*sink_args, "--clients", sc["clients"], "--streams", sc["streams"]]
        if sc.get("slow"):
            argv += ["--slow", sc["slow"], "--slow-rate", sc["slow_rate"], "--rcvbuf", 65536]
        sink = self.tool("sink", self.net.cli, *argv)
        made.append(sink)
        first = sink.event("first", 12)
        if first and not any(first["bytes"]):
            raise Failed(f"no client got data: {sorted(set(first['why']))}")
        time.sleep(self.args.warmup)
        others = [up, sink]
        a = self.snapshot(relay, others)
        sink.say("mark")
        m0 = sink.event("mark", 5)
        mem = []
        for _ in range(4):
            time.sleep(self.args.window / 4)
            mem.append(memory(relay.pid))
        b = self.snapshot(relay, others)
        sink.say("mark")
        m1 = sink.event("mark", 5)
        if not m0 or not m1:
            raise Failed("the sink did not answer")
        sink.say("stop")
        end = sink.event("end", 5)
        self.cost(r, a, b)
        self.tally(r, m1, sc, m0)
        n_bytes, dt = sum(m1["bytes"]) - sum(m0["bytes"]), m1["t"] - m0["t"]
        r["mbps"] = n_bytes * 8 / dt / 1e6
        r["expected_mbps"] = sc["mbps"] * (sc["clients"] - sc.get("slow", 0)) + sc.get("slow", 0) * sc.get("slow_rate", 0) * 8 / 1e6
        r["pss"], r["uss"] = statistics.median(m[0] for m in mem), statistics.median(m[1] for m in mem)
        r["peak_pss"] = max(m[0] for m in mem)
        r["lat_us"] = m1["lat_us"]
        r["lost_all"] = sum(end["lost"]) if end else None
        if n_bytes <= 0:
            raise Failed(f"nothing delivered in the window: {r['why']}")
        r["cpu_s_per_gb"] = (r["cpu_s"] / r["seconds"]) / (n_bytes / dt / 1e9)

    def run_finite(self, sc, relay, up, sink_args, made, r):
        argv = [*sink_args, "--clients", sc["clients"], "--streams", sc["clients"], "--total", sc["size"]]
        if sc.get("slow"):
            argv += ["--slow", sc["slow"], "--slow-rate", sc["slow_rate"], "--rcvbuf", 65536]
        a = self.snapshot(relay, [up])
        sink = self.tool("sink", self.net.cli, *argv)
        made.append(sink)
        mem, ev = [], None
        end = time.monotonic() + sc["limit"]
        while time.monotonic() < end and ev is None:
            ev = sink.event("end", 0.25)
            mem.append(memory(relay.pid))
        b = self.snapshot(relay, [up])
        if ev is None:
            sink.say("stop")
            ev = sink.event("end", 5)
            if ev is None:
                raise Failed("the sink did not end")
        self.cost(r, a, b)
        r["noise_cores"] = max(0.0, r["noise_cores"] - ev["cpu"] / r["seconds"])
        self.tally(r, ev, sc)
        total = sum(ev["bytes"])
        if not total:
            raise Failed(f"no client got data: {r['why']}")
        r["complete"] = sum(ev["complete"])
        r["clients"], r["bytes"] = sc["clients"], ev["bytes"]
        fast = slice(sc.get("slow", 0), None)
        r["mbps"] = sum(n * 8 / t / 1e3 for n, t in zip(ev["bytes"][fast], ev["total_ms"][fast]) if t > 0)
        r["pss"], r["uss"] = statistics.median(m[0] for m in mem), statistics.median(m[1] for m in mem)
        r["peak_pss"] = max(m[0] for m in mem)
        r["cpu_s_per_gb"] = r["cpu_s"] / (total / 1e9)

    def run_zap(self, sc, relay, up, sink_args, made, r):
        a = self.snapshot(relay, [up])
        sink = self.tool("sink", self.net.cli, *sink_args, "--streams", sc["streams"], "--zap", sc["zaps"], "--hold-ms", sc["hold"])
        made.append(sink)
        ev = sink.event("zap", 100)
        b = self.snapshot(relay, [up])
        if not ev:
            raise Failed("no zaps")
        self.cost(r, a, b)
        z = ev["zaps"]
        r["ttfb"] = [x["ttfb_ms"] for x in z if x["ttfb_ms"] >= 0]
        r["no_data"] = len(z) - len(r["ttfb"])
        r["lost"], r["late"] = sum(x["lost"] for x in z), sum(x["late"] for x in z)
        r["corrupt"] = sum(x["corrupt"] + x["wrong"] for x in z)
        r["cpu_ms_per_zap"] = r["cpu_s"] * 1000 / len(z)
        r["mbps"] = sum(x["bytes"] for x in z) * 8 / r["seconds"] / 1e6
        r["pss"], r["uss"] = memory(relay.pid)
        r["peak_pss"] = r["pss"]
        r["why"] = sorted({x["why"] for x in z})
        if not r["ttfb"]:
            raise Failed(f"no zap got data: {r['why']}")


def fill(text, values):
    return re.sub(r"@(\w+)@", lambda m: str(values[m[1]]) if m[1] in values else m[0], text)


# --------------------------------------------------------------------- report


def med(runs, key):
    v = [r[key] for r in runs if r.get(key) is not None]
    return statistics.median(v) if v else None


def quantile(values, q):
    v = sorted(values)
    return v[min(len(v) - 1, int(q * len(v)))] if v else None


def num(x, digits):
    return "–" if x is None else f"{x:.{digits}f}"


def report(results, order, scenarios, ref):
    out = []
    for sc_name in scenarios:
        sc = SCENARIOS[sc_name]
        rows = results.get(sc_name, {})
        out += [f"### {sc_name}: {sc['text']}", ""]
        head = ["target", "CPU s/GB" if sc["kind"] != "zap" else "CPU ms/zap", f"x {ref}", "min–max", "CPU %", "PSS MB", "peak",
                "USS MB", "after", "Mbit/s", "lost", "corrupt", "no data", "TTFB p50/p95 ms"]
        head += {"stream": ["latency p50/p99 ms"], "finite": ["complete"], "zap": []}[sc["kind"]]
        head += ["noise", "n"]
        out += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        key = "cpu_ms_per_zap" if sc["kind"] == "zap" else "cpu_s_per_gb"
        base = med([r for r in rows.get(ref, []) if "error" not in r], key)
        for name in order:
            runs = rows.get(name)
            if runs is None:
                out.append(f"| {name} | n/a" + " |" * (len(head) - 1))
                continue
            good = [r for r in runs if "error" not in r]
            if not good:
                out.append(f"| {name} | FAILED: {runs[-1]['error'][:160]}".replace("\n", " ") + " |" * (len(head) - 1))
                continue
            c = med(good, key)
            cs = [r[key] for r in good]
            ttfb = [x for r in good for x in r["ttfb"]]
            mbps = med(good, "mbps")
            pct = f" ({100 * mbps / good[0]['expected_mbps']:.1f}%)" if "expected_mbps" in good[0] else ""
            row = [name, num(c, 3), num(c / base if base else None, 2), f"{min(cs):.2f}–{max(cs):.2f}", num(med(good, "cpu_pct"), 1),
                   num(med(good, "pss"), 1), num(med(good, "peak_pss"), 1), num(med(good, "uss"), 1), num(med(good, "after_pss"), 1),
                   num(mbps, 0 if mbps >= 10 else 2) + pct, "/".join(str(r["lost"]) for r in good), "/".join(str(r["corrupt"]) for r in good),
                   "/".join(str(r["no_data"]) for r in good), f"{num(quantile(ttfb, 0.5), 1)} / {num(quantile(ttfb, 0.95), 1)}"]
            if sc["kind"] == "stream" and not BUILT_IN.get(name, {}).get("stamped", True):
                row.append("–")
            elif sc["kind"] == "stream":
                row.append("{:.2f} / {:.2f}".format(*(statistics.median(r["lat_us"][k] for r in good) / 1000 for k in ("p50", "p99"))))
            elif sc["kind"] == "finite":
                row.append("/".join(f"{r['complete']}of{r['clients']}" for r in good))
            bad = len(runs) - len(good)
            row += [num(med(good, "noise_cores"), 2), f"{len(good)}" + (f" ({bad} failed)" if bad else "")]
            out.append("| " + " | ".join(row) + " |")
        out.append("")
        for name in order:
            slow = [r["slow"] for r in rows.get(name) or [] if "slow" in r]
            if slow:
                said = "; ".join(f"{s['bytes'] / 1e6:.1f} MB, lost {s['lost']}, corrupt {s['corrupt']}, resync {s['resync']}"
                                 + (f", {s['why']}" if s["why"] else "") for s in slow)
                out.append(f"slow client of {name}: {said}  ")
        if any("slow" in r for n in order for r in rows.get(n) or []):
            out.append("")
    out += ["### idle and start", "", "| target | idle PSS MB | idle USS MB | idle CPU % | ready ms |", "|---|---|---|---|---|"]
    for name in order:
        runs = [r for by in results.values() for r in by.get(name) or [] if "error" not in r]
        if runs:
            out.append(f"| {name} | {num(med(runs, 'idle_pss'), 1)} | {num(med(runs, 'idle_uss'), 1)} | "
                       f"{num(med(runs, 'idle_cpu_pct'), 2)} | {num(med(runs, 'ready_ms'), 0)} |")
    return "\n".join(out) + "\n"


# --------------------------------------------------------------------- main


def build_tools(into):
    for n in ("gen", "sink", "origin", "floor", "send"):
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-Wall", "-Wextra", "-o", into / n, HERE / f"{n}.c"], check=True)
    return into


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    return {"kernel": platform.release(), "cpu": model, "cores": os.cpu_count(), "load": os.getloadavg(),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--targets", type=Path, action="append", default=[], help="JSON file of targets; may be repeated")
    ap.add_argument("--only", help="comma-separated target names, in this order")
    ap.add_argument("--scenarios", default=DEFAULT)
    ap.add_argument("--reps", type=int, default=3)
    ap.add_argument("--ref", default="rtp2httpd", help="target the ratios refer to")
    ap.add_argument("--out", type=Path, help="JSON of all runs (written after each)")
    ap.add_argument("--md", type=Path, help="markdown report")
    ap.add_argument("--warmup", type=float, default=2.0)
    ap.add_argument("--window", type=float, default=8.0)
    ap.add_argument("--pin", action="store_true", help="relay on the last CPU, everything else on the others")
    ap.add_argument("--nice", type=int, default=0, help="niceness of relay and tools alike")
    ap.add_argument("--max-noise", type=float, default=0.3, help="cores that others may use before a run is repeated")
    ap.add_argument("--retries", type=int, default=2, help="repeats of a noisy run; the quietest counts")
    ap.add_argument("--merge", type=Path, nargs="*", help="only print a report of these --out files together")
    ap.add_argument("--list", action="store_true", help="list scenarios")
    args = ap.parse_args()

    if args.list:
        for n, s in SCENARIOS.items():
            print(f"{n:12} {s['text']}")
        return 0
    scenarios = args.scenarios.split(",")
    if unknown := [s for s in scenarios if s not in SCENARIOS]:
        ap.error(f"unknown scenario {unknown}")

    if args.merge:
        results, order = {}, []
        for f in args.merge:
            for sc, by in json.loads(f.read_text())["results"].items():
                for name, runs in by.items():
                    if name not in order:
                        order.append(name)
                    results.setdefault(sc, {}).setdefault(name, []).extend(runs)
        if args.only:
            order = args.only.split(",")
        text = report(results, order, [s for s in SCENARIOS if s in results], args.ref)
        print(text)
        if args.md:
            args.md.write_text(text)
        return 0

    if not args.targets and not args.only:
        ap.error("--targets or --only is needed")
    listed = {}
    for path in args.targets:
        for name, target in json.loads(path.read_text()).items():
            listed[name] = {**target, "here": path.resolve().parent}
    targets = {**BUILT_IN, **listed}
    order = args.only.split(",") if args.only else list(listed)
    if unknown := [n for n in order if n not in targets]:
        ap.error(f"unknown target {unknown}")
    if os.geteuid() != 0 and "RELAY_BENCH_USERNS" not in os.environ:
        os.environ["RELAY_BENCH_USERNS"] = "1"
        os.execvp("unshare", ["unshare", "-Ur", sys.executable, *sys.argv])

    # A thousand clients need more descriptors than a shell usually grants: relays and tools inherit these.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(65536, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    info = machine()
    results = {}
    work = Path(tempfile.mkdtemp(prefix="relay-bench-"))
    try:
        bench = Bench(args, targets, build_tools(work), Net(), work)
        for rep in range(args.reps):
            for sc in scenarios:
                turn = order[rep % len(order):] + order[:rep % len(order)]
                for name in turn:
                    best = None
                    for attempt in range(args.retries + 1):
                        try:
                            r = bench.run(name, sc)
                        except Skip:
                            best = None
                            break
                        except Failed as e:
                            r = {"target": name, "scenario": sc, "error": str(e), "noise_cores": 0}
                        if best is None or r["noise_cores"] < best["noise_cores"]:
                            best = r
                        if r["noise_cores"] <= args.max_noise:
                            break
                    if best is None:
                        continue
                    results.setdefault(sc, {}).setdefault(name, []).append(best)
                    key = "cpu_ms_per_zap" if SCENARIOS[sc]["kind"] == "zap" else "cpu_s_per_gb"
                    print(f"[{rep + 1}/{args.reps}] {sc:11} {name:16} "
                          + (f"FAILED {best['error'][:200]}" if "error" in best else
                             f"{best[key]:.3f} cpu {best['cpu_pct']:.1f}% pss {best['pss']:.1f} mbps {best['mbps']:.0f} "
                             f"lost {best['lost']} corrupt {best['corrupt']} noise {best['noise_cores']:.2f}"),
                          file=sys.stderr, flush=True)
                    if args.out:
                        args.out.write_text(json.dumps({"machine": info, "args": {k: str(v) for k, v in vars(args).items()},
                                                        "results": results}, indent=1))
    finally:
        for p in list(Proc.live):
            p.end()
        shutil.rmtree(work, ignore_errors=True)
    text = (f"{info['date']}, Linux {info['kernel']}, {info['cpu']}, {info['cores']} cores, load at start {info['load'][0]:.2f}; "
            f"{args.reps} repetitions, window {args.window:g} s, pin {args.pin}\n\n" + report(results, order, scenarios, args.ref))
    print(text)
    if args.md:
        args.md.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
