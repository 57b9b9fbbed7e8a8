/** The words of the lesson's tools; `tools.en.ts` must have every key. */
export const toolsZh = {
  slides: {
    label: '课件 {title}，第 {page} 页，共 {pages} 页', loading: '正在打开课件…', failed: '课件打不开',
    failedTodo: '声音和画面不受影响。', documents: '课件', bring: '上传 PDF', hide: '不显示课件', empty: '还没有课件。上传 PDF 后，各班会先存好，翻页不怕断网。',
    untitled: '未命名', pages: '{n} 页', sending: '正在上传 {name}…', back: '上一页', on: '下一页', pen: '板书', wipe: '擦掉本页', color: '颜色',
    colors: { red: '红', blue: '蓝', green: '绿', black: '黑', yellow: '荧光' },
  },
  countdown: { left: '倒计时', groups: '分组', over: '时间到' },
  quiz: {
    kind: { single: '单选', multiple: '多选', judge: '判断', number: '填数' },
    yes: '对', no: '错', right: '答对', wrong: '答错', answer: '答案', isRight: '正确',
    question: '第 {n} 题', result: '全体结果', none: '还没有人作答', people: '{n} 人', closed: '已收题', open: '正在作答',
    homes: '居家', missing: '未报数：{rooms}', allTold: '各班都已报数',
    hold: '请举手或举牌，辅讲老师报数', pick: '选好就点', left: '还剩 {time}',
  },
  pairing: { title: '辅讲平板配对码', how: '辅讲老师在平板上打开本站，输入这六位数字' },
  pulse: {
    title: '信号', none: '没有信号', of: '{n}/{of} 班', back: '知道了', rooms: '{rooms}',
    kind: {
      cannot_hear: '听不清', cannot_see: '看不清', slower: '慢一点', faster: '快一点',
      unclear: '没听懂', done: '已完成', ready: '就绪', help: '请帮忙',
    },
  },
} as const

/** The lead's studio. */
export const studioZh = {
  side: '举手、信号与协同', minutes: '{n} 分钟', seconds: '{n} 秒',
  out: { on: '声音正在送出', off: '话筒已关，各班听不到您', none: '没有话筒，各班听不到您' },
  hands: '举手', noHands: '现在没有人举手', handsOf: '举手 {n}', lower: '放下', lowerAll: '全部放下', approve: '放行', held: '等辅讲放行',
  fair: '公平点名：{name}', fairNobody: '没有等候的班级', waited: '已等 {n}′',
  mute: '静音', unmute: '取消静音', muted: '已静音', muteAll: '全体静音', spotlight: '放大', moveLeft: '往前', moveRight: '往后',
  notes: {
    title: '教师协同', private: '学生看不到', none: '还没有留言', me: '我', to: '{room}', seen: '{n} 人已看', ack: '看到了',
    whom: '发给谁', all: '全体', write: '40 字以内', send: '发送',
  },
  plan: {
    title: '教学环节', none: '这节课没有教案。', next: '接下来', due: '现在', done: '完成', byHand: '手动',
    overrun: '超时 {n} 分钟', over: '超时', who: { lead: '主讲', co_lead: '联合主讲', assistant: '辅讲', all: '全体' },
  },
  teaching: {
    offered: '请您来讲', needed: '{name}暂时离线，请接管', away: '{name}暂时离线', waiting: '已请{to}接手，等对方确认',
    recap: '您离开了 {time}，课没有停', page: '现在是第 {page} 页', mine: '现在由您主讲', others: '现在由{name}主讲', take: '接管', back: '交还', withdraw: '撤回',
  },
  panel: { close: '收起' },
  quiz: {
    title: '测验', kind: '题型', text: '题目', textHint: '可以留空：题在课件上', options: '选项（点字母标出正确答案）', option: '选项 {mark}', optionHint: '留空则只举牌',
    isRight: '{mark} 是正确答案', more: '加一项', fewer: '减一项', seconds: '作答时间', open: '不限时', send: '出题', close: '收题', release: '公布结果',
    next: '下一题', toLast: '看上一题', released: '已公布', told: '{n}/{of} 班已报数', answered: '{n} 人作答', byRoom: '各班作答', room: '班级',
    warning: '报数 {n}，到课 {present}', differs: '不符',
  },
  timer: { title: '倒计时', label: '用途', hint: '如：独立思考', note: '点时间就开始，所有屏幕同时显示；再点一次会重新开始。', cancel: '取消倒计时' },
  group: {
    title: '分组', task: '任务', taskHint: '如：每组两题，组长记录', length: '时间', start: '开始分组', end: '回到全班', note: '开始后台上清空、话筒关闭，由各班辅讲组织。',
    listen: '旁听', listening: '正在听', listenHint: '点课堂墙上的班级也能旁听，最多两个班。旁听会被记录，该班老师看得到。',
  },
  sound: {
    title: '试音', short: '试音', intro: '逐班听一遍声音，每班最多 5 秒。现在有 {n} 个班在线。', start: '开始试音', restart: '重新试音', again: '再听',
    now: '正在听 · 还剩 {n} 秒', level: '音量', coming: '正在接通…', comes: '有声音', silent: '没有声音，请对方说话', yes: '听到了', no: '没听到', count: '{n}/{of} 已听到',
    result: { waiting: '等候', now: '正在听', heard: '听到了', not_heard: '没听到' },
  },
  roll: { home: '居家', title: '到课', short: '到课', class: '班级', present: '到', absent: '缺', late: '迟', notYet: '还没点名', sum: '{n}/{of} 班已点名' },
  observers: { title: '听课', chip: '听课 {n}', none: '没有人听课' },
  rules: { title: '课堂规则', approval: '居家学生举手先由辅讲放行', chat: '打开公共聊天' },
  chat: { title: '聊天', sub: '全体可见', off: '公共聊天关着。打开后，居家学生和老师都能发言。', turnOn: '打开聊天', turnOff: '关闭', none: '还没有消息', write: '写给全体' },
  handOver: { title: '交接', short: '交接', intro: '请另一位主讲接手。对方确认后才会交接，您随时可以收回。', notMine: '现在由{name}主讲。', nobody: '这节课没有联合主讲。', offer: '请他接手' },
  help: {
    title: '快捷键', short: '帮助', next: '公平点名', off: '最后一位下台', clear: '全部下台', muteAll: '全体静音', turn: '课件翻页', pen: '板书', slides: '课件',
    quiz: '测验', timer: '倒计时', group: '分组', sound: '试音', heard: '试音：听到了', roll: '到课与规则', note: '给辅讲留言', chat: '聊天', handOver: '交接',
    mic: '自己的话筒', camera: '自己的摄像头', share: '共享屏幕', devices: '换设备', tile: '请选中的班级上台／下台', close: '收起工具',
  },
} as const

/** The big screen of a class. */
export const roomToolsZh = {
  group: '分组活动', groupNoTask: '请按老师的要求开始', groupLeft: '还剩', quizWait: '已收题，等老师公布结果',
  moment: '请稍候，老师马上回来', soundTurn: '请本班说句话', soundTurnSub: '主讲老师正在听我们的声音',
  companion: '副屏：声音在本班的另一台设备上，按 A 改到这里',
} as const
