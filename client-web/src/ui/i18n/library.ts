/** Words of the library, the player and the recording. */
type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const zhLibrary = {
  title: '课程库', lead: '录下来的每一节课，都可以再听一遍。', search: '搜索课程、知识点、老师或学校',
  loading: '正在读取…', results: '{n} 节课', again: '重试', back: '返回课程库', untitled: '未命名的课',
  emptyTitle: '课程库里还没有课', empty: '下课后，录制的课会自动出现在这里。', noneTitle: '没有找到', none: '换个说法，或去掉一些筛选条件。', showAll: '显示全部',
  noTokenTitle: '需要链接', noToken: '请用管理员或老师发给你的完整链接打开课程库。', errorTitle: '没有读到',
  facet: { subject: '学科', grade: '年级', edition: '版本', point: '知识点' }, order: '排序', orders: { relevance: '最相关', new: '最新', plays: '最多人看' },
  plays: '{n} 次播放', previous: '上一页', next: '下一页', page: '第 {n} 页，共 {of} 页',
  converting: '正在转换格式 {n}%，现在就能看；剪辑要等转换完。', state: { ready: '可播放', transcoding: '正在转换格式', live: '正在上课' }, visibility: { private: '仅主讲可见', school: '参与的学校可见', city: '全市可见' },
  askAbout: '问这一段',
  player: {
    play: '播放', pause: '暂停', loading: '正在加载…', back10: '后退 10 秒', on10: '前进 10 秒', speed: '速度', volume: '音量', mute: '静音', unmute: '打开声音', fullscreen: '全屏', leave: '退出全屏',
    layout: '画面', layouts: { auto: '自动', lead: '老师为主', screen: '课件为主', side: '并排' }, chapters: '章节',
    position: '播放位置', at: '{time}，共 {of}', atChapter: '{time}，共 {of}，{chapter}', resume: '从 {time} 继续', fromStart: '从头播放', resumeTitle: '上次看到 {time}',
    gap: '这一段没有录到（{n} 秒）', nothing: '这节课没有录到声音和画面', failed: '有一路画面打不开，其余照常播放。', noMedia: '录像还没有准备好，请稍后再来。', help: '空格 播放 · J/L ±10 秒 · ←/→ ±5 秒 · Shift+←/→ 章节 · [ ] 速度 · F 全屏 · M 静音 · C 字幕',
    missedTitle: '你错过了 {n}', missedPlay: '只看错过的部分（1.25 倍）', missedStop: '看完整的课', missedLeft: '还剩 {n}', missedDone: '错过的部分已经看完', marks: '{time} {what}',
  },
  edit: { save: '保存', name: '名称', subject: '学科', grade: '年级', edition: '教材版本', points: '知识点（用逗号分开）', visibility: '谁可以看', description: '说明', keep: '长期保留这节课的录像', until: '不保留时，{day} 之后自动删除', open: '修改信息', cancel: '取消' },
  tools: {
    title: '这节课可以', cut: '剪微视频', pack: '做成资源包', export: '导出', usage: '使用情况', remove: '删除', close: '收起', usageAll: '使用统计', library: '课程库',
    shown: '放给谁看', shownNone: '我自己看', shownHelp: '选好班级再播放，这个班的观看会记进使用统计。', classOf: '{name}（{school}）', parts: '资源包里有', inPackages: '收在资源包里', kind: { lesson: '课', clip: '微视频', package: '资源包' },
  },
  captions: { on: '字幕', choose: '字幕语言', failed: '字幕没有读到' },
  cut: {
    title: '剪一段微视频', text: '选一个章节，或者在播放时设起点和终点。原来的课不变。', chapter: '按章节选', chapterNone: '不按章节', name: '标题', start: '起点', end: '终点', here: '设为当前位置', less: '早 1 秒', more: '晚 1 秒', length: '长 {n}', preview: '试看这一段', save: '保存微视频', saving: '正在剪…要几秒钟',
    keys: '播放时按 I 设起点，按 O 设终点；手柄用 ←/→ 移动 0.5 秒，Shift 移动 5 秒。', bad: '时间写成 分:秒，例如 2:05', made: '微视频剪好了，可以改信息、加附件、做成资源包。', handleStart: '微视频起点', handleEnd: '微视频终点', ofLesson: '{title}（片段）',
  },
  attach: {
    title: '附件', none: '还没有附件。', noneHelp: '作业样例、试卷、图片都可以放在这里。', add: '选择文件上传', kind: '种类', kinds: { slides: '课件', homework_sample: '作业样例', paper: '试卷', picture: '图片' }, limit: 'PDF、JPEG、PNG 或 WebP，不超过 20 MB。请先遮住学生姓名。',
    sending: '正在上传 {name}：{n}%', checking: '正在检查 {name}…', tooLarge: '“{name}”超过 20 MB。', wrongType: '“{name}”不是 PDF、JPEG、PNG 或 WebP。', open: '打开', openOne: '打开 {name}', remove: '移除', removeOne: '移除 {name}', confirmTitle: '移除这个附件？', confirm: '“{name}”将从这节课里删掉，不能恢复。', cancel: '不移除', removed: '已移除“{name}”', added: '已上传“{name}”',
  },
  pack: {
    title: '做成资源包', text: '把这节课和别的课、微视频放在一起，按你要的顺序。', editTitle: '资源包的内容', editText: '加入课和微视频，按你要的顺序排。', name: '资源包标题', members: '包里的内容', find: '找课程和微视频', findHelp: '输入标题、知识点或老师', add: '加入', addOne: '加入 {name}', added: '已在包里', none: '没有找到', upOne: '上移 {name}', downOne: '下移 {name}', take: '拿出', takeOne: '拿出 {name}', placed: '{name} 现在是第 {n} 个',
    keys: '也可以选中一行，用 Alt+↑/↓ 调整顺序。', save: '保存资源包', saveMembers: '保存内容', saving: '正在保存…', full: '最多放 60 个。', made: '资源包做好了。', edit: '调整内容', empty: '包里还没有内容。', count: '{n} 个内容', cancel: '取消',
  },
  rate: { title: '给这节课打分', stars: '{n} 星', mine: '你打了 {n} 星', mean: '平均 {n} 分 · {of} 人', few: '{of} 人打过分，满 20 人后显示平均分', saved: '已记下：{n} 星' },
  remove: { title: '删除“{name}”？', lesson: '以下内容会从课程库和磁盘上删掉，不能恢复：', media: '{n} 的录像和声音', clip: '{n} 的微视频', package: '这个资源包（里面的课和微视频不受影响）', attachments: '{n} 个附件', captions: '{n} 种字幕', packages: '它在 {n} 个资源包里的位置', usage: '它的播放记录和评分', clips: '从它剪出的微视频会留下。', yes: '删除', no: '不删除', done: '“{name}”已删除。' },
  usage: {
    title: '使用情况', loading: '正在统计…', plays: '播放', classes: '班级', schools: '学校', homes: '居家学生', median: '完成度（中位数）', done60: '看完六成以上', counted: '看满 30 秒算一次播放；同一个班、同一个人一天只算一次。', none: '还没有人看过。放给班级看时，在播放器上方选好班级。', unknown: '还没有',
    map: '反复看的地方', mapText: '每 {n} 秒被看了几次；点一下去那里。', bucket: '{from}–{to}：看了 {n} 次', chapter: '章节', from: '开始', times: '平均看了', timesValue: '{n} 次', days: '每天播放', day: '日期', peak: '最多 {n} 次', mostly: '看得最多：{time}，{n} 次',
    losses: '断线', lossesText: '断线损失 {n} 学习者分钟（应有时间的 {share}）：断线秒数乘以在场人数。课堂这时用已缓存的课件继续。', noLosses: '上课期间没有断线。', lossOf: '课堂', lossTime: '断线时间', lossMinutes: '学习者分钟',
  },
  month: {
    title: '使用统计', lead: '哪些课真的在被用，用得怎么样。', month: '月份', previous: '上一个月', next: '下一个月', csv: '下载表格（CSV）', saving: '正在准备…', back: '返回课程库', none: '这个月还没有播放记录', noneText: '老师在播放器上方选好班级再播放，就会记到这里。换一个月看看？',
    weights: '“效果”是怎么算的', weightsText: '五项先各折算成 0–100，再按比重相加。没有数据的一项不算，它的比重按比例分给其余各项。', names: { classes: '采用的班级', completion: '完成度', reuse: '再次使用', quiz_gain: '测验进步', rating: '评分' },
    about: { classes: '外校班级看完六成算采用，20 个班为满分', completion: '各班各人看完的比例（中位数）', reuse: '上学期放过的老师里，这个月又放的比例', quiz_gain: '看课前后测验的进步；尚未测量，比重分给其余各项', rating: '老师打的星，满 20 人才算' },
    chart: '每节课的效果', chartText: '效果最高的 {n} 节', table: '每节课的数据', sort: '按“{name}”排序', untold: '尚未测量', none_: '—', fewRaters: '不足 20 人', rows: '{n} 节课',
    columns: { title: '课', lead: '主讲', school: '学校', subject: '学科', grade: '年级', adopting_classes: '采用班级', plays: '播放', home_pupils: '居家学生', completion: '完成度', reuse: '再次使用', rating: '评分', quiz_gain: '测验进步', effect: '效果' }, denied: '只有主讲、管理员和课程库管理员可以看使用统计。',
  },
  catchUp: { title: '你错过了 {n}', text: '可以用 1.25 倍速补看，不影响正在上的课。', start: '补看', later: '不用了', stop: '回到直播', left: '还剩 {n}', loading: '正在准备…', failed: '现在补看不了，下课后可以在课程库里看。',
    room: { title: '本班错过 {n}', text: '1.25 倍速在大屏上补看', start: '补看', later: '不用了', watching: '补看中 −{n} · 1.25×', live: '直播', back: '回到直播', now: '课堂正在{what}', quiz: '做测验', group: '分组讨论', desk: '本班错过 {n}', deskText: '1.25 倍速播到追上直播；被点名上台时自动停止', play: '在大屏上补看', deskNow: '大屏正在补看', deskSince: '已 {n}，本班暂时没有看直播' } },
  recording: { on: '录制', notice: '本课正在录制', writing: '录制 {time}', paused: '录制已暂停', off: '未录制', starting: '正在开始录制…', trouble: '录制出错', pause: '暂停录制', resume: '继续录制', left: '磁盘还能录 {n} 小时' },
} as const

