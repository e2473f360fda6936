/** Config files as people write them: the least, everything, and what must do no harm. */

const MINIMAL = `
; the least that is of use
[global]
upstream-interface = eth1
`;

const EVERYTHING = `# every option, none at its default
[global]
workers = 4
maxclients = 100
max-connections = 2000
max-connections-per-address = 50
pid-file = /run/sluice.pid
user = tv:video
buffer-pool-max-size = 65536
udp-rcvbuf-size = 1048576
zerocopy-on-send = yes
hostname = https://tv.example:8443/iptv
allowed-hosts = nas.example:5140, .home.example *
xff = yes
r2h-token = secret word
cors-allow-origin = *
udpxy = no
upstream-allow = 10.0.0.0/8, *.tv.example
upstream-deny = 10.0.0.1 [2001:db8::]/32
app-path-prefix = /iptv/
status-page-path = state
player-page-path = /
upstream-interface = br-lan
upstream-interface-multicast = eth1.85
upstream-interface-fcc = eth2
upstream-interface-rtsp = eth3
upstream-interface-http = eth4
mcast-rejoin-interval = 60
mcast-gap-timeout = 30
fast-start = no
stream-health = on
fcc-listen-port-range = 40000 - 40100
rtsp-stun-server = stun.example
rtsp-user-agent = Player/1.0
http-proxy-user-agent = Proxy/2.0 (x; y)
http-answer-timeout = 20
playlist-user-agent = Lists/1.0
proxy-https = yes
external-m3u = https://m3u.example/list?a=b#c file:///etc/my list.m3u
external-m3u-update-interval = 0
use-relative-path-in-m3u = yes
video-snapshot = yes
ffmpeg-path = /opt/bin/ffmpeg
ffmpeg-args = -hwaccel vaapi -threads 1
verbosity = 4
access-log = /var/log/sluice.log
log-format = $remote_addr "$request"

[bind]
* 5140
192.168.1.1 8081
2001:db8::1 5140
[2001:db8::2] 8080
tv.example 80

[services]
#EXTM3U x-tvg-url="https://epg.example/epg.xml.gz"
#EXTINF:-1 group-title="News",One
rtp://239.0.0.1:5000?fcc=192.0.2.1:8027
`;

const HOSTILE = [
  "\u0002\u0001 before = all",
  "[ GLOBAL ] trailing [bind] words",
  "\tMAXCLIENTS\t=\t7 clients # five too many\t",
  'R2H-Token = "quoted" ; no comment',
  "xff = on ; not a boolean any more",
  "workers = 0x20",
  "workers = 99999999999999999999",
  "udp-rcvbuf-size = 64k",
  "mcast-rejoin-interval = -1",
  "fcc-listen-port-range = 50000-40000",
  "external-m3u = ftp://m3u.example/",
  "rtsp-stun-server = stun.example:http",
  "status-page-path = ",
  `player-page-path = /${"p".repeat(3000)}`,
  `hostname = ${"h".repeat(10_000)}`,
  "__proto__ = 1",
  "= value",
  "no equals sign",
  "app-path-prefix = ///",
  "[global",
  "pid-file = a=b",
  "[gl0bal]",
  "maxclients = 99",
  "[bind]",
  "[::1] 8080",
  "* -1",
  "* 80 81 82",
  "/run/with blank",
  "lonely",
  "[Services]",
  "# Too early",
  "TYPE;239.0.0.1",
  "#EXTM3U",
  "#EXTINF:-1,Ünïcode \u{1f4fa}",
  "  rtp://239.0.0.1:5000  ",
  "[bind]",
  "# rtp://239.0.0.2:5000",
].join("\r\n");

export const SAMPLES = { minimal: MINIMAL, everything: EVERYTHING, hostile: HOSTILE } as const;
