/** Every text of the page in its three languages: English, simplified and traditional Chinese. `{name}` stands for a value. */
import { LOCALES, type Locale } from "../shared/locale.ts";

/** In the order of `LOCALES`. */
type Wording = readonly [en: string, zhHans: string, zhHant: string];

const TEXTS = {
  pageTitle: ["sluice · status", "sluice · 状态", "sluice · 狀態"],
  status: ["Status", "状态", "狀態"],
  skipToContent: ["Skip to content", "跳到正文", "跳到正文"],

  "connection.connecting": ["Connecting", "正在连接", "正在連線"],
  "connection.connected": ["Connected", "已连接", "已連線"],
  "connection.reconnecting": ["Reconnecting", "正在重新连接", "正在重新連線"],
  "connection.disconnected": ["Disconnected", "已断开", "已中斷"],
  "connection.misdirected": ["Refused", "已拒绝", "已拒絕"],
  version: ["Version", "版本", "版本"],
  uptime: ["Uptime", "运行时间", "運行時間"],
  lastUpdate: ["Updated", "更新于", "更新於"],

  settings: ["Display settings", "显示设置", "顯示設定"],
  language: ["Language", "语言", "語言"],
  theme: ["Theme", "主题", "主題"],
  "theme.auto": ["Auto", "自动", "自動"],
  "theme.light": ["Light", "浅色", "淺色"],
  "theme.dark": ["Dark", "深色", "深色"],
  unit: ["Bandwidth unit", "带宽单位", "頻寬單位"],

  "verdict.unknown": ["Waiting for the server …", "正在等待服务器……", "正在等待伺服器……"],
  "verdict.stale": [
    "No connection to the server. The figures are old.",
    "与服务器的连接已断开，以下为旧数据。",
    "與伺服器的連線已中斷，以下為舊資料。",
  ],
  "verdict.misdirected": [
    "The server does not know itself by the name {host} and shows its status only under names of its own. " +
      "Set allowed-hosts = {host} in its configuration (or hostname, or r2h-token), or open this page by the server's IP address.",
    "服务器不认识名称 {host}，只在自己的名称下显示状态。请在其配置中设置 allowed-hosts = {host}（或 hostname、r2h-token），或用服务器的 IP 地址打开本页。",
    "伺服器不認識名稱 {host}，只在自己的名稱下顯示狀態。請在其設定中加入 allowed-hosts = {host}（或 hostname、r2h-token），或用伺服器的 IP 位址開啟本頁。",
  ],
  "verdict.upstreams": ["Upstreams with trouble: {count}", "有问题的上游：{count}", "有問題的上游：{count}"],
  "verdict.clients": [
    "Clients too slow for their stream: {count}",
    "跟不上码流的客户端：{count}",
    "跟不上碼流的用戶端：{count}",
  ],
  "verdict.idle": ["All is quiet. Nobody is watching.", "一切安静，无人观看。", "一切安靜，無人觀看。"],
  "verdict.fine": ["All is well. Everything flows.", "一切正常，播放流畅。", "一切正常，播放流暢。"],
  showUpstreams: ["Show upstreams", "查看上游", "檢視上游"],
  showClients: ["Show connections", "查看连接", "檢視連線"],

  summary: ["Summary", "概览", "概覽"],
  activeClients: ["Active clients", "活动客户端", "作用中用戶端"],
  totalBandwidth: ["Total bandwidth", "总带宽", "總頻寬"],
  totalTraffic: ["Total traffic", "总流量", "總流量"],
  maxClients: ["Maximum clients", "最大客户端数", "用戶端上限"],

  charts: ["The last 5 minutes", "最近 5 分钟", "最近 5 分鐘"],
  bandwidth: ["Bandwidth", "带宽", "頻寬"],
  clients: ["Clients", "客户端", "用戶端"],
  loss: ["Loss", "丢包", "丟包"],
  "series.lost": ["Lost upstream", "上游丢失", "上游遺失"],
  "series.errors": ["Continuity errors", "连续性错误", "連續性錯誤"],
  "series.dropped": ["Dropped to clients", "对客户端丢弃", "對用戶端捨棄"],
  perSecond: ["{count} /s", "{count} /秒", "{count} /秒"],
  chartLabel: [
    "{title} during the last 5 minutes: now {now}, at most {most}",
    "最近 5 分钟{title}：当前 {now}，最高 {most}",
    "最近 5 分鐘{title}：目前 {now}，最高 {most}",
  ],

  connections: ["Connections", "连接", "連線"],
  client: ["Client", "客户端", "用戶端"],
  service: ["Stream", "码流", "碼流"],
  state: ["State", "状态", "狀態"],
  duration: ["Duration", "时长", "時長"],
  sent: ["Sent", "已发送", "已傳送"],
  queue: ["QueueStats", "队列", "佇列"],
  queueUsage: ["{used} of {limit}", "{used} / {limit}", "{used} / {limit}"],
  queuePeak: ["peak {peak} ({percent})", "峰值 {peak}（{percent}）", "峰值 {peak}（{percent}）"],
  dropped: ["Dropped", "已丢弃", "已捨棄"],
  droppedPackets: ["{count} packets", "{count} 个包", "{count} 個封包"],
  backpressure: ["Held back {count} ×", "反压 {count} 次", "反壓 {count} 次"],
  slow: ["Slow", "缓慢", "緩慢"],
  actions: ["Actions", "操作", "操作"],
  disconnect: ["Disconnect", "断开", "中斷"],
  disconnectClient: ["Disconnect {client}", "断开 {client}", "中斷 {client}"],
  showGone: ["Show ended ({count})", "显示已结束（{count}）", "顯示已結束（{count}）"],
  nobodyWatches: ["Nobody is watching.", "目前无人观看。", "目前無人觀看。"],
  openInPlayer: ["Open this playlist in a player:", "在播放器中打开此播放列表：", "在播放器中開啟此播放清單："],

  upstreams: ["Upstreams", "上游", "上游"],
  upstreamsHint: [
    "Where the television comes from. When the picture stutters, look here first.",
    "电视信号的来源。画面卡顿时，请先看这里。",
    "電視訊號的來源。畫面卡頓時，請先看這裡。",
  ],
  noUpstreams: [
    "No upstream is open. One opens when somebody watches.",
    "没有打开的上游。有人观看时会自动打开。",
    "沒有開啟的上游。有人觀看時會自動開啟。",
  ],
  upstreamsUnknown: [
    "– This server does not report its upstreams.",
    "– 此服务器不报告上游。",
    "– 此伺服器不回報上游。",
  ],
  upstream: ["Upstream", "上游", "上游"],
  condition: ["Condition", "状况", "狀況"],
  received: ["Received", "已接收", "已接收"],
  lost: ["Lost", "丢失", "遺失"],
  repaired: ["Repaired", "已修复", "已修復"],
  reordered: ["Reordered", "乱序", "亂序"],
  duplicates: ["Duplicates", "重复", "重複"],
  continuityErrors: ["Continuity errors", "连续性错误", "連續性錯誤"],
  lastData: ["Last data", "最近数据", "最近資料"],
  now: ["now", "刚刚", "剛剛"],
  never: ["never", "从未", "從未"],
  ago: ["{time} ago", "{time} 前", "{time} 前"],
  workerId: ["Worker {id}", "工作进程 {id}", "工作行程 {id}"],
  "health.steady": ["Steady", "稳定", "穩定"],
  "health.starting": ["No data yet", "尚无数据", "尚無資料"],
  "health.waiting": ["Waiting for data", "等待数据", "等待資料"],
  "health.silent": ["Silent for {time}", "已静默 {time}", "已靜默 {time}"],
  "health.losing": ["Losing packets", "正在丢包", "正在丟包"],
  "why.steady": ["No loss in the last minute", "最近一分钟无丢包", "最近一分鐘無丟包"],
  "why.starting": ["Opened, but nothing has arrived", "已打开，但尚未收到数据", "已開啟，但尚未收到資料"],
  "why.waiting": ["Paused player or slow server", "播放器暂停或服务器缓慢", "播放器暫停或伺服器緩慢"],
  "why.silent": ["The source has stopped sending", "信号源已停止发送", "訊號源已停止傳送"],
  "fcc.burst": [
    "FCC {dialect} {server}: {ms} ms to the first packet, burst of {bytes}",
    "FCC {dialect} {server}：首包 {ms} 毫秒，突发 {bytes}",
    "FCC {dialect} {server}：首包 {ms} 毫秒，突發 {bytes}",
  ],
  "fcc.none": ["FCC {dialect} {server}: no burst", "FCC {dialect} {server}：无突发", "FCC {dialect} {server}：無突發"],
  "fcc.gap": ["{count} packets missing behind it", "其后缺 {count} 个包", "其後缺 {count} 個封包"],
  "why.lost": ["Last minute: {count} packets lost", "最近一分钟丢失 {count} 个包", "最近一分鐘遺失 {count} 個封包"],
  "why.errors": [
    "Last minute: {count} continuity errors",
    "最近一分钟 {count} 次连续性错误",
    "最近一分鐘 {count} 次連續性錯誤",
  ],

  workers: ["Workers", "工作进程", "工作行程"],
  noWorkers: ["No worker has reported yet.", "尚无工作进程报告。", "尚無工作行程回報。"],
  pid: ["PID {pid}", "PID {pid}", "PID {pid}"],
  notRunning: ["Not running", "未运行", "未執行"],
  sends: ["Sends", "发送次数", "傳送次數"],
  batches: ["Batches", "批量发送", "批次傳送"],
  refusals: ["Refused", "被拒绝", "被拒絕"],
  mediaPool: ["Media buffers", "媒体缓冲", "媒體緩衝"],
  controlPool: ["Control buffers", "控制缓冲", "控制緩衝"],
  poolUsage: ["{used} of {total}, at most {max}", "{used} / {total}，上限 {max}", "{used} / {total}，上限 {max}"],

  logs: ["Logs", "日志", "日誌"],
  logLevel: ["Level", "级别", "級別"],
  autoScroll: ["Auto-scroll", "自动滚动", "自動捲動"],
  noLogs: ["No log lines.", "没有日志。", "沒有日誌。"],

  serviceControl: ["Service control", "服务控制", "服務控制"],
  "action.reload-config": ["Reload configuration", "重新加载配置", "重新載入設定"],
  "action.restart-workers": ["Restart workers", "重启工作进程", "重新啟動工作行程"],
  "action.clear-logs": ["Clear logs", "清空日志", "清除日誌"],
  "explain.reload-config": [
    "Reads the configuration file again. Streams that it does not change go on.",
    "重新读取配置文件，不受影响的码流继续播放。",
    "重新讀取設定檔，不受影響的碼流繼續播放。",
  ],
  "explain.restart-workers": [
    "Ends all workers and starts new ones. Everybody who watches is interrupted.",
    "结束所有工作进程并启动新的进程，所有观看都会中断。",
    "結束所有工作行程並啟動新的行程，所有觀看都會中斷。",
  ],
  "explain.clear-logs": [
    "Removes the lines shown on every status page. Files are not touched.",
    "清除所有状态页面显示的日志，不影响日志文件。",
    "清除所有狀態頁面顯示的日誌，不影響日誌檔案。",
  ],
  cancel: ["Cancel", "取消", "取消"],
  dismiss: ["Dismiss", "关闭", "關閉"],
  "done.reload-config": ["Configuration reload requested", "已请求重新加载配置", "已要求重新載入設定"],
  "done.restart-workers": ["Worker restart requested", "已请求重启工作进程", "已要求重新啟動工作行程"],
  "done.clear-logs": ["Logs cleared", "日志已清空", "日誌已清除"],
  "done.disconnect": ["Disconnect requested", "已请求断开", "已要求中斷"],
  "done.log-level": ["Log level: {level}", "日志级别：{level}", "日誌級別：{level}"],
  failed: ["Not done: {reason}", "未完成：{reason}", "未完成：{reason}"],

  unknownState: ["Unknown ({code})", "未知（{code}）", "未知（{code}）"],
} as const satisfies Record<string, Wording>;