export const enLibrary: Words<typeof zhLibrary> = {
  title: 'Lesson library', lead: 'Every lesson that was recorded, to be heard again.', search: 'Search lessons, knowledge points, teachers or schools',
  loading: 'Loading…', results: 'Lessons: {n}', again: 'Try again', back: 'Back to the library', untitled: 'Untitled lesson',
  emptyTitle: 'No lessons in the library yet', empty: 'Recorded lessons appear here by themselves after the bell.', noneTitle: 'Nothing found', none: 'Try other words, or remove a filter.', showAll: 'Show all',
  noTokenTitle: 'A link is needed', noToken: 'Open the library with the complete link that an operator or teacher gave you.', errorTitle: 'Not loaded',
  facet: { subject: 'Subject', grade: 'Grade', edition: 'Edition', point: 'Knowledge point' }, order: 'Order', orders: { relevance: 'Best match', new: 'Newest', plays: 'Most watched' },
  plays: '{n} plays', previous: 'Previous page', next: 'Next page', page: 'Page {n} of {of}',
  converting: 'Being converted: {n}%. It plays already; clips can be cut afterwards.', state: { ready: 'Ready', transcoding: 'Being converted', live: 'Live now' }, visibility: { private: 'Only its lead', school: 'Schools that took part', city: 'The whole city' },
  askAbout: 'Ask about this part',
  player: {
    play: 'Play', pause: 'Pause', loading: 'Loading…', back10: 'Back 10 s', on10: 'Forward 10 s', speed: 'Speed', volume: 'Volume', mute: 'Mute', unmute: 'Sound on', fullscreen: 'Full screen', leave: 'Leave full screen',
    layout: 'Picture', layouts: { auto: 'Automatic', lead: 'Teacher large', screen: 'Slides large', side: 'Side by side' }, chapters: 'Chapters',
    position: 'Position', at: '{time} of {of}', atChapter: '{time} of {of}, {chapter}', resume: 'Go on from {time}', fromStart: 'From the start', resumeTitle: 'You stopped at {time}',
    gap: 'Nothing was recorded here ({n} s)', nothing: 'No sound or picture of this lesson was recorded', failed: 'One picture cannot be opened; the rest plays on.', noMedia: 'The recording is not ready yet; come back in a moment.', help: 'Space play · J/L ±10 s · ←/→ ±5 s · Shift+←/→ chapter · [ ] speed · F full screen · M mute · C captions',
    missedTitle: 'You missed {n}', missedPlay: 'Only what I missed (1.25×)', missedStop: 'The whole lesson', missedLeft: '{n} left', missedDone: 'You have seen what you missed', marks: '{time} {what}',
  },
  edit: { save: 'Save', name: 'Title', subject: 'Subject', grade: 'Grade', edition: 'Edition of the textbook', points: 'Knowledge points (with commas)', visibility: 'Who may watch', description: 'Description', keep: 'Keep the recording of this lesson', until: 'otherwise deleted after {day}', open: 'Edit', cancel: 'Cancel' },
  tools: {
    title: 'With this lesson', cut: 'Cut a clip', pack: 'Make a package', export: 'Export', usage: 'Usage', remove: 'Delete', close: 'Close', usageAll: 'Usage', library: 'Library',
    shown: 'Shown to', shownNone: 'Only me', shownHelp: 'Choose the class before you play: its viewing is counted in the usage.', classOf: '{name} ({school})', parts: 'In this package', inPackages: 'Part of the packages', kind: { lesson: 'Lesson', clip: 'Clip', package: 'Package' },
  },
  captions: { on: 'Captions', choose: 'Language of the captions', failed: 'Captions not loaded' },
  cut: {
    title: 'Cut a clip', text: 'Take a chapter, or set start and end while it plays. The lesson itself stays as it is.', chapter: 'Take a chapter', chapterNone: 'No chapter', name: 'Title', start: 'Start', end: 'End', here: 'Set to this moment', less: '1 s earlier', more: '1 s later', length: '{n} long', preview: 'Preview this stretch', save: 'Save the clip', saving: 'Cutting… a few seconds',
    keys: 'I sets the start and O the end while it plays; handles move by 0.5 s with ←/→, by 5 s with Shift.', bad: 'Write times as minutes:seconds, like 2:05', made: 'The clip is ready: describe it, add attachments, or put it into a package.', handleStart: 'Start of the clip', handleEnd: 'End of the clip', ofLesson: '{title} (clip)',
  },
  attach: {
    title: 'Attachments', none: 'No attachments yet.', noneHelp: 'Homework samples, papers and pictures can be kept here.', add: 'Choose a file', kind: 'Kind', kinds: { slides: 'Slides', homework_sample: 'Homework sample', paper: 'Paper', picture: 'Picture' }, limit: 'PDF, JPEG, PNG or WebP, up to 20 MB. Cover the names of pupils first.',
    sending: 'Sending {name}: {n} %', checking: 'Checking {name}…', tooLarge: '{name} is larger than 20 MB.', wrongType: '{name} is no PDF, JPEG, PNG or WebP.', open: 'Open', openOne: 'Open {name}', remove: 'Remove', removeOne: 'Remove {name}', confirmTitle: 'Remove this attachment?', confirm: '{name} is deleted from this lesson and cannot be brought back.', cancel: 'Keep it', removed: '{name} removed', added: '{name} sent',
  },
  pack: {
    title: 'Make a package', text: 'Put this lesson together with others and with clips, in the order you want.', editTitle: 'What is in the package', editText: 'Add lessons and clips, in the order you want.', name: 'Title of the package', members: 'In the package', find: 'Find lessons and clips', findHelp: 'A title, knowledge point or teacher', add: 'Add', addOne: 'Add {name}', added: 'In the package', none: 'Nothing found', upOne: 'Move {name} up', downOne: 'Move {name} down', take: 'Take out', takeOne: 'Take out {name}', placed: '{name} is number {n} now',
    keys: 'Or choose a row and move it with Alt+↑/↓.', save: 'Save the package', saveMembers: 'Save', saving: 'Saving…', full: 'At most 60.', made: 'The package is ready.', edit: 'Change what is in it', empty: 'Nothing is in this package yet.', count: '{n} parts', cancel: 'Cancel',
  },
  rate: { title: 'Rate this lesson', stars: '{n} stars', mine: 'You gave {n} stars', mean: '{n} on average · {of} people', few: '{of} people rated; the average is shown from 20 on', saved: 'Kept: {n} stars' },
  remove: { title: 'Delete {name}?', lesson: 'Deleted from the library and the disk, for ever:', media: '{n} of pictures and sound', clip: 'the clip of {n}', package: 'this package (its lessons and clips stay)', attachments: 'attachments ({n})', captions: 'captions ({n})', packages: 'its place in packages ({n})', usage: 'what was noted of its plays and ratings', clips: 'Clips that were cut from it stay.', yes: 'Delete', no: 'Keep it', done: '{name} is deleted.' },
  usage: {
    title: 'Usage', loading: 'Counting…', plays: 'Plays', classes: 'Classes', schools: 'Schools', homes: 'Pupils at home', median: 'Watched to (median)', done60: 'Saw 60 % or more', counted: 'Thirty seconds are a play; a class or a person counts once a day.', none: 'Nobody has watched it yet. When you show it to a class, choose the class above the player.', unknown: 'None yet',
    map: 'Where it is watched again', mapText: 'How often each {n} s were watched; a click goes there.', bucket: '{from}–{to}: watched {n} times', chapter: 'Chapter', from: 'Begins', times: 'Watched on average', timesValue: '{n} times', days: 'Plays by day', day: 'Day', peak: '{n} at most', mostly: 'Watched most: {time}, {n} times',
    losses: 'Lines lost', lossesText: '{n} learner-minutes were lost with lines ({share} of all): seconds without a line times who was there. The class went on with the slides it had.', noLosses: 'No line was lost in the lesson.', lossOf: 'Classroom', lossTime: 'Without a line', lossMinutes: 'Learner-minutes',
  },
  month: {
    title: 'Usage', lead: 'Which lessons are really used, and how well.', month: 'Month', previous: 'Month before', next: 'Month after', csv: 'Download the table (CSV)', saving: 'Preparing…', back: 'Back to the library', none: 'Nothing was played in this month', noneText: 'Plays appear here when a teacher chooses the class above the player. Look at another month?',
    weights: 'How the effect is worked out', weightsText: 'Five figures, each brought to 0–100 and added by its weight. The weight of one without data goes to the others in proportion.', names: { classes: 'Classes that use it', completion: 'Watched to', reuse: 'Used again', quiz_gain: 'Quiz gain', rating: 'Rating' },
    about: { classes: 'classes of other schools that saw 60 % of it; 20 are full marks', completion: 'the share that classes and people saw (median)', reuse: 'of the teachers who showed it last term, the share that did so again', quiz_gain: 'better answers after it than before; not measured yet, its weight goes to the others', rating: 'stars given, from 20 people on' },
    chart: 'Effect by lesson', chartText: 'The {n} lessons with the highest effect', table: 'Figures by lesson', sort: 'Sort by {name}', untold: 'Not measured yet', none_: '–', fewRaters: 'Fewer than 20', rows: '{n} lessons',
    columns: { title: 'Lesson', lead: 'Lead', school: 'School', subject: 'Subject', grade: 'Grade', adopting_classes: 'Classes', plays: 'Plays', home_pupils: 'Pupils at home', completion: 'Watched to', reuse: 'Used again', rating: 'Rating', quiz_gain: 'Quiz gain', effect: 'Effect' }, denied: 'Only leads, operators and librarians may see the usage.',
  },
  catchUp: { title: 'You missed {n}', text: 'Catch up at 1.25× speed; the lesson goes on meanwhile.', start: 'Catch up', later: 'No, thanks', stop: 'Back to the lesson', left: '{n} left', loading: 'Preparing…', failed: 'Not possible now; you will find it in the library after the lesson.',
    room: { title: 'Your class missed {n}', text: 'Catch up on this screen at 1.25×', start: 'Catch up', later: 'No, thanks', watching: 'Catching up −{n} · 1.25×', live: 'Live', back: 'Back to the lesson', now: 'In the lesson now: {what}', quiz: 'a question', group: 'group work', desk: 'Your class missed {n}', deskText: 'At 1.25× until it is live again; being called on stage ends it', play: 'Play it on the screen', deskNow: 'The screen is catching up', deskSince: 'for {n}; your class does not see the live lesson' } },
  recording: { on: 'Recording', notice: 'This lesson is recorded', writing: 'Recording {time}', paused: 'Recording paused', off: 'Not recorded', starting: 'Recording starts…', trouble: 'Recording trouble', pause: 'Pause recording', resume: 'Resume recording', left: 'Disk left for {n} h of lessons' },
}
