/** What the player says, in three languages. */
import { LOCALES, type Locale } from "../shared/locale.ts";

/** In the order of `LOCALES`; `{}` is where the value goes. */
type Text = readonly [en: string, hans: string, hant: string];

const TEXTS = {
  title: ["Television", "电视", "電視"],
  channels: ["Channels", "频道", "頻道"],
  guide: ["Guide", "节目单", "節目表"],
  all: ["All", "全部", "全部"],
  groups: ["Groups", "分组", "分組"],
  search: ["Name or number", "名称或编号", "名稱或編號"],
  noMatch: ["No channel matches", "没有匹配的频道", "沒有符合的頻道"],
  noGuide: ["Nothing is known about this channel's programmes", "该频道没有节目信息", "此頻道沒有節目資訊"],
  catchup: ["Can be replayed", "可回看", "可回看"],
  live: ["LIVE", "直播", "直播"],
  goLive: ["Go live", "回到直播", "回到直播"],
  play: ["Play", "播放", "播放"],
  pause: ["Pause", "暂停", "暫停"],
  mute: ["Mute", "静音", "靜音"],
  unmute: ["Unmute", "取消静音", "取消靜音"],
  volume: ["Volume", "音量", "音量"],
  position: ["Position", "播放位置", "播放位置"],
  fullScreen: ["Full screen", "全屏", "全螢幕"],
  leaveFullScreen: ["Leave full screen", "退出全屏", "離開全螢幕"],
  pip: ["Picture in picture", "画中画", "子母畫面"],
  settings: ["Settings", "设置", "設定"],
  sidebar: ["Channel list", "频道列表", "頻道列表"],
  previous: ["Previous channel", "上一频道", "上一頻道"],
  next: ["Next channel", "下一频道", "下一頻道"],
  source: ["Source", "线路", "線路"],
  sourceNumber: ["Source {}", "线路 {}", "線路 {}"],
  retry: ["try {}", "第 {} 次重试", "第 {} 次重試"],
  language: ["Language", "语言", "語言"],
  theme: ["Theme", "主题", "主題"],
  auto: ["Automatic", "自动", "自動"],
  light: ["Light", "浅色", "淺色"],
  dark: ["Dark", "深色", "深色"],
  appearance: ["Appearance", "外观", "外觀"],
  fancy: ["Full", "华丽", "華麗"],
  simple: ["Simple", "简洁", "簡潔"],
  elsewhere: ["Playing in a window of its own", "正在小窗口中播放", "正在小視窗中播放"],
  bringBack: ["Bring it back", "放回此处", "放回此處"],
  seamless: ["Seamless switching", "无缝换台", "無縫轉台"],
  pipMode: ["Picture in picture", "画中画", "子母畫面"],
  document: ["With controls", "完整控件", "完整控制"],
  video: ["Picture only", "仅画面", "僅畫面"],
  reload: ["Reload the playlist", "重新加载播放列表", "重新載入播放清單"],
  close: ["Close", "关闭", "關閉"],
  today: ["Today", "今天", "今天"],
  yesterday: ["Yesterday", "昨天", "昨天"],
  twoDaysAgo: ["Two days ago", "前天", "前天"],
  tomorrow: ["Tomorrow", "明天", "明天"],
  untitled: ["Programme", "节目", "節目"],
  onAir: ["On air", "正在播出", "正在播出"],
  minutes: ["{} min", "{} 分钟", "{} 分鐘"],
  clickToPlay: ["Click or press a key to start", "点击或按任意键开始播放", "點擊或按任意鍵開始播放"],
  unsupportedTitle: ["This browser cannot play this channel", "此浏览器无法播放该频道", "此瀏覽器無法播放此頻道"],
  unsupportedText: [
    "It is sent as {}, which the browser does not decode. A player such as VLC does.",
    "该频道采用 {} 编码,浏览器无法解码。请使用 VLC 等播放器打开。",
    "此頻道採用 {} 編碼,瀏覽器無法解碼。請使用 VLC 等播放器開啟。",
  ],
  unknownCodec: ["a format of its own", "特殊格式", "特殊格式"],
  silent: [
    "No sound: this browser does not decode {}.",
    "没有声音:此浏览器无法解码 {}。",
    "沒有聲音:此瀏覽器無法解碼 {}。",
  ],
  openInVlc: ["Open in VLC", "用 VLC 打开", "用 VLC 開啟"],
  downloadM3u: ["Save as .m3u", "保存为 .m3u", "儲存為 .m3u"],
  copyLink: ["Copy link", "复制链接", "複製連結"],
  copied: ["Copied", "已复制", "已複製"],
  tryAgain: ["Try again", "重试", "重試"],
  failedTitle: ["No picture", "无法播放", "無法播放"],
  failedHttp: [
    "The server answered {}. Another source or a later try may help.",
    "服务器返回 {}。请尝试其他线路或稍后重试。",
    "伺服器回應 {}。請嘗試其他線路或稍後重試。",
  ],
  failedBusy: [
    "The server answered {}: the channel sends nothing, or too many are watching.",
    "服务器返回 {}:频道无信号,或观看人数已达上限。",
    "伺服器回應 {}:頻道無訊號,或觀看人數已達上限。",
  ],
  failedDenied: [
    "The server answered {}: open the page with a valid token.",
    "服务器返回 {}:请使用有效的令牌打开页面。",
    "伺服器回應 {}:請使用有效的權杖開啟頁面。",
  ],
  failedNetwork: [
    "Nothing arrived from the server. Check the network and that the server runs.",
    "服务器没有响应。请检查网络和服务器是否运行。",
    "伺服器沒有回應。請檢查網路及伺服器是否運作。",
  ],
  failedFormat: [
    "What arrived is neither MPEG-TS nor HLS.",
    "收到的数据既不是 MPEG-TS 也不是 HLS。",
    "收到的資料既不是 MPEG-TS 也不是 HLS。",
  ],
  failedDecode: [
    "The browser's decoder gave up: the stream is damaged.",
    "浏览器解码失败:码流已损坏。",
    "瀏覽器解碼失敗:串流已損壞。",
  ],
  failedEnded: ["The server ended the stream.", "服务器结束了码流。", "伺服器結束了串流。"],
  noPlaylistTitle: ["No channels to show", "没有可用的频道", "沒有可用的頻道"],
  noPlaylistLoad: [
    "Is the server running, and reachable from here?",
    "服务器是否在运行,并且可以访问?",
    "伺服器是否在運作,並且可以連線?",
  ],
  noPlaylistConfigured: [
    "Does its configuration name a playlist (external-m3u) or list channels in [services]?",
    "配置中是否设置了播放列表(external-m3u)或 [services] 频道?",
    "設定中是否指定了播放清單(external-m3u)或 [services] 頻道?",
  ],
  noPlaylistToken: [
    "If it asks for a token: was the page opened with it (?r2h-token=…)?",
    "如果需要令牌:页面是否带令牌打开(?r2h-token=…)?",
    "若需要權杖:頁面是否帶權杖開啟(?r2h-token=…)?",
  ],
  loadingChannels: ["Loading channels", "正在加载频道", "正在載入頻道"],
} satisfies Record<string, Text>;

export type TextKey = keyof typeof TEXTS;
/** @param value takes the place of `{}` */
export type Translate = (key: TextKey, value?: string | number) => string;

export function translator(locale: Locale): Translate {
  const index = LOCALES.indexOf(locale);
  return (key, value = "") => (TEXTS[key][index] ?? TEXTS[key][0]).replace("{}", String(value));
}