/** By state code (status.md section 4). */
const CLIENT_STATES: readonly Wording[] = [
  ["Connecting", "正在连接", "正在連線"],
  ["FCC initial", "FCC 初始", "FCC 初始"],
  ["FCC requested", "FCC 已请求", "FCC 已請求"],
  ["FCC waiting for unicast", "FCC 等待单播", "FCC 等待單播"],
  ["FCC unicast", "FCC 单播", "FCC 單播"],
  ["FCC joining multicast", "FCC 加入组播", "FCC 加入群播"],
  ["Multicast", "组播", "群播"],
  ["RTSP initial", "RTSP 初始", "RTSP 初始"],
  ["RTSP connecting", "RTSP 正在连接", "RTSP 正在連線"],
  ["RTSP connected", "RTSP 已连接", "RTSP 已連線"],
  ["RTSP sending OPTIONS", "RTSP 发送 OPTIONS", "RTSP 傳送 OPTIONS"],
  ["RTSP awaiting OPTIONS", "RTSP 等待 OPTIONS", "RTSP 等待 OPTIONS"],
  ["RTSP sending DESCRIBE", "RTSP 发送 DESCRIBE", "RTSP 傳送 DESCRIBE"],
  ["RTSP awaiting DESCRIBE", "RTSP 等待 DESCRIBE", "RTSP 等待 DESCRIBE"],
  ["RTSP described", "RTSP 已描述", "RTSP 已描述"],
  ["RTSP sending SETUP", "RTSP 发送 SETUP", "RTSP 傳送 SETUP"],
  ["RTSP awaiting SETUP", "RTSP 等待 SETUP", "RTSP 等待 SETUP"],
  ["RTSP set up", "RTSP 已建立", "RTSP 已建立"],
  ["RTSP sending PLAY", "RTSP 发送 PLAY", "RTSP 傳送 PLAY"],
  ["RTSP awaiting PLAY", "RTSP 等待 PLAY", "RTSP 等待 PLAY"],
  ["RTSP playing", "RTSP 播放中", "RTSP 播放中"],
  ["RTSP reconnecting", "RTSP 正在重连", "RTSP 正在重連"],
  ["RTSP sending TEARDOWN", "RTSP 发送 TEARDOWN", "RTSP 傳送 TEARDOWN"],
  ["RTSP awaiting TEARDOWN", "RTSP 等待 TEARDOWN", "RTSP 等待 TEARDOWN"],
  ["RTSP torn down", "RTSP 已拆除", "RTSP 已拆除"],
  ["RTSP paused", "RTSP 已暂停", "RTSP 已暫停"],
  ["HTTP connecting", "HTTP 正在连接", "HTTP 正在連線"],
  ["HTTP sending request", "HTTP 发送请求", "HTTP 傳送請求"],
  ["HTTP awaiting headers", "HTTP 等待响应头", "HTTP 等待回應標頭"],
  ["HTTP streaming", "HTTP 传输中", "HTTP 傳輸中"],
  ["Error", "错误", "錯誤"],
  ["Disconnected", "已断开", "已中斷"],
];

/** Kinds of upstreams are names of protocols: the same everywhere, but for multicast. */
const KINDS: Readonly<Record<string, Wording>> = {
  multicast: ["Multicast", "组播", "群播"],
  "rtsp-tcp": ["RTSP over TCP", "RTSP over TCP", "RTSP over TCP"],
  "rtsp-udp": ["RTSP over UDP", "RTSP over UDP", "RTSP over UDP"],
  http: ["HTTP", "HTTP", "HTTP"],
};

type TextKey = keyof typeof TEXTS;

export interface Texts {
  (key: TextKey, values?: Readonly<Record<string, string | number>>): string;
  /** @param code undefined and codes without a name are unknown */
  clientState(code: number | undefined): string;
  /** A kind without a name stays as it is. */
  kind(kind: string): string;
}

/** The texts in one language. */
export function textsIn(locale: Locale): Texts {
  const column = LOCALES.indexOf(locale);
  const text = (key: TextKey, values: Readonly<Record<string, string | number>> = {}) =>
    // In one pass: a value that looks like a placeholder stays as it is.
    TEXTS[key][column]!.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  const clientState = (code: number | undefined) =>
    CLIENT_STATES[code ?? -1]?.[column] ?? text("unknownState", { code: code ?? "–" });
  const kind = (name: string) => (Object.hasOwn(KINDS, name) ? KINDS[name]![column]! : name);
  return Object.assign(text, { clientState, kind });
}
