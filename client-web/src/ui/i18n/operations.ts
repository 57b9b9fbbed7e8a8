/** Words of the operator's page. */
type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const zhOperations = {
  title: '运行状态', lessons: '我的课', loading: '正在看…',
  well: '一切正常', wellText: '{lessons} 节课，{rooms} 间教室在线。这里每 2 秒更新一次。', wellEmpty: '现在没有课。这里每 2 秒更新一次。',
  needs: '需要处理', stale: '服务器没有回应', staleText: '下面是 {n} 秒前的情况。服务器回来后会自动更新。', age: '{n} 秒前', now: '刚刚更新',
  inLesson: '在《{title}》', todo: '怎么办', more: '等 {n} 间',
  going: '正在进行', empty: '现在没有打开的课', emptyText: '课开放后会出现在这里，每间教室一盏灯。', elsewhere: '另有 {n} 节课在其他服务器上。',
  phase: { pre_class: '课前', live: '上课中', closed: '已下课' }, minutes: '第 {n} 分钟，共 {of} 分钟', planned: '计划 {n} 分钟',
  rooms: '教室 {n}/{of}', homes: '居家 {n}/{of}', light: { green: '正常', amber: '注意', red: '要处理', grey: '未在' }, roomsOf: '《{title}》的教室', noRooms: '这节课没有安排教室。',
  machine: '这台服务器', disk: '磁盘', hours: '还能录 {n} 小时的课', free: '剩 {n}，共 {of}', unread: '读不到',
  redis: '课堂记录（Redis）', database: '数据库', worker: '媒体进程 {n}', recorder: '录制程序', certificate: '证书', up: '可用', away: '不可用', latency: '{n} 毫秒', memory: '内存 {n}', own: '自带', external: '外部',
  cpu: 'CPU {n}%', viewers: '{n} 人', off: '没有开启', idle: '待命', writing: '正在录 {n} 节课，每秒 {bytes}', days: '还有 {n} 天到期', expired: '已过期', noCertificate: '由代理负责，或没有使用 HTTPS',
  outdated: '旧版本，没课时自动换新', version: '版本', uptime: '已运行', ahead: '这台电脑的时钟比服务器快 {n} 秒。', behind: '这台电脑的时钟比服务器慢 {n} 秒。', clock: '请校准这台电脑的时间。',
  day: '{d} 天 {h} 小时', hour: '{h} 小时 {m} 分', minute: '{m} 分钟',
  noTokenTitle: '需要管理员的链接', noToken: '请用管理员的完整链接打开“我的课”，再从那里进来。', forbiddenTitle: '这个页面只给管理员', forbidden: '老师的课在“我的课”里；需要看运行状态，请联系管理员。', errorTitle: '服务器没有回应', error: '请检查网络，或这台服务器是否开着。会自动再试。', again: '现在再试', toLessons: '去我的课',
} as const

export const enOperations: Words<typeof zhOperations> = {
  title: 'Operations', lessons: 'My lessons', loading: 'Looking…',
  well: 'All is well', wellText: 'Lessons: {lessons} · classrooms here: {rooms}. Looked at again every 2 s.', wellEmpty: 'No lesson is on. Looked at again every 2 s.',
  needs: 'Needs somebody', stale: 'The server does not answer', staleText: 'Below is how it was {n} s ago. It goes on by itself when the server is back.', age: '{n} s old', now: 'Just looked',
  inLesson: 'in “{title}”', todo: 'What to do', more: 'and {n} more',
  going: 'Going on now', empty: 'No lesson is open', emptyText: 'Lessons appear here once they are open, with a light for every classroom.', elsewhere: '{n} more on other servers.',
  phase: { pre_class: 'Before the bell', live: 'Live', closed: 'Over' }, minutes: 'minute {n} of {of}', planned: '{n} min planned',
  rooms: 'Rooms {n}/{of}', homes: 'Homes {n}/{of}', light: { green: 'Fine', amber: 'Look', red: 'Act', grey: 'Not here' }, roomsOf: 'Classrooms of “{title}”', noRooms: 'No classrooms are planned for this lesson.',
  machine: 'This server', disk: 'Disk', hours: 'Left for {n} h of lessons', free: '{n} of {of} free', unread: 'cannot be read',
  redis: 'Lesson log (Redis)', database: 'Database', worker: 'Media worker {n}', recorder: 'Recorder', certificate: 'Certificate', up: 'up', away: 'away', latency: '{n} ms', memory: '{n} of memory', own: 'our own', external: 'external',
  cpu: 'CPU {n} %', viewers: '{n} people', off: 'not enabled', idle: 'ready', writing: 'Lessons: {n} · {bytes} a second', days: 'Ends in {n} days', expired: 'has expired', noCertificate: 'A proxy has it, or HTTPS is not used',
  outdated: 'older version, replaced after lessons', version: 'Version', uptime: 'Running for', ahead: 'This computer’s clock is {n} s ahead of the server.', behind: 'This computer’s clock is {n} s behind the server.', clock: 'Set the time of this computer.',
  day: '{d} d {h} h', hour: '{h} h {m} min', minute: '{m} min',
  noTokenTitle: 'An operator’s link is needed', noToken: 'Open My lessons with your complete operator’s link, and come from there.', forbiddenTitle: 'This page is for operators', forbidden: 'Your lessons are in My lessons; ask an operator how the server does.', errorTitle: 'The server does not answer', error: 'Check the network, or whether the server is on. It is tried again by itself.', again: 'Try now', toLessons: 'To My lessons',
}
