/** Words of planning a lesson (people, rules, plan, slides) and of pairing a tablet. */
export const zhPlanning = {
  chooseFile: '选择文件', noFile: '还没有选择文件',
  coLeads: '联合主讲', addCoLead: '添加联合主讲…', coLeadsFull: '最多 4 位', remove: '移除 {name}',
  assistants: '各班辅讲', addAssistant: '添加辅讲…', anyAssistant: '未指定，由持链接或配对码的老师辅讲',
  assistantsHint: '默认是班级自己的老师。一位老师只能在一个班辅讲。', ownSchool: '本校', otherSchools: '其他学校',
  record: '录制这节课', recordHint: '从上课铃开始录；没有监护人同意的居家学生不会录进去。', stageLimit: '同时上台（最多）', hybrid: '任课老师在家上课的班', hybridNone: '没有', following: '跟班辅讲', followingNone: '由主讲安排',
  hybridHint: '这个班的老师在家上课时，跟班辅讲可以在提示点接手。',
  plan: '教案', planHint: '老师们在课上会提前看到环节和提示点，学生看不到。', phases: '环节', cues: '提示点',
  phaseTitle: '环节名称', phaseMinutes: '分钟', addPhase: '添加环节', phasePlaceholder: '例如：小组讨论',
  minuteUnit: '分', cueMinute: '第几分钟', cueWho: '谁来做', cueRoom: '在哪个班', cueText: '做什么', addCue: '添加提示点', cuePlaceholder: '例如：发练习纸',
  removeRow: '移除第 {n} 行', allRooms: '全部班级', total: '环节共 {n} 分钟，课时 {of} 分钟',
  who: { all: '所有老师', lead: '主讲', co_lead: '联合主讲', assistant: '辅讲' },
  staff: { title: '老师的工作链接', text: '选一位老师，把链接发给她本人。她用它排自己的课，7 天内有效，到期再发新的。', choose: '选择老师…', copy: '复制链接', copied: '已复制', until: '{day} 前有效', label: '要发链接的老师' },
  slides: {
    title: '课件', text: '上课前传好 PDF。开课时课件已在主讲的页面里，不会自动显示给学生。', none: '还没有课件',
    bring: '上传 PDF', sending: '{name}：已上传 {n}%', checking: '{name}：正在检查…', pages: '{n} 页', ready: '已就绪',
    remove: '移除', removeOne: '移除课件 {name}', untitled: '未命名课件', locked: '课堂已打开，课件只能添加。', failed: '{name}：{why}',
    notPdf: '这不是 PDF 文件，请先导出为 PDF。', tooLarge: '课件超过 50 MB，请压缩图片后再上传。', list: '课件列表',
  },
} as const

export const enPlanning: Words<typeof zhPlanning> = {
  chooseFile: 'Choose a file', noFile: 'No file chosen',
  coLeads: 'Co-leads', addCoLead: 'Add a co-lead…', coLeadsFull: 'At most 4', remove: 'Remove {name}',
  assistants: 'Assistants', addAssistant: 'Add an assistant…', anyAssistant: 'Nobody named: whoever has the link or the code',
  assistantsHint: 'The classes\' own teachers, unless you choose others. A teacher assists in one class only.', ownSchool: 'This school', otherSchools: 'Other schools',
  record: 'Record this lesson', recordHint: 'From the bell on; pupils at home whose guardian has not agreed are never in it.', stageLimit: 'On stage at once (at most)', hybrid: 'Class whose teacher teaches from home', hybridNone: 'None', following: 'Assistant who follows', followingNone: 'The lead decides',
  hybridHint: 'When the teacher of this class teaches from home, the following assistant may take over at a cue.',
  plan: 'Lesson plan', planHint: 'Staff see phases and cues coming during the lesson; pupils never do.', phases: 'Phases', cues: 'Cues',
  phaseTitle: 'Phase', phaseMinutes: 'Minutes', addPhase: 'Add a phase', phasePlaceholder: 'e.g. Group discussion',
  minuteUnit: 'min', cueMinute: 'At minute', cueWho: 'Who', cueRoom: 'Where', cueText: 'Does what', addCue: 'Add a cue', cuePlaceholder: 'e.g. Hand out the worksheet',
  removeRow: 'Remove row {n}', allRooms: 'All classes', total: 'Phases: {n} of {of} minutes',
  who: { all: 'All staff', lead: 'Lead', co_lead: 'Co-lead', assistant: 'Assistant' },
  staff: { title: 'Staff links', text: 'Choose a teacher and send the link to that person only. It opens their own lessons for 7 days; then give a new one.', choose: 'Choose a teacher…', copy: 'Copy link', copied: 'Copied', until: 'Good until {day}', label: 'Teacher who gets the link' },
  slides: {
    title: 'Slides', text: 'Upload PDFs before the lesson. They wait on the lead\'s page when it opens; pupils see nothing until the lead shows them.', none: 'No slides yet',
    bring: 'Upload a PDF', sending: '{name}: {n}% sent', checking: '{name}: being checked…', pages: '{n} pages', ready: 'Ready',
    remove: 'Remove', removeOne: 'Remove the slides {name}', untitled: 'Untitled slides', locked: 'The lesson is open; slides can only be added.', failed: '{name}: {why}',
    notPdf: 'This is not a PDF; export your slides as PDF.', tooLarge: 'More than 50 MB; make its pictures smaller.', list: 'Slides of this lesson',
  },
}

export const zhPair = {
  title: '配对辅讲平板', text: '输入教室大屏上的六位配对码，这台设备就是本班的辅讲台。',
  label: '六位配对码', go: '开始辅讲', going: '正在配对…', digit: '第 {n} 位', short: '请输入全部六位数字。',
  where: '配对码在哪里？', whereText: '上课前，教室大屏的等候画面上有一个六位数字，每 5 分钟换一个。看不到时，请先打开课堂大屏的链接。',
  offline: '连不上服务器，请检查网络后再试。', done: '配对成功，正在打开辅讲台…', portal: '用平板做辅讲台', scan: '扫码去配对', qr: '配对页面的二维码',
} as const

export const enPair: Words<typeof zhPair> = {
  title: 'Pair the assistant\'s tablet', text: 'Type the six digits from the classroom\'s screen, and this device is the console of that class.',
  label: 'Six-digit code', go: 'Start assisting', going: 'Pairing…', digit: 'Digit {n}', short: 'Type all six digits.',
  where: 'Where is the code?', whereText: 'Before the lesson the classroom\'s screen shows six digits, new ones every 5 minutes. If there are none, open the link of the room screen first.',
  offline: 'The server does not answer; check the network and try again.', done: 'Paired; opening the console…', portal: 'Use a tablet as console', scan: 'Scan to pair', qr: 'QR code of the pairing page',
}

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }
