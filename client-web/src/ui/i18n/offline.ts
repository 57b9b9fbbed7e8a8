/** Words of a lesson that goes on without a line. */
export const zhOffline = {
  since: '{time} 起断线', lasted: '已 {time}',
  room: '网络断开，本班继续上课', roomTodo: '请老师接着上，网络恢复后自动回来',
  page: '第 {page} / {pages} 页', back: '上一页', on: '下一页', elapsed: '本课 {time}',
  countdown: '倒计时', minutes: '{n} 分', stop: '停',
  console: '与服务器断线，课在教室里继续', consoleTodo: '照常点名、报数，都记在这台平板上，恢复后自动补交。大屏也能自己翻页。',
  kept: '已记 {n} 条，待补交', none: '还没有离线记录', notDurable: '这个浏览器不能存储：恢复之前请不要关闭这个页面',
  queue: '离线记录', rollKept: '{time} 点名，已记在本机', tallyKept: '已记在本机，可以再改',
  handsHint: '断线时举手只记人数，不会举给主讲', handsTake: '记下 {n} 人', handsTaken: '已记下 {n} 人 · {time}',
  count: '教室里自己出题', countHint: '在教室里问一道题，记下举卡人数', countTake: '记下', countTaken: '已记下 {counts} · {time}',
  local: '只在这台设备上', slides: '课件', noSlides: '这台设备上没有课件',
  kind: { roll: '点名', tally: '报数', count: '自己出题', hands: '举手' },
  detail: { roll: '缺席 {absent}，迟到 {late}', heads: '到 {n} 人', hands: '{n} 人', tally: '第 {quiz} 题 {counts}' },
  bringing: '线路已恢复，正在补交 {n} 条离线记录',
  reportTitle: '离线记录已补交：记入 {merged} 条', reportNot: '没有生效 {n} 条',
  outcome: {
    merged: '已记入', superseded: '之后另有更新的记录，以新的为准；这条留在记录里',
    question_over: '结果已经公布，不再改动；这条留在记录里', refused: '没有记入',
  },
  keptPupils: '{n} 名学生之后另有记录，以新的为准', read: '知道了', over: '课已结束，还有离线记录没有补交',
} as const

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

export const enOffline: Words<typeof zhOffline> = {
  since: 'Line lost at {time}', lasted: '{time} ago',
  room: 'No network: we go on', roomTodo: 'Please go on; it returns by itself',
  page: 'Page {page} of {pages}', back: 'Back', on: 'Next', elapsed: 'lesson {time}',
  countdown: 'Countdown', minutes: '{n} min', stop: 'Stop',
  console: 'No line to the server: the lesson goes on in the room', consoleTodo: 'Call the roll and count as usual. All is kept on this tablet and handed in when the line is back. The big screen turns pages by itself too.',
  kept: '{n} kept, to be handed in', none: 'Nothing taken down yet', notDurable: 'This browser stores nothing: keep this page open until the line is back',
  queue: 'Taken down without a line', rollKept: 'Roll called {time}, kept here', tallyKept: 'Kept here; you may change it',
  handsHint: 'Without a line hands are only counted; the lead does not see them', handsTake: 'Note {n}', handsTaken: 'Noted: {n} at {time}',
  count: 'A question of your own', countHint: 'Ask in the room and note how many cards', countTake: 'Note', countTaken: 'Noted {counts} at {time}',
  local: 'On this device only', slides: 'Slides', noSlides: 'No slides on this device',
  kind: { roll: 'Roll', tally: 'Count', count: 'Own question', hands: 'Hands' },
  detail: { roll: '{absent} absent, {late} late', heads: '{n} present', hands: '{n}', tally: 'question {quiz}: {counts}' },
  bringing: 'The line is back; handing in {n} records',
  reportTitle: 'Handed in: {merged} recorded', reportNot: '{n} without effect',
  outcome: {
    merged: 'recorded', superseded: 'something newer was told since and stands; this stays in the log',
    question_over: 'the result was out and does not change; this stays in the log', refused: 'not recorded',
  },
  keptPupils: 'for {n} of the class something newer stands', read: 'OK', over: 'The lesson is over; some records were not handed in',
}
