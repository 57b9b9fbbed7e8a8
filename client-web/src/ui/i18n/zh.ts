/** The words of the pages. zh-CN is written first; `en.ts` must have every key. */
import { zhBoard } from './board'
import { zhConsole } from './console'
import { zhEcho } from './echo'
import { zhDesk } from './desk.zh'
import { zhExports } from './exports'
import { zhLearner } from './learner'
import { zhLibrary } from './library'
import { zhOffline } from './offline'
import { zhOperations } from './operations'
import { zhPair, zhPlanning } from './planning'
import { roomToolsZh, studioZh, toolsZh } from './tools.zh'

export const zh = {
  ...toolsZh,
  board: zhBoard,
  console: zhConsole,
  echo: zhEcho,
  desk: zhDesk,
  exports: zhExports,
  learner: zhLearner,
  library: zhLibrary,
  offline: zhOffline,
  operations: zhOperations,
  pair: zhPair,
  planning: zhPlanning,
  product: '双师课堂',
  language: { zh: '中文', en: 'English', label: '语言' },
  role: {
    lead: '主讲', co_lead: '联合主讲', assistant: '辅讲', room: '课堂大屏',
    home_learner: '居家学生', home_group: '居家点', observer: '听课', tutor: '答疑老师',
    pupil: '学生', moderator: '审核', duty_planner: '排班', guardian: '监护人',
    safeguarding: '安全专员', librarian: '资源管理', operator: '值班管理员',
  },
  portal: {
    title: '进入课堂',
    lead: '为每个角色打开一个页面，就是一节完整的双师课。',
    lesson: '演示课',
    evening: '今晚8点半', eveningLead: '演示答疑台全天开放：学生提问，老师解答。',
    open: '打开', copy: '复制链接', copied: '已复制', qr: '二维码',
    qrHint: '用手机相机或浏览器扫一扫，就以这个身份进入。',
    qrLocal: '这个地址只在本机有效。要让手机加入，请用「./run --lan」启动，再扫那里的二维码。',
    emptyTitle: '这里还没有演示课',
    empty: '请使用学校发给您的课堂链接进入。链接丢失时，请联系本校管理员。',
    errorTitle: '暂时连不上服务器',
    error: '课堂链接不受影响。网络恢复后再试一次。',
    again: '再试一次',
    hint: {
      lead: '讲课，看到每个班，请班级或学生上台',
      room: '投在教室大屏上，全班一起上课',
      home_learner: '手机或电脑在家上课',
      home_group: '几名学生共用一个屏幕',
      observer: '只看只听，不打扰课堂',
      assistant: '看本班与课堂的状态',
      pupil: '用手机提问，排队，听讲解', tutor: '接题，写解答，开白板讲', moderator: '看队列，审核，处理求助',
      duty_planner: '排谁值班，看哪里缺人', guardian: '看孩子的辅导记录，给出同意', safeguarding: '处理求助，两人同意才能看录像',
    },
    note: '每个链接就是一个身份，请勿公开转发。',
  },
  check: {
    title: '上课前检查',
    as: '以「{role}」身份进入',
    camera: '摄像头', microphone: '话筒', speaker: '扬声器',
    noCamera: '摄像头没有打开', systemDefault: '系统默认',
    speak: '说句话，看看绿条会不会动', hears: '听得到您的声音',
    test: '播放测试音', testing: '正在播放…',
    opening: '正在打开摄像头和话筒…', allow: '浏览器会问一次，请选「允许」。',
    join: '进入课堂', joinWithout: '不用设备，直接进入',
    remembered: '选择会记在这台设备上。大屏下次会自动进入。',
    retry: '再试一次',
    ready: '设备已就绪', camOk: '画面正常', privacy: '未被点名时，您的声音不会传出。',
    problem: {
      refused: { camera: '没有获准使用摄像头', microphone: '没有获准使用话筒', todo: '点地址栏左侧的图标，把摄像头和话筒改为「允许」，再点「再试一次」。' },
      missing: { camera: '没有找到摄像头', microphone: '没有找到话筒', todo: '请接好设备；也可以先进入，只看只听。' },
      busy: { camera: '摄像头正被别的程序占用', microphone: '话筒正被别的程序占用', todo: '关掉其他会议或录像程序，再试一次。' },
      insecure: { camera: '这个地址不能使用摄像头', microphone: '这个地址不能使用话筒', todo: '浏览器只在 https:// 地址上开放设备。请改用 https 链接，或请管理员以「./run --lan」启动。' },
      failed: { camera: '摄像头打不开', microphone: '话筒打不开', todo: '拔下再插上设备，或换一个设备后再试。' },
      lost: { camera: '摄像头断开了', microphone: '话筒断开了', todo: '重新插好后会自动恢复。' },
      cancelled: { camera: '没有选择', microphone: '没有选择', todo: '' },
    },
  },
  devices: { title: '设备', other: '换一个设备', done: '好了' },
  line: {
    connecting: '正在进入课堂…',
    reconnecting: '线路断开，正在自动重连',
    reconnectingRoom: '线路断开 · 正在自动重连，请稍候',
    since: '已 {time}',
    retry: '立即重试',
    good: '网络 良', fair: '网络 一般', poor: '网络 弱', lost: '断线', unknown: '网络 …',
    detail: '往返 {rtt} 毫秒 · 丢包 {loss}%',
    soundFirst: '网络弱，先保声音',
    pictureStopped: '网络变窄，先保声音，画面稍后自动恢复',
    held: {
      smaller: '网络变窄，画面已调小', slides: '网络变窄，先保声音和课件', sound: '网络变窄，先保声音',
      smallerRoom: '网络变窄，画面已自动调小，不必处理',
      slidesRoom: '网络变窄，先保声音和课件，画面稍后自动恢复',
      soundRoom: '网络变窄，先保声音，画面稍后自动恢复',
    },
  },
  phase: { pre_class: '未上课', live: '上课中', closed: '已下课' },
  counts: { rooms: '{n} 班', homes: '{n} 居家', people: '{n} 人', heads: '{n} 人' },
  studio: {
    ...studioZh,
    wall: '课堂墙', wallOrder: '未点名在前', homes: '居家学生', stage: '台上',
    noRooms: '这节课没有安排班级', noHomes: '这节课没有居家学生', noHomesYet: '居家学生还没有进来',
    you: '您的画面', home: '居家', shared: '正在共享', cameraOff: '摄像头已关闭',
    mic: { on: '话筒 开', off: '话筒 关', none: '话筒 无' },
    camera: { on: '摄像头 开', off: '摄像头 关', none: '摄像头 无' },
    share: '共享屏幕', unshare: '停止共享',
    callOn: '上台', off: '下台', clear: '全部下台', open: '上课', close: '下课',
    free: '空位', preTitle: '候课中', pre: '班级到齐后，点「上课」开始。现在各班看得到您，也听得到您。',
    confirmTitle: '现在下课？', confirm: '所有班级和居家学生都会离开课堂，不能撤回。', confirmYes: '下课', cancel: '继续上课',
    closedTitle: '已下课', tileHint: '双击或按回车请上台', tileHintOn: '双击或按回车请下台', tileHintListen: '点一下听这个班，再点一下停止',
    attention: '需要留意', allGood: '一切正常',
    micMuted: '您的话筒关着，各班听不到您',
    heardOnly: '只有声音：',
    state: {
      expected: '未到', left: '已离开', lost: '断线 {time}', onStage: '台上', never: '未点名',
      soundBlocked: '没有声音', catchingUp: '补看中', neverFor: '{n}′ 未点名', waits: '{n}′ 未上台', minutes: '{n}′ 前', justNow: '刚刚', here: '在线', noCamera: '没有画面',
    },
    soundBlockedTodo: '大屏要按一次任意键',
    lostTodo: '正在自动重连',
  },
  room: {
    ...roomToolsZh,
    waitingTitle: '马上上课', waiting: '主讲老师到了，请坐好', waitingLead: '正在等主讲老师', leadAway: '主讲老师暂时离线，马上回来',
    onStage: '上台中', onStageSub: '{n} 个班正在听我们说话', onStageAlone: '全体正在听我们说话', us: '我们',
    speaking: '正在台上', unblock: '按任意键开启声音', unblockSub: '浏览器要有人按一次键，才会放出声音',
    closedTitle: '下课了', closed: '这节课已经结束，同学们再见',
    noCamera: '教室摄像头没有打开，我们上台时别人看不到', fullscreen: '按 F 全屏',
  },
  home: {
    slides: '课件', teacher: '老师', enlargeSlides: '点一下，放大课件', enlargeTeacher: '点一下，放大老师', swap: '点画面切换课件和老师', audioOnly: '只听声音', dataSaver: '省流量',
    audioOnlyOn: '正在只听声音', audioOnlySub: '画面已关闭，几乎不用流量', showPicture: '打开画面',
    onStage: '你上台了', onStageSub: '全班都能看到你、听到你', leave: '下台',
    mic: { on: '话筒 开', off: '话筒 关', none: '话筒 无' }, camera: { on: '摄像头 开', off: '摄像头 关', none: '摄像头 无' },
    stage: '台上', nobody: '现在没有人在台上', waitingTitle: '还没上课', waiting: '老师点「上课」后，这里会自动开始。',
    waitingLead: '正在等老师',
    unblock: '点一下，打开声音', private: '你没有上台，别人看不到你、也听不到你', closed: '这节课结束了', listening: '正在听课',
  },
  observe: { silent: '听课中 · 您不会被看到或听到' },
  assistant: {
    title: '辅讲台', lesson: '课堂', stage: '台上', nobody: '现在没有人在台上',
    attention: '需要留意', calm: '各班都在线，声音正常。', class: '本班',
    unknownRoom: '课堂大屏还没有进入', roomOk: '课堂大屏在线', roomLost: '课堂大屏断线，正在自动重连',
    soundBlocked: '大屏没有声音：请在大屏上按任意键', onStage: '本班在台上', quiet: '这一页不出声音，声音在课堂大屏上。', closed: '已下课', minutes: '分钟',
  },
  notice: {
    noTokenTitle: '这个链接不完整', noToken: '请从学校发给您的完整链接进入，链接里带有进入课堂的凭证。',
    expiredTitle: '链接已过期', expired: '请向发给您链接的老师要一个新的。',
    invalidTitle: '链接无效', invalid: '请检查链接是否复制完整，或要一个新的。',
    refusedTitle: '进不了课堂', closedTitle: '已下课', closed: '这节课结束了。', leftTitle: '已离开课堂', arrivedTitle: '你到教室了', removedTitle: '您已离开课堂',
    fencedTitle: '已在另一台设备上进入', fenced: '同一个身份只能在一台设备上使用，这里已经停下。', useHere: '在这里使用', asCompanion: '作为副屏进入（没有声音）',
    browserTitle: '请用浏览器打开', browser: '这个应用里的网页不能上实时课。请复制链接，在系统浏览器（如 Chrome、Edge、Safari）里打开。',
    copy: '复制链接', copied: '已复制，请到浏览器里粘贴',
    codecTitle: '画面可能不完整', codec: '这个浏览器解不开这节课的视频，部分画面会是黑的，声音不受影响。请换 Chrome 或 Edge。',
    portal: '回到入口', again: '再试一次', dismiss: '知道了',
  },
  lessons: {
    title: '我的课', lead: '排课、发链接、开课，都在这里。', create: '新建一节课', import: '导入名单', refresh: '刷新',
    loading: '正在读取…', live: '正在进行', upcoming: '接下来', past: '已结束', pastEmpty: '还没有上过的课。',
    emptyTitle: '还没有课', empty: '新建一节课，选好班级，系统会为每个班、每位辅讲和每个居家学生准备链接。',
    noSchools: '还没有学校和班级。请先导入名单，再排课。', errorTitle: '读不到课表', again: '再试一次',
    noTokenTitle: '请用您的工作链接打开', noToken: '这一页要用学校管理员发给您的链接打开，链接里带有您的身份。',
    state: { upcoming: '未开始', open: '可进入', live: '上课中', past: '已结束' },
    minutes: '{n} 分钟', classes: '{n} 个班', homes: '{n} 个居家', by: '主讲 {name}', links: '链接与开课',
    form: {
      create: '新建一节课', edit: '修改这节课', name: '课题', namePlaceholder: '例如：有理数的乘法', subject: '学科与年级', subjectPlaceholder: '例如：七年级数学',
      time: '开始时间', minutes: '时长（分钟）', lead: '主讲老师', me: '我自己', classes: '参加的班级', chosen: '已选 {n} 个班，最多 32 个',
      pupils: '{n} 人', homes: '居家 {n}', settings: '课堂规则', approval: '举手要先经本班辅讲同意', chat: '打开公开聊天', observers: '听课席位',
      save: '保存', saving: '正在保存…', cancel: '取消', choose: '请至少选一个班。',
    },
    sheet: {
      back: '返回我的课', open: '打开课堂', opening: '正在打开…', opened: '课堂已经打开，各班可以进入。', notYet: '开始前 30 分钟自动打开，也可以现在打开。', enter: '进入课堂（主讲）',
      edit: '修改', remove: '删除', removeTitle: '删除这节课？', removeText: '发出去的链接会立刻失效，不能撤回。', removeYes: '删除', keep: '保留',
      staff: '老师', rooms: '班级', homes: '居家学生', observers: '听课', copy: '复制', copied: '已复制', copyAll: '复制全部链接', go: '打开', revoke: '停用',
      revokeTitle: '停用这个链接？', revokeText: '{name} 手里的链接会立刻失效，同时换成一个新的链接。', revokeYes: '停用并换新', revoked: '旧链接已停用，这里是新的。',
      screen: '课堂大屏', anyAssistant: '本班辅讲', observer: '听课席 {n}', group: '居家小组 {name}', pupils: '{n} 人',
    },
    roster: {
      title: '导入名单', text: '选择 CSV 文件，或装有 学校.csv、班级.csv、人员.csv、监护人.csv、录制同意.csv 的 zip。UTF-8 和 GBK 都可以，同一份名单可以反复导入。',
      file: '名单文件', check: '先检查', run: '导入', uploading: '正在上传 {n}%', rows: '{file}：已处理 {n} 行', close: '关闭',
      checked: '检查完成，还没有写入。', done: '导入完成，用时 {n} 秒。', read: '读取', created: '新增', changed: '修改', unchanged: '不变', errors: '有误', which: '文件',
      problems: '没有导入的行', line: '第 {n} 行', allGood: '所有行都没有问题。',
      files: { schools: '学校', classes: '班级', people: '人员', enrolments: '在班', guardians: '监护人', consents: '录制同意' },
    },
  },
} as const

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }
export type Messages = Words<typeof zh>
export type StudioMessages = Words<typeof studioZh>
export type RoomToolMessages = Words<typeof roomToolsZh>
export type ToolMessages = Words<typeof toolsZh>
