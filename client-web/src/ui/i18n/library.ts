/** Words of the library, the player and the recording. */
type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const zhLibrary = {
  title: '课程库', lead: '录下来的每一节课，都可以再听一遍。', search: '搜索课程、知识点、老师或学校',
  loading: '正在读取…', results: '{n} 节课', again: '重试', back: '返回课程库', untitled: '未命名的课',
  emptyTitle: '课程库里还没有课', empty: '下课后，录制的课会自动出现在这里。', noneTitle: '没有找到', none: '换个说法，或去掉一些筛选条件。', showAll: '显示全部',
  noTokenTitle: '需要链接', noToken: '请用管理员或老师发给你的完整链接打开课程库。', errorTitle: '没有读到',
  facet: { subject: '学科', grade: '年级', edition: '版本', point: '知识点' }, order: '排序', orders: { relevance: '最相关', new: '最新', plays: '最多人看' },
  plays: '{n} 次播放', previous: '上一页', next: '下一页', page: '第 {n} 页，共 {of} 页',
  state: { ready: '可播放', transcoding: '正在转换格式', live: '正在上课' }, visibility: { private: '仅主讲可见', school: '参与的学校可见', city: '全市可见' },
  player: {
    play: '播放', pause: '暂停', loading: '正在加载…', back10: '后退 10 秒', on10: '前进 10 秒', speed: '速度', volume: '音量', mute: '静音', unmute: '打开声音', fullscreen: '全屏', leave: '退出全屏',
    layout: '画面', layouts: { auto: '自动', lead: '老师为主', screen: '课件为主', side: '并排' }, chapters: '章节',
    position: '播放位置', at: '{time}，共 {of}', atChapter: '{time}，共 {of}，{chapter}', resume: '从 {time} 继续', fromStart: '从头播放', resumeTitle: '上次看到 {time}',
    gap: '这一段没有录到（{n} 秒）', nothing: '这节课没有录到声音和画面', failedTitle: '播放不了', failed: '有一路画面打不开，其余照常播放。', noMedia: '录像还没有准备好，请稍后再来。', keys: '键盘', help: '空格 播放 · J/L ±10 秒 · ←/→ ±5 秒 · Shift+←/→ 章节 · [ ] 速度 · F 全屏 · M 静音',
    missedTitle: '你错过了 {n}', missedPlay: '只看错过的部分（1.25 倍）', missedStop: '看完整的课', missedLeft: '还剩 {n}', missedDone: '错过的部分已经看完', marks: '{time} {what}', noLine: '不在线',
  },
  edit: { title: '课程信息', save: '保存', saved: '已保存', name: '名称', subject: '学科', grade: '年级', edition: '教材版本', points: '知识点（用逗号分开）', visibility: '谁可以看', description: '说明', keep: '长期保留这节课的录像', until: '不保留时，{day} 之后自动删除', open: '修改信息', cancel: '取消' },
  catchUp: { title: '你错过了 {n}', text: '可以用 1.25 倍速补看，不影响正在上的课。', start: '补看', later: '不用了', stop: '回到直播', left: '还剩 {n}', loading: '正在准备…', failed: '现在补看不了，下课后可以在课程库里看。' },
  recording: { on: '录制', notice: '本课正在录制', writing: '录制 {time}', paused: '录制已暂停', off: '未录制', starting: '正在开始录制…', trouble: '录制出错', pause: '暂停录制', resume: '继续录制', left: '磁盘还能录 {n} 小时' },
} as const

export const enLibrary: Words<typeof zhLibrary> = {
  title: 'Lesson library', lead: 'Every lesson that was recorded, to be heard again.', search: 'Search lessons, knowledge points, teachers or schools',
  loading: 'Loading…', results: '{n} lessons', again: 'Try again', back: 'Back to the library', untitled: 'Untitled lesson',
  emptyTitle: 'No lessons in the library yet', empty: 'Recorded lessons appear here by themselves after the bell.', noneTitle: 'Nothing found', none: 'Try other words, or remove a filter.', showAll: 'Show all',
  noTokenTitle: 'A link is needed', noToken: 'Open the library with the complete link that an operator or teacher gave you.', errorTitle: 'Not loaded',
  facet: { subject: 'Subject', grade: 'Grade', edition: 'Edition', point: 'Knowledge point' }, order: 'Order', orders: { relevance: 'Best match', new: 'Newest', plays: 'Most watched' },
  plays: '{n} plays', previous: 'Previous page', next: 'Next page', page: 'Page {n} of {of}',
  state: { ready: 'Ready', transcoding: 'Being converted', live: 'Live now' }, visibility: { private: 'Only its lead', school: 'Schools that took part', city: 'The whole city' },
  player: {
    play: 'Play', pause: 'Pause', loading: 'Loading…', back10: 'Back 10 s', on10: 'Forward 10 s', speed: 'Speed', volume: 'Volume', mute: 'Mute', unmute: 'Sound on', fullscreen: 'Full screen', leave: 'Leave full screen',
    layout: 'Picture', layouts: { auto: 'Automatic', lead: 'Teacher large', screen: 'Slides large', side: 'Side by side' }, chapters: 'Chapters',
    position: 'Position', at: '{time} of {of}', atChapter: '{time} of {of}, {chapter}', resume: 'Go on from {time}', fromStart: 'From the start', resumeTitle: 'You stopped at {time}',
    gap: 'Nothing was recorded here ({n} s)', nothing: 'No sound or picture of this lesson was recorded', failedTitle: 'Cannot be played', failed: 'One picture cannot be opened; the rest plays on.', noMedia: 'The recording is not ready yet; come back in a moment.', keys: 'Keys', help: 'Space play · J/L ±10 s · ←/→ ±5 s · Shift+←/→ chapter · [ ] speed · F full screen · M mute',
    missedTitle: 'You missed {n}', missedPlay: 'Only what I missed (1.25×)', missedStop: 'The whole lesson', missedLeft: '{n} left', missedDone: 'You have seen what you missed', marks: '{time} {what}', noLine: 'Away',
  },
  edit: { title: 'About this lesson', save: 'Save', saved: 'Saved', name: 'Title', subject: 'Subject', grade: 'Grade', edition: 'Edition of the textbook', points: 'Knowledge points (with commas)', visibility: 'Who may watch', description: 'Description', keep: 'Keep the recording of this lesson', until: 'otherwise deleted after {day}', open: 'Edit', cancel: 'Cancel' },
  catchUp: { title: 'You missed {n}', text: 'Catch up at 1.25× speed; the lesson goes on meanwhile.', start: 'Catch up', later: 'No, thanks', stop: 'Back to the lesson', left: '{n} left', loading: 'Preparing…', failed: 'Not possible now; you will find it in the library after the lesson.' },
  recording: { on: 'Recording', notice: 'This lesson is recorded', writing: 'Recording {time}', paused: 'Recording paused', off: 'Not recorded', starting: 'Recording starts…', trouble: 'Recording trouble', pause: 'Pause recording', resume: 'Resume recording', left: 'Disk left for {n} h of lessons' },
}
